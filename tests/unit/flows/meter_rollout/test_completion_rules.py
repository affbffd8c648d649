"""Which meters, which place, which configuration: each rule of domain 2.4 stops what it is about, nothing else."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from completion_world import (
    OFF,
    ON,
    World,
    at,
    done,
    new,
    old,
)
from completion_world import T as AT

from canonical.rollout import MeterSeen, RegisterValue
from store import reference
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

    assert (world.code(), world.work()) == ("8001", {("8001", "U1")})
    assert world.hung()[0][2] is None
    assert world.orders()[0]["state"] == "REJECTED"


def test_ex01_nothing_was_removed_where_a_meter_hangs(world: World) -> None:
    world.take(done(removed=None, removed_at=None, final_readings=()))

    assert world.code() == "8001"


def test_ex02_an_unknown_meter_is_waited_for_and_then_a_person_decides(world: World) -> None:
    world.take(done(installed=MeterSeen("NOWHERE")))
    assert (world.result()["state"], world.orders()[0]["state"], world.work()) == ("WAITING", "ON_HOLD", set())

    world.judge(hours=24)

    assert (world.result()["state"], world.work()) == ("HELD", {("8002", "U1")})


def test_ex02_is_over_when_the_meter_is_told_of(world: World) -> None:
    world.take(done(installed=MeterSeen("LATE")))
    world.meter("ACME", "LATE")

    world.judge(minutes=1)

    assert (world.result()["state"], world.hung()[1][0]) == ("VALIDATED", "LATE")


def test_ex02_is_over_when_the_meter_is_told_of_after_everybody_gave_up(world: World) -> None:
    world.take(done(installed=MeterSeen("LATE")))
    world.judge(hours=24)
    assert (world.result()["state"], world.work()) == ("HELD", {("8002", "U1")})

    world.meter("ACME", "LATE")
    world.judge(minutes=1)

    assert (world.result()["state"], world.hung()[1][0], world.work()) == ("VALIDATED", "LATE", set())


def test_ex02_a_serial_of_another_maker_is_looked_at_once_and_goes_on_waiting(world: World) -> None:
    world.take(done(installed=MeterSeen("LATE", "OTHER")))
    world.meter("ACME", "LATE")

    became = world.judge(minutes=1)

    assert (became.waiting, world.result()["state"]) == (1, "WAITING")
    assert world.judge(minutes=1).waiting == 0


def test_ex03_a_meter_hangs_at_another_usage_point_already(world: World) -> None:
    world.hang(new(1), "U9", AT - timedelta(days=1))

    world.take(done())

    assert world.code() == "8003"
    assert "U9" in world.result()["reason"]


def test_ex04_a_serial_of_two_manufacturers_is_nobodys_guess(world: World) -> None:
    world.meter("OTHER", "N1")

    world.take(done())

    assert world.code() == "8004"


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

    assert world.code() == "8005"


def test_ex07_bands_that_the_old_meter_counted_are_missing(world: World) -> None:
    world.meter("OLDCO", "O1", ON, OFF)

    world.take(done(final_readings=(RegisterValue("T1", Decimal(1)), RegisterValue("T2", Decimal(1)))))

    assert world.code() == "8007"


def test_ex07_a_register_was_read_that_the_meter_does_not_have(world: World) -> None:
    world.take(done(first_readings=(RegisterValue("T", Decimal(0)), RegisterValue("X9", Decimal(0)))))

    assert world.code() == "8007"


def test_ex07_another_commodity_is_measured(world: World) -> None:
    world.meter("ACME", "N1", commodity="GAS")

    world.take(done())

    assert world.code() == "8007"


def test_a_usage_point_that_nobody_knows_is_waited_for(world: World) -> None:
    world.take(done(usage_point="", usage_point_name="NMI7", removed=MeterSeen("O7"), installed=MeterSeen("N1")))
    world.usage_point(7)
    world.meter("OLDCO", "O7")
    world.hang(old(7), "U7")

    world.judge(hours=4)

    assert (world.result(7)["state"], world.hung(7)[-1][0]) == ("VALIDATED", "N1")


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
