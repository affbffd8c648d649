"""Each rule of domain 2.4 stops, holds back or lets pass what it is about, and nothing else."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from completion_world import (
    INTERVALS,
    OFF,
    ON,
    POLICY,
    RECEIVED,
    TOTAL,
    World,
    at,
    done,
    new,
    old,
)
from completion_world import T as AT

from canonical.rollout import MeterSeen, RegisterValue
from store import reference, rollout_steps
from store.reference import AGREEMENT
from store.session import Transaction


@pytest.fixture
def world(transaction: Transaction) -> World:
    return World(transaction)


def test_a_sound_completion_is_believed_with_its_order_and_readings(world: World) -> None:
    order = world.order(1)

    became = world.take(done())

    assert (became.believed, world.work()) == (1, set())
    assert world.hung() == [("O1", datetime(2025, 1, 1, tzinfo=UTC), AT), ("N1", AT, None)]
    (row,) = world.orders()
    assert (row["order_id"], row["state"], row["old_meter"], row["new_meter"]) == (order, "VALIDATED", old(1), new(1))
    assert [values[0][2] for values in world.readings().values()] == [Decimal("1234.5"), Decimal(3)]


def test_ex01_a_meter_that_does_not_hang_there_was_removed(world: World) -> None:
    world.take(done(removed=MeterSeen("O2")))

    assert (_code(world), world.work()) == ("8001", {("8001", "U1")})
    assert world.hung()[0][2] is None
    assert world.orders()[0]["state"] == "REJECTED"


def test_ex01_nothing_was_removed_where_a_meter_hangs(world: World) -> None:
    world.take(done(removed=None, removed_at=None, final_readings=()))

    assert _code(world) == "8001"


def test_ex02_an_unknown_meter_is_waited_for_and_then_a_person_decides(world: World) -> None:
    world.take(done(installed=MeterSeen("NOWHERE")))
    assert (world.result()["state"], world.orders()[0]["state"], world.work()) == ("WAITING", "ON_HOLD", set())

    world.judge(hours=24)

    assert (world.result()["state"], world.work()) == ("HELD", {("8002", "U1")})


def test_ex02_is_over_when_the_meter_is_told_of(world: World) -> None:
    world.take(done(installed=MeterSeen("LATE")))
    world.meter("ACME", "LATE")

    world.judge(hours=4)

    assert (world.result()["state"], world.hung()[1][0]) == ("VALIDATED", "LATE")


def test_ex03_a_meter_hangs_at_another_usage_point_already(world: World) -> None:
    world.hang(new(1), "U9", AT - timedelta(days=1))

    world.take(done())

    assert _code(world) == "8003"
    assert "U9" in world.result()["reason"]


def test_ex04_a_serial_of_two_manufacturers_is_nobodys_guess(world: World) -> None:
    world.meter("OTHER", "N1")

    world.take(done())

    assert _code(world) == "8004"


def test_ex04_does_not_ask_who_made_a_meter_that_hangs_there_or_whose_maker_is_said(world: World) -> None:
    world.meter("OTHER", "N1")
    world.meter("OTHER", "O1")

    world.take(done(installed=MeterSeen("N1", "Acme")))

    assert world.result()["state"] == "VALIDATED"


@pytest.mark.parametrize(
    "fields",
    [
        {"usage_point_name": "NMI2"},
        {"address": "7 Elm Street"},
        {"latitude": Decimal("43.7"), "longitude": Decimal("-79.4")},
    ],
)
def test_ex05_name_address_or_position_are_those_of_another_place(
    world: World, fields: dict[str, str | Decimal]
) -> None:
    _lies(world, "U1", street="Oak Road", number="12")
    world.take(at(AT - timedelta(days=300), latitude=Decimal("43.6"), longitude=Decimal("-79.4")))
    world.meter("ACME", "N9")

    world.take(done(removed=MeterSeen("N1"), installed=MeterSeen("N9"), **fields))

    assert world.results()[-1]["codes"][0].startswith("8005")


def test_ex05_is_not_found_where_the_address_is_written_another_way(world: World) -> None:
    _lies(world, "U1", street="Oak Road", number="12")

    world.take(done(address="12, OAK rd."))

    assert world.result()["state"] == "VALIDATED"


def test_ex05_the_order_that_is_named_is_for_another_usage_point(world: World) -> None:
    world.take(done(order=world.order(2)))

    assert _code(world) == "8005"


def test_ex06_the_plates_say_another_multiplier(world: World) -> None:
    world.meter("ACME", "N1", multiplier="40")

    world.take(done(multiplier_seen=Decimal(1)))

    assert _code(world) == "8006"


@pytest.mark.parametrize(("policy", "kept"), [("IGNORE", "1"), ("APPLY", "40")])
def test_ex06_a_site_may_keep_or_overwrite_the_multiplier_and_a_person_knows(
    transaction: Transaction, policy: str, kept: str
) -> None:
    world = World(transaction, policy=replace(POLICY, multiplier_policy=policy))  # type: ignore[arg-type]

    world.take(done(multiplier_seen=Decimal(40)))

    with transaction() as session:
        (row,) = reference.current(session, reference.INSTALLATION, "meter", {new(1)})
    assert (row["multiplier"], row["installed_at"], world.work()) == (kept, AT, {("8006", "U1")})


def test_ex07_bands_that_the_old_meter_counted_are_missing(world: World) -> None:
    world.meter("OLDCO", "O1", ON, OFF)

    world.take(done(final_readings=(RegisterValue("T1", Decimal(1)), RegisterValue("T2", Decimal(1)))))

    assert _code(world) == "8007"


def test_ex07_a_register_was_read_that_the_meter_does_not_have(world: World) -> None:
    world.take(done(first_readings=(RegisterValue("T", Decimal(0)), RegisterValue("X9", Decimal(0)))))

    assert _code(world) == "8007"


def test_ex07_another_commodity_is_measured(world: World) -> None:
    world.meter("ACME", "N1", commodity="GAS")

    world.take(done())

    assert _code(world) == "8007"


@pytest.mark.parametrize("final", ["1199.9", "99999.9", None])
def test_ex08_a_final_reading_is_below_the_last_above_the_possible_or_missing(world: World, final: str | None) -> None:
    world.read(1, AT - timedelta(days=10), "1200.0")

    world.take(done(final_readings=(RegisterValue("T", Decimal(final)),) if final else ()))

    assert _code(world) == "8008"


def test_ex08_a_register_near_its_end_may_roll_over(world: World) -> None:
    world.read(1, AT - timedelta(days=10), "99990.0")

    world.take(done(final_readings=(RegisterValue("T", Decimal("12.5")),)))

    assert world.result()["state"] == "VALIDATED"


def test_ex08_can_be_let_pass_by_the_rules_of_the_site(transaction: Transaction) -> None:
    world = World(transaction, policy=replace(POLICY, actions={"EX08": "HOLD", "EX01": "ALERT"}))

    world.take(done(final_readings=()), done(2, removed=MeterSeen("O3")))

    assert (_code(world), world.result()["state"]) == ("8008", "HELD")
    assert world.result(2)["state"] == "HELD"  # no site may believe what breaks I1


def test_ex10_times_that_cannot_be_are_told_again(world: World) -> None:
    world.shipped(new(3), shipped_at=AT + timedelta(days=1))

    world.take(done(removed_at=AT + timedelta(hours=1)), at(AT + timedelta(days=9), 2), done(3))

    assert {(_code(world, n), world.result(n)["state"]) for n in (1, 2, 3)} == {("8010", "REJECTED")}


def test_ex11_while_a_bill_is_made_only_the_pair_waits(world: World) -> None:
    start, end = datetime(2026, 2, 3, 5, tzinfo=UTC), datetime(2026, 3, 3, 5, tzinfo=UTC)
    world.cycle(date(2026, 3, 4), start, end)

    world.take(done())

    assert (world.result()["state"], world.hung()[1][1]) == ("VALIDATED", AT)
    assert _steps(world)["CIS_PAIR"] == "HELD"
    assert _steps(world)["MDMS_CLOSE"] == "PENDING"


def test_ex11_is_over_where_the_read_date_is_far_away(world: World) -> None:
    start, end = datetime(2026, 3, 3, 5, tzinfo=UTC), datetime(2026, 4, 3, 5, tzinfo=UTC)
    world.cycle(date(2026, 4, 6), start, end)

    world.take(done())

    assert _steps(world)["CIS_PAIR"] == "PENDING"


def test_ex12_a_change_of_customer_on_the_day_needs_times(world: World) -> None:
    midnight = datetime(2026, 3, 2, 5, tzinfo=UTC)
    world.agreement(1, valid_to=midnight + timedelta(hours=12))
    world.agreement(2, valid_to=midnight + timedelta(hours=12))

    world.take(at(midnight), done(2))

    assert (world.result()["state"], _code(world), world.work()) == ("WAITING", "8012", {("8012", "U1")})
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
    assert (_steps(world)["HES_COMMISSION"], world.work()) == ("REFUSED", {("8020", "U1")})

    world.shipped(new(1), has_keys=True, state="INSTALLED")
    world.judge()

    assert (_steps(world)["HES_COMMISSION"], world.work()) == ("PENDING", set())


def test_a_usage_point_that_nobody_knows_is_waited_for(world: World) -> None:
    world.take(done(usage_point="", usage_point_name="NMI7", removed=MeterSeen("O7"), installed=MeterSeen("N1")))
    world.usage_point(7)
    world.meter("OLDCO", "O7")
    world.hang(old(7), "U7")

    world.judge(hours=4)

    assert (world.result(7)["state"], world.hung(7)[-1][0]) == ("VALIDATED", "N1")


def test_a_vacant_premise_is_exchanged_like_any_other(world: World) -> None:
    with world.transaction() as session:
        rows = reference.current(session, AGREEMENT, "agreement", {"A1"})
        reference.replace(session, AGREEMENT, rows, [], now=AT)

    assert world.take(done()).believed == 1


def _code(world: World, number: int = 1) -> str:
    return str(world.result(number)["codes"][0][:4])


def _steps(world: World) -> dict[str, str]:
    (order,) = world.orders()
    with world.transaction() as session:
        rows = rollout_steps.of_orders(session, [order["order_id"]])[order["order_id"]]
    return {row["step"]: row["state"] for row in rows}


def _lies(world: World, point: str, **address: str) -> None:
    from store.reference_masters import SERVICE_LOCATION, USAGE_POINT_LOCATION

    begin = datetime(2025, 1, 1, tzinfo=UTC)
    empty = dict.fromkeys(
        ("street", "number", "suite", "town", "region", "postal_code", "country", "access_method"), ""
    )
    place = {**empty, **address, "location": f"L{point}", "needs_inspection": False}
    span = {"valid_from": begin, "valid_to": None}
    with world.transaction() as session:
        reference.record(session, SERVICE_LOCATION, [{**place, **span}], now=begin)
        lies = {"usage_point": point, "location": f"L{point}", **span}
        reference.record(session, USAGE_POINT_LOCATION, [lies], now=begin)
