"""Steps of several exchanges in one message: the same end as one by one, and of a refused part only that part."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rollout_sequence_world import POLICY, T, World

from canonical.codes.message import PARTNER_REFUSED, PARTNER_TOOK_PART
from canonical.ids import meter_mrid
from canonical.messages import Outcome
from flows.delivery import replay
from flows.meter_rollout import sequence
from store import deliveries, master_statements, rollout_steps
from store.session import Transaction, open_engine, transactions

TOGETHER = replace(POLICY, batch=100, several={"cis": 3, "mdms": 3, "hes": 3, "oms": 3, "wams": 3})
LATER = timedelta(hours=3)


@pytest.fixture
def world(transaction: Transaction, tmp_path: Path) -> World:
    return World(transaction, tmp_path, policy=TOGETHER)


def begun(world: World, several: int) -> list[str]:
    orders = [world.exchange(number) for number in range(1, several + 1)]
    world.settle()
    return orders


def of_meter(number: int) -> Callable[[dict[str, Any]], bool]:
    """Return what refuses that an old meter is taken away."""
    meter = meter_mrid("ACME", f"O{number}")
    return lambda said: said["verb"] == "close" and said.get("meter") == meter


def places(world: World, orders: Iterable[str], step: str) -> list[tuple[str, int]]:
    """Return delivery and number in it by which each order's step went."""
    with world.transaction() as session:
        found = rollout_steps.of_orders(session, list(orders))
    return [(row["delivery_id"], row["operation"]) for own in found.values() for row in own if row["step"] == step]


def lanes(world: World, orders: Iterable[str], step: str = "CIS_PAIR") -> list[str]:
    """Return the lanes in which a step of some orders goes."""
    with world.transaction() as session:
        return [deliveries.find(session, delivery).lane for delivery, _ in places(world, orders, step)]


def test_seven_exchanges_go_in_three_messages_a_step_and_end_as_they_do_one_by_one(
    world: World, transaction: Transaction
) -> None:
    orders = begun(world, 7)

    went = places(world, orders, "MDMS_CREATE")

    assert sorted(number for _, number in went) == [0, 1, 1, 2, 2, 3, 3]
    assert len({delivery for delivery, _ in went}) == 3
    assert {world.order(order)["state"] for order in orders} == {"HES_COMMISSIONED"}
    assert len(world.offices["mdms"].told) == 3 * 7
    assert world.open_work() == []


def test_only_what_a_system_refuses_of_a_message_is_refused_and_becomes_work(world: World) -> None:
    world.offices["mdms"].refuses = of_meter(2)
    orders = begun(world, 3)
    (item,) = world.open_work()

    assert [world.steps(order)["MDMS_CLOSE"] for order in orders] == ["CONFIRMED", "REFUSED", "CONFIRMED"]
    assert [world.order(order)["state"] for order in orders] == [
        "HES_COMMISSIONED",
        "CIS_EXCHANGED",
        "HES_COMMISSIONED",
    ]
    assert "not that one" in item["summary"]


def test_of_a_message_taken_in_part_the_history_says_of_each_what_became_of_it(world: World) -> None:
    world.offices["mdms"].refuses = of_meter(2)
    begun(world, 3)

    with world.transaction() as session:
        said = [row for n in (1, 2) for row in master_statements.about(session, f"U{n}", ()) if row["system"] == "mdms"]

    ended = [(row["usage_point"], row["disposition"], row["code"]) for row in said if row["verb"] == "close"]
    assert ended == [("U1", "APPLIED", ""), ("U2", "REJECTED", str(PARTNER_TOOK_PART))]


def test_a_refusal_that_names_no_operation_leaves_every_step_refused(world: World) -> None:
    world.offices["oms"].answers = Outcome("rejected", str(PARTNER_TOOK_PART), "Meter m-1 2.4 unknown")
    orders = begun(world, 3)

    assert [world.steps(order)["OMS_METER"] for order in orders] == ["REFUSED"] * 3
    assert len(world.open_work()) == 3


def test_a_message_refused_whole_is_work_of_every_step_with_its_own_reason(world: World) -> None:
    world.offices["oms"].answers = Outcome("rejected", str(PARTNER_REFUSED), "Operation 1 2.4 a; Operation 2 2.5 b")
    begun(world, 2)

    assert sorted(item["summary"].rpartition(" 2.")[2] for item in world.open_work()) == ["4 a", "5 b"]


def test_what_was_refused_and_is_taken_when_the_message_is_replayed_goes_on(world: World) -> None:
    world.offices["mdms"].refuses = of_meter(2)
    orders = begun(world, 3)
    world.offices["mdms"].refuses = lambda _said: False
    world.later(minutes=1)
    ((delivery, _), *_) = places(world, orders, "MDMS_CLOSE")
    replay(delivery, transaction=world.transaction, now=world.now, machine_now=world.machine_now, by="ann")
    world.settle()

    assert [world.steps(order)["MDMS_CLOSE"] for order in orders] == ["CONFIRMED"] * 3
    assert world.open_work() == []


def test_what_is_taken_back_while_a_message_waits_goes_behind_it_in_its_lane(world: World) -> None:
    order, other = world.exchange(1), world.exchange(2)
    world.offices["cis"].is_away = True
    world.advance()
    with world.transaction() as session:
        sequence.take_back(session, [world.order(order)], policy=world.policy, now=world.now)
    world.advance()
    waiting = lanes(world, [order])
    world.offices["cis"].is_away = False
    world.settle()

    told = [one["verb"] for one in world.offices["cis"].told if one["point"] == "U1"]
    assert (len(waiting), len(set(waiting)), told) == (1, 1, ["create", "delete"])
    assert lanes(world, [order], "UNDO_CIS_PAIR") == waiting
    assert [world.order(one)["state"] for one in (order, other)] == ["REVERSED", "HES_COMMISSIONED"]


def test_a_later_exchange_of_a_usage_point_goes_behind_the_message_in_which_the_first_one_waits(world: World) -> None:
    first, _ = world.exchange(1), world.exchange(2)
    world.offices["cis"].is_away = True
    world.advance()
    second = world.exchange(3, usage_point="U1", removed_at=T + LATER, installed_at=T + LATER)
    world.advance()
    waiting = lanes(world, [first, second])
    world.offices["cis"].is_away = False
    world.settle()

    assert waiting[0] == waiting[1] != "U1"
    pairs = [one["at"] for one in world.offices["cis"].told if one["verb"] == "create" and one["point"] == "U1"]
    assert pairs == [T.isoformat(), (T + LATER).isoformat()]


def test_what_waits_alone_in_the_lane_of_a_usage_point_goes_before_what_follows(world: World) -> None:
    first = world.exchange(1)
    world.offices["cis"].is_away = True
    world.advance()
    second, other = world.exchange(2, usage_point="U1", removed_at=T + LATER, installed_at=T + LATER), world.exchange(3)
    world.advance()

    assert lanes(world, [first, second, other]) == ["U1", "U1", "U3"]


def test_two_exchanges_of_one_usage_point_begun_at_once_go_alone_in_its_lane(world: World) -> None:
    orders = [world.exchange(1), world.exchange(2, usage_point="U1"), world.exchange(3), world.exchange(4)]
    world.advance()

    found = lanes(world, orders)
    assert found[:2] == ["U1", "U1"]
    assert found[2] == found[3] != "U3"


@pytest.mark.slow
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    size=st.integers(2, 5), refused=st.sets(st.integers(1, 6)),
    system=st.sampled_from(["cis", "mdms", "hes", "oms", "wams"]),
)  # fmt: skip
def test_whatever_is_refused_each_exchange_ends_as_it_would_alone(
    size: int, refused: set[int], system: str, sqlite_databases: Callable[[], str], tmp_path: Path
) -> None:
    meters = {meter_mrid("ACME", f"{which}{n}") for n in refused for which in "ON"}
    ends = []
    for several in (1, size):
        engine = open_engine(sqlite_databases())
        policy = replace(TOGETHER, several=dict.fromkeys(TOGETHER.several, several) if several > 1 else {})
        world = World(transactions(engine), tmp_path, policy=policy)
        world.offices[system].refuses = lambda said: bool(meters & {said.get(key) for key in ("meter", "old", "new")})
        orders = begun(world, 6)
        ends.append([(world.order(order)["state"], world.steps(order)) for order in orders])
        engine.dispose()
    assert ends[0] == ends[1]
