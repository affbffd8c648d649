"""Completions, repeats, chains and reversals end alike in whatever order they come (I7); I1 and I5 hold after each."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from completion_world import T as AT
from completion_world import World, assert_i1, at, done, new
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canonical.rollout import MeterSeen, RegisterValue
from flows.meter_rollout import correcting
from flows.meter_rollout.correcting import Person
from store import rollout_results
from store.session import open_engine, transactions

pytestmark = pytest.mark.slow

SECOND = at(AT + timedelta(minutes=30), removed=MeterSeen("N1"), installed=MeterSeen("N4"),
            final_readings=(RegisterValue("T", Decimal(3)),))  # fmt: skip
EVENTS: dict[str, Callable[[World], Any]] = {
    "exchange at U1": lambda world: world.tell(done(1)),
    "the same again": lambda world: world.tell(done(1, remarks="once more"), source="other"),
    "second exchange of the day at U1": lambda world: world.tell(SECOND),
    "exchange at U2": lambda world: world.tell(done(2)),
    "its reversal": lambda world: world.tell(done(2, outcome="REVERSED")),
    "exchange at U3 by an unknown meter": lambda world: world.tell(done(3, installed=MeterSeen("N9"))),
    "the unknown meter is told of": lambda world: world.meter("ACME", "N9"),
    "a visit in vain at U3": lambda world: world.tell(
        done(3, outcome="UNABLE", effective_at=AT - timedelta(days=1), unable_reason="NO_ACCESS", removed=None,
             installed=None, final_readings=(), first_readings=())
    ),
}  # fmt: skip
END = {
    "hung": [["O1", "N1", "N4"], ["O2"], ["O3", "N9"]],
    "states": {"VALIDATED": 5, "REVERSED": 1},
    "work": set(),
}

WAITS = (0, 0, 0, 5, 5, 90)
"""Minutes that pass behind an event before it is judged; 0: it is not judged before the next one comes."""


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(list(EVENTS)), judged=st.lists(st.sampled_from(WAITS), min_size=8, max_size=8))
def test_events_end_alike_in_any_order_however_often_they_are_judged(
    sqlite_template: Path, order: list[str], judged: list[int]
) -> None:
    with _world(sqlite_template) as world:
        for name, minutes in zip(order, judged, strict=True):
            EVENTS[name](world)
            if minutes:
                world.judge(minutes=minutes)
            assert_i1(world)
        for _ in range(3):
            world.judge(hours=4)

        assert _end(world) == END
        for name in order:
            EVENTS[name](world)
        world.judge(hours=4)
        assert _end(world) == END


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations([1, 2, 3]), judged=st.lists(st.booleans(), min_size=3, max_size=3))
def test_a_crossed_cycle_is_corrected_alike_in_whatever_order_its_members_came(
    sqlite_template: Path, order: list[int], judged: list[bool]
) -> None:
    with _world(sqlite_template) as world:
        for number, is_judged in zip(order, judged, strict=True):
            world.tell(done(number, removed=MeterSeen(f"O{number % 3 + 1}")))
            if is_judged:
                world.judge()
        world.judge(minutes=5)
        assert world.work() == {("8009", f"U{n}") for n in (1, 2, 3)}

        person = Person("Ann", "photos", world.now)
        correcting.cross(["U1", "U2", "U3"], policy=world.policy, transaction=world.transaction, person=person)

        assert_i1(world)
        assert [world.hung(n)[-1][0] for n in (1, 2, 3)] == ["N3", "N1", "N2"]
        assert {world.orders(n)[0]["new_meter"] for n in (1, 2, 3)} == {new(1), new(2), new(3)}


def _end(world: World) -> dict[str, Any]:
    """Return what is believed, and how the tellings ended: each in one disposition (I5)."""
    with world.transaction() as session:
        counts = rollout_results.counts(session)
    assert sum(counts.values()) == sum(Counter(row["state"] for n in (1, 2, 3) for row in world.results(n)).values())
    hung = [[one[0] for one in world.hung(n)] for n in (1, 2, 3)]
    return {"hung": hung, "states": counts, "work": world.work()}


@contextmanager
def _world(template: Path) -> Iterator[World]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "hub.db"
        shutil.copyfile(template, file)
        engine = open_engine(f"sqlite:///{file}")
        world = World(transactions(engine))
        world.meter("ACME", "N4")
        try:
            yield world
        finally:
            engine.dispose()
