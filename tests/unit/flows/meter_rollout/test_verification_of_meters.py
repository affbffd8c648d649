"""New meters are heard, read and certified; meters that speak where none should are work; planned work is no outage."""

from datetime import timedelta
from pathlib import Path

import pytest
from rollout_sequence_world import T, World

from canonical.codes.rollout import HEARD_UNINSTALLED, NOT_HEARD, OLD_METER_STILL_READING
from canonical.codes.rollout_steps import HEARD_BY_TWO
from canonical.ids import meter_mrid
from flows.meter_rollout import suppression
from store import reference
from store.session import Transaction

OLD, NEW = meter_mrid("ACME", "O1"), meter_mrid("ACME", "N1")


@pytest.fixture
def world(transaction: Transaction, tmp_path: Path) -> World:
    return World(transaction, tmp_path)


def test_the_usage_point_is_read_by_the_head_end_from_its_verification_on_as_the_hub_itself_believes(
    world: World,
) -> None:
    world.exchange(1)
    world.settle()
    world.hear(1)
    world.settle()
    world.read(1)
    world.later(days=5)
    world.look()
    world.settle()

    with world.transaction() as session:
        rows = reference.current(session, reference.USAGE_POINT, "usage_point", {"U1"})
    versions = [(row["read_source"], row["valid_from"]) for row in sorted(rows, key=lambda one: one["valid_from"])]

    assert [by for by, _ in versions] == ["MANUAL", "AMI"]
    assert versions[1][1] == T.replace(hour=5) + timedelta(days=4)  # midnight in Toronto behind three whole days


def test_a_meter_that_is_not_heard_is_work_until_it_is(world: World) -> None:
    world.exchange(1)
    world.settle()
    world.later(hours=25)
    world.look()
    silent = [item["code"] for item in world.open_work()]
    world.hear(1, at=world.now)
    world.look()

    assert silent == [str(NOT_HEARD)]
    assert world.open_work() == []


def test_a_meter_without_reads_on_one_of_its_first_days_is_not_certified(world: World) -> None:
    order = world.exchange(1)
    world.settle()
    world.hear(1)
    world.look()
    world.settle()
    world.read(1, days=2)
    world.later(days=5)
    world.look()
    world.settle()

    assert world.order(order)["state"] == "HEARD"
    assert "no reads of 1 of 3 days" in world.open_work()[0]["summary"]


def test_a_meter_heard_that_nobody_installed_is_a_found_meter_but_an_expected_one_is_not(world: World) -> None:
    world.exchange(1)
    world.hear(1)
    world.hear(77)
    world.look()

    assert [(item["code"], item["meter"]) for item in world.open_work()] == [
        (str(HEARD_UNINSTALLED), meter_mrid("ACME", "N77"))
    ]


def test_readings_of_a_removed_meter_are_work_once(world: World) -> None:
    world.exchange(1)
    world.settle()
    world.read(1, days=1, old=True)
    world.look()
    world.look()

    (item,) = world.open_work()

    assert (item["code"], item["meter"], item["seen"]) == (str(OLD_METER_STILL_READING), OLD, 1)


def test_outage_events_around_an_exchange_are_planned_work(world: World) -> None:
    world.exchange(1)
    world.settle()
    world.hear(1)
    world.look()
    world.settle()

    with world.transaction() as session:
        (span,) = suppression.windows(session, ["U1"], policy=world.policy)["U1"]

    assert (span.start, span.end) == (T - timedelta(minutes=30), T + timedelta(minutes=40, hours=2))


def test_a_meter_that_two_head_ends_claim_is_work_that_names_both(world: World) -> None:
    world.exchange(1)
    world.settle()
    world.hear(1, source="hes")
    world.hear(1, source="other")
    world.look()

    (item,) = world.open_work()

    assert item["code"] == str(HEARD_BY_TWO)
    assert "hes and other" in item["summary"]
