"""Readings, times and what else is open: each rule of domain 2.4 stops or holds back what it is about, nothing else."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from completion_world import (
    INTERVALS,
    POLICY,
    RECEIVED,
    TOTAL,
    World,
    at,
    done,
    new,
)
from completion_world import T as AT

from canonical.rollout import MeterSeen, RegisterValue
from store import reference
from store.reference import AGREEMENT
from store.session import Transaction


@pytest.fixture
def world(transaction: Transaction) -> World:
    return World(transaction)


@pytest.mark.parametrize("final", ["1199.9", "99999.9", None])
def test_ex08_a_final_reading_is_below_the_last_above_the_possible_or_missing(world: World, final: str | None) -> None:
    world.read(1, AT - timedelta(days=10), "1200.0")

    world.take(done(final_readings=(RegisterValue("T", Decimal(final)),) if final else ()))

    assert world.code() == "8008"


def test_ex08_a_register_near_its_end_may_roll_over(world: World) -> None:
    world.read(1, AT - timedelta(days=10), "99990.0")

    world.take(done(final_readings=(RegisterValue("T", Decimal("12.5")),)))

    assert world.result()["state"] == "VALIDATED"


def test_ex08_a_second_exchange_of_one_pass_is_compared_with_what_the_first_one_read(world: World) -> None:
    world.meter("ACME", "N4")
    world.tell(done())
    world.tell(at(AT + timedelta(hours=1), removed=MeterSeen("N1"), installed=MeterSeen("N4")))

    world.judge()

    assert [row["codes"][:1] for row in world.results()] == [[], ["8008 FINAL_READ_IMPLAUSIBLE"]]


def test_ex08_can_be_let_pass_by_the_rules_of_the_site(transaction: Transaction) -> None:
    world = World(transaction, policy=replace(POLICY, actions={"EX08": "HOLD", "EX01": "ALERT"}))

    world.take(done(final_readings=()), done(2, removed=MeterSeen("O3")))

    assert (world.code(), world.result()["state"]) == ("8008", "HELD")
    assert world.result(2)["state"] == "HELD"  # no site may believe what breaks I1


def test_ex10_times_that_cannot_be_are_told_again(world: World) -> None:
    world.shipped(new(3), shipped_at=AT + timedelta(days=1))

    world.take(done(removed_at=AT + timedelta(hours=1)), at(AT + timedelta(days=9), 2), done(3))

    assert {(world.code(n), world.result(n)["state"]) for n in (1, 2, 3)} == {("8010", "REJECTED")}


def test_ex10_is_over_as_soon_as_it_is_told_with_times_that_can_be(world: World) -> None:
    world.take(done(removed_at=AT + timedelta(hours=1)))
    before = world.work()

    world.take(done())

    assert (before, world.work()) == ({("8010", "U1")}, set())


def test_ex11_while_a_bill_is_made_only_the_pair_waits(world: World) -> None:
    start, end = datetime(2026, 2, 3, 5, tzinfo=UTC), datetime(2026, 3, 3, 5, tzinfo=UTC)
    world.cycle(date(2026, 3, 4), start, end)

    world.take(done())

    assert (world.result()["state"], world.hung()[1][1]) == ("VALIDATED", AT)
    assert world.steps()["CIS_PAIR"] == "HELD"
    assert world.steps()["MDMS_CLOSE"] == "PENDING"


def test_ex11_is_over_where_the_read_date_is_far_away(world: World) -> None:
    start, end = datetime(2026, 3, 3, 5, tzinfo=UTC), datetime(2026, 4, 3, 5, tzinfo=UTC)
    world.cycle(date(2026, 4, 6), start, end)

    world.take(done())

    assert world.steps()["CIS_PAIR"] == "PENDING"


def test_ex12_a_change_of_customer_on_the_day_needs_times(world: World) -> None:
    midnight = datetime(2026, 3, 2, 5, tzinfo=UTC)
    world.agreement(1, valid_to=midnight + timedelta(hours=12))
    world.agreement(2, valid_to=midnight + timedelta(hours=12))

    world.take(at(midnight), done(2))

    assert (world.result()["state"], world.code(), world.work()) == ("WAITING", "8012", {("8012", "U1")})
    assert world.result(2)["state"] == "VALIDATED"


def test_ex13_the_same_again_has_no_effect_whatever_the_remarks(world: World) -> None:
    world.take(done())
    before = world.hung()

    (again,) = world.tell(done(remarks="again", photos=("p1",)), source="other road")

    assert again.is_repeat
    assert (len(world.results()), world.hung(), world.work()) == (1, before, set())


@pytest.mark.parametrize(
    "fields",
    [
        {"installed": MeterSeen("N2")},
        {"final_readings": (RegisterValue("T", Decimal("1234.6")),)},
        {"installed_at": AT + timedelta(minutes=1), "effective_at": AT + timedelta(minutes=1)},
    ],
)
def test_ex14_what_says_otherwise_is_held_and_overwrites_nothing(world: World, fields: dict[str, object]) -> None:
    world.take(done())
    before = world.hung()

    world.take(done(**fields))

    assert [row["state"] for row in world.results()] == ["VALIDATED", "HELD"]
    assert (world.hung(), world.work()) == (before, {("8014", "U1")})


def test_ex14_neither_of_two_is_believed_where_nobody_believed_one_before(world: World) -> None:
    world.tell(done(), done(installed=MeterSeen("N2")))

    world.judge()

    assert {row["state"] for row in world.results()} == {"HELD"}
    assert world.hung() == [("O1", datetime(2025, 1, 1, tzinfo=UTC), None)]


def test_ex18_an_excluded_usage_point_is_believed_and_told(world: World) -> None:
    world.order(1, "EXCLUDED", reason="opted out")

    world.take(done())

    assert (world.result()["state"], world.work()) == ("VALIDATED", {("8018", "U1")})


def test_ex19_hours_of_use_and_energy_fed_in_need_a_meter_that_measures_them(world: World) -> None:
    world.agreement(1, tou_calendar="TOU1")
    world.agreement(2, net_metering=True)
    world.agreement(3, net_metering=True, tou_calendar="TOU1")
    world.meter("ACME", "N3", TOTAL, RECEIVED, INTERVALS)
    first = (RegisterValue("T", Decimal(0)), RegisterValue("R", Decimal(0)))

    world.take(done(), done(2), done(3, first_readings=first))

    assert world.work() == {("8019", "U1"), ("8019", "U2")}
    assert [world.result(n)["state"] for n in (1, 2, 3)] == ["VALIDATED"] * 3


def test_ex20_a_meter_without_keys_is_believed_and_not_commissioned_until_they_come(world: World) -> None:
    world.shipped(new(1), has_keys=False)
    world.take(done())
    assert (world.steps()["HES_COMMISSION"], world.work()) == ("REFUSED", {("8020", "U1")})

    world.shipped(new(1), has_keys=True, state="INSTALLED")
    world.judge()

    assert (world.steps()["HES_COMMISSION"], world.work()) == ("PENDING", set())


def test_ex20_a_meter_of_a_failed_lot_stays_blocked_where_it_hangs_until_the_lot_is_free(world: World) -> None:
    world.shipped(new(1), state="BLOCKED")
    world.take(done())
    world.judge()
    assert (world.steps()["MDMS_CREATE"], world.steps()["HES_COMMISSION"]) == ("REFUSED", "REFUSED")

    world.shipped(new(1), state="STOCK")
    world.judge()

    assert (world.steps()["MDMS_CREATE"], world.steps()["HES_COMMISSION"]) == ("PENDING", "PENDING")
    assert world.work() == set()


def test_a_vacant_premise_is_exchanged_like_any_other(world: World) -> None:
    with world.transaction() as session:
        rows = reference.current(session, AGREEMENT, "agreement", {"A1"})
        reference.replace(session, AGREEMENT, rows, [], now=AT)

    assert world.take(done()).believed == 1
