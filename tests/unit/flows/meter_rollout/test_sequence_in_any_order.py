"""Whatever comes first, away or late: in the end all exchanges close, and each system was told once, in order."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rollout_sequence_world import World

from flows.meter_rollout.policy import SYSTEMS
from store.session import open_engine, transactions

NUMBERS = (1, 2)
EVENTS = st.one_of(
    st.just(("advance", "")),
    st.just(("relay", "")),
    st.just(("look", "")),
    st.tuples(st.sampled_from(["away", "back"]), st.sampled_from(SYSTEMS)),
    st.tuples(st.just("hear"), st.sampled_from(NUMBERS)),
    st.tuples(st.just("read"), st.sampled_from(NUMBERS)),
)


def play(world: World, what: str, which: str | int) -> None:
    """Let one thing happen."""
    if what in ("away", "back"):
        world.offices[str(which)].is_away = what == "away"
    elif what in ("hear", "read"):
        getattr(world, what)(int(which))
    elif what == "relay":
        world.relay(1)
    else:
        getattr(world, what)()


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(events=st.lists(EVENTS, max_size=14))
def test_in_any_order_of_events_every_exchange_closes_and_nobody_is_told_twice(
    sqlite_databases: Callable[[], str], tmp_path: Path, events: list[tuple[str, str | int]]
) -> None:
    engine = open_engine(sqlite_databases())
    world = World(transactions(engine), tmp_path)
    orders = [world.exchange(number) for number in NUMBERS]

    for what, which in events:
        play(world, what, which)
    for office in world.offices.values():
        office.is_away = False
    for number in NUMBERS:
        world.hear(number)
        world.read(number)
    for _ in range(4):
        world.settle(4)
        world.close_work()  # what a system that was away too long never got, a person has seen to
    world.later(days=5)
    world.look()
    world.settle()

    assert {world.order(order)["state"] for order in orders} == {"CLOSED"}
    for office in world.offices.values():
        ids = [said["id"] for said in office.told]
        assert len(ids) == len(set(ids))
    for number in NUMBERS:
        links = [said["verb"] for said in world.offices["mdms"].told if said.get("point") == f"U{number}"]
        assert links in (["close", "create"], ["create"], ["close"], [])
    engine.dispose()
