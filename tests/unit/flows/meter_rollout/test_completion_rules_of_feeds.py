"""A final reading is compared with what stood on the register before, whichever way the source of that states it."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from completion_world import POLICY, World, done
from completion_world import T as AT

from canonical.rollout import RegisterValue
from store.session import Transaction

FEEDS = replace(POLICY, multipliers={"mdms": "applied"})


@pytest.mark.parametrize(
    ("last", "final", "code"),
    [
        ("48000", "1200", ""),
        ("48000", "1201.5", ""),
        ("48000", "1199", "8008"),
        # An MDMS that rounds up to 3 kWh: no register that runs backwards.
        ("48003", "1200", ""),
        ("48000", "48200", "8008"),
    ],
)
def test_ex08_a_last_reading_with_the_multiplier_applied_is_read_as_the_register_showed_it(
    transaction: Transaction, last: str, final: str, code: str
) -> None:
    world = World(transaction, policy=FEEDS, points=0)
    world.usage_point(1)
    world.hang(world.meter("OLDCO", "O1", multiplier="40"), "U1")
    world.meter("ACME", "N1")
    world.read(1, AT - timedelta(days=10), last)

    world.take(done(final_readings=(RegisterValue("T", Decimal(final)),)))

    assert [one[:4] for one in world.result()["codes"]] == ([code] if code else [])
