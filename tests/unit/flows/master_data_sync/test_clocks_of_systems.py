"""A CIS that keeps days and a WAMS that keeps seconds tell of one exchange: the finer instant stands, in any order."""

from itertools import permutations

import pytest
from master_data_sync_by_hand import World, link, meter, point, told

from canonical.granularity import Grain
from flows.master_data_sync import Policy
from store.session import Transaction

pytestmark = pytest.mark.slow

TEN, EARLIER = 10 + 10 / 24, 10 + 9.5 / 24
"""Ten o'clock of a day, and half past nine."""

DAYS = {"new": Grain("day", "new", "UTC"), "old": Grain("day", "old", "UTC")}


@pytest.fixture
def world(transaction: Transaction) -> World:
    """Return a hub with a usage point, a meter that hangs there, and another in stock."""
    found = World(transaction)
    for number, thing in enumerate((point(), meter("1"), meter("2"))):
        found.take(told(number, "create", thing))
    found.take(told(9, "create", link("1"), at=1, source="wams"))
    return found


@pytest.mark.parametrize(("rule", "midnight"), [("new", 10), ("old", 11)])
@pytest.mark.parametrize("turned", [False, True])
def test_one_hanging_told_by_days_and_by_seconds_is_one(world: World, rule: str, midnight: int, turned: bool) -> None:
    world.policy = Policy(grains={"cis_north": DAYS[rule]})
    world.take(told(10, "close", link("1"), at=5, source="wams"))
    both = [
        told(11, "create", link("2"), at=midnight, source="cis_north"),
        told(12, "create", link("2"), at=TEN, source="wams"),
    ]

    replies = [world.take(one).details for one in (both[::-1] if turned else both)]

    assert [serial for serial, _, _ in world.spans()] == ["1", "2"]
    assert world.spans()[1][1] == pytest.approx(TEN)
    assert replies == ([{"applied": "1"}, {"duplicate": "1"}] if turned else [{"applied": "1"}, {"applied": "1"}])


@pytest.mark.parametrize("rule", ["new", "old"])
def test_an_exchange_told_by_both_ends_alike_in_every_order_that_each_tells_it(world: World, rule: str) -> None:
    world.policy = Policy(grains={"cis_north": DAYS[rule]})
    midnight = 10 if rule == "new" else 11
    cis = [("close", "1", midnight, "cis_north"), ("create", "2", midnight, "cis_north")]
    wams = [("close", "1", EARLIER, "wams"), ("create", "2", TEN, "wams")]
    orders = [one for one in permutations((*cis, *wams)) if one.index(cis[0]) < one.index(cis[1])
              and one.index(wams[0]) < one.index(wams[1])]  # fmt: skip

    for number, order in enumerate(orders):
        for step, (verb, serial, at, source) in enumerate(order):
            reply = world.take(told(100 * number + step + 20, verb, link(serial), at=at, source=source))  # type: ignore[arg-type]
            assert reply.result == "OK", (order, reply)
        assert [(serial, round(since, 4), until and round(until, 4)) for serial, since, until in world.spans()] == [
            ("1", 1, round(EARLIER, 4)),
            ("2", round(TEN, 4), None),
        ], order
        world.take(told(100 * number + 50, "delete", link("2"), at=20))
        world.take(told(100 * number + 51, "delete", link("1"), at=5))
        world.take(told(100 * number + 52, "create", link("1"), at=1, source="wams"))


def test_changes_of_different_days_are_different(world: World) -> None:
    world.policy = Policy(grains={"cis_north": DAYS["new"]})
    world.take(told(10, "close", link("1"), at=TEN, source="wams"))

    reply = world.take(told(11, "close", link("1"), at=11, source="cis_north"))

    assert reply.code[:4] == "3011"
