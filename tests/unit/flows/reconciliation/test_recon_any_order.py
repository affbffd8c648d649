"""Whatever differs is found, and nothing else, whatever the order in which systems say what they hold."""

from collections.abc import Sequence
from random import Random
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recon_by_hand import METERS, NOW, OWNERS, World, hung, meter, point

from canonical.granularity import Grain
from canonical.holdings import Holding, Kind
from flows.reconciliation.compare import compared, seen
from flows.reconciliation.merging import objects_of
from flows.reconciliation.policy import HUB, Policy, Profile, SystemPolicy, profile_of
from flows.reconciliation.snapshot import staged_line
from flows.reconciliation.views import digests_of, instant_text
from store.session import Transaction

pytestmark = pytest.mark.slow

Slip = Literal["missing", "field", "date", "extra"]
NAMES = tuple(f"U{number}" for number in range(20))
AT = instant_text(NOW)
FULL: dict[Kind, tuple[str, ...]] = {
    "usage_point": ("name", "zone", "commodity", "read_source", "route"),
    "meter": ("manufacturer", "serial", "commodity", "multiplier"),
    "installation": ("usage_point", "meter", "manufacturer", "serial"),
}


def world_of(names: Sequence[str]) -> list[Holding]:
    """Return usage points, meters and installations by name; every third meter hung elsewhere before."""
    found: list[Holding] = []
    for number, name in enumerate(names):
        found += [point(name, route=f"R{number % 3}"), meter(number), hung(name, number, 10)]
        if number % 3 == 0:
            found.append(hung(f"old-{name}", number, 1, 9))
    return found


def slipped(holdings: Sequence[Holding], slips: dict[int, Slip]) -> tuple[list[Holding], dict[tuple[str, str], Slip]]:
    """Return the holdings with slips in some of them (by number of the name), and where they are."""
    found: list[Holding] = []
    where: dict[tuple[str, str], Slip] = {}
    for holding in holdings:
        slip = slips.get(_number(holding))
        if slip is None or holding.valid_to is not None or holding.kind == "meter":
            found.append(holding)
        elif slip == "field" and holding.kind == "usage_point":
            where[(holding.kind, holding.object_id)] = slip
            found.append(point(holding.object_id, route="R-other"))
        elif slip in ("missing", "date") and holding.kind == "installation":
            where[(holding.kind, holding.object_id)] = slip
            if slip == "date":
                found.append(hung(holding.facts["usage_point"], _number(holding), 11))
        elif slip == "extra" and holding.kind == "usage_point":
            where[("usage_point", f"{holding.object_id}-x")] = slip
            found += [holding, point(f"{holding.object_id}-x")]
        else:
            found.append(holding)
    return found, where


def _number(holding: Holding) -> int:
    if holding.kind == "meter":
        return list(METERS.values()).index(holding.object_id)
    return int(holding.facts.get("usage_point", holding.object_id).rsplit("U", 1)[-1])


def contents(holdings: Sequence[Holding], order: Random) -> dict[tuple[str, str], str]:
    """Return holdings as they are kept, whatever order they came in."""
    lines = [staged_line(one) for one in holdings]
    order.shuffle(lines)
    found = objects_of(sorted(lines))
    keys = list(found)
    order.shuffle(keys)
    return {key: found[key] for key in keys}


def profile(grain: Grain) -> Profile:
    """Return how the hub and a system are compared."""
    policy = Policy(
        systems={"x": SystemPolicy(fields=dict[str, tuple[str, ...]](FULL.items()), kinds=tuple(FULL), grain=grain)}
    )
    return profile_of(policy, HUB, "x", {})


SLIPS = st.dictionaries(st.integers(0, 19), st.sampled_from(["missing", "field", "date", "extra"]), max_size=12)


@given(slips=SLIPS, order=st.randoms(), grain=st.sampled_from([Grain(), Grain("minute"), Grain("day")]))
@settings(max_examples=150, deadline=None)
def test_exactly_the_objects_that_differ_differ_and_digests_agree_only_where_none_does(
    slips: dict[int, Slip], order: Random, grain: Grain
) -> None:
    ours = world_of(NAMES)
    theirs, where = slipped(ours, slips)
    left, right = contents(ours, order), contents(theirs, order)
    one = profile(grain)

    found = {
        key
        for key in {**left, **right}
        if compared(
            one, key[0], seen(left.get(key), key[0], AT, one), seen(right.get(key), key[0], AT, one)
        ) is not None
    }  # fmt: skip
    ours_digest, theirs_digest = digests_of(left, one, HUB, AT)[0], digests_of(right, one, "x", AT)[0]

    assert found == set(where)
    unequal = {kind for kind in FULL if ours_digest.get(kind, [])[:2] != theirs_digest.get(kind, [])[:2]}
    assert unequal == {kind for kind, _ in where}


@given(slips=SLIPS, order=st.randoms())
@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@pytest.mark.parametrize("portion", [True, False])
@pytest.mark.slow
def test_a_round_names_exactly_what_was_seeded_whatever_the_order(
    sqlite_worlds: "list[World]", slips: dict[int, Slip], order: Random, portion: bool
) -> None:
    (world,) = sqlite_worlds
    theirs, where = slipped(world_of(NAMES), slips)
    system = f"x{len(world.books)}"
    world.books[system] = {}
    order.shuffle(theirs)

    world.drops(system, theirs)
    while not world.runs(whole=not portion).is_round:
        pass

    classes = {"missing": "MISSING_IN_X", "field": "FIELD_DIFF", "date": "EFFECTIVE_DATE_DIFF", "extra": "EXTRA_IN_X"}
    named = {(row["kind"], row["object_id"]): row["klass"] for row in world.rows() if row["system"] == system}
    assert named == {key: classes[slip] for key, slip in where.items()}


@pytest.fixture
def sqlite_worlds(transaction: Transaction) -> list[World]:
    """One hub that holds everything, for all examples: each is a system of its own."""
    world = World(transaction, Policy(owners=OWNERS, portion=1024))
    world.believes(*world_of(NAMES))
    return [world]
