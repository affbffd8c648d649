"""What each message said of each thing is kept, whatever became of it, and what each delivery told."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from master_data_sync_by_hand import World, day, link, meter, point, told

from canonical.customers import CustomerAgreement
from canonical.ids import meter_mrid
from canonical.master_data import Customer, Link, MeterExchange
from store import deliveries, master_statements
from store.session import Transaction

ONE, TWO = meter_mrid("ACME", "1"), meter_mrid("ACME", "2")


def said_of(world: World, point_id: str, *objects: str) -> list[dict[str, Any]]:
    with world.transaction() as session:
        return master_statements.about(session, point_id, objects)


def test_a_statement_that_changes_nothing_is_kept_with_what_became_of_it(transaction: Transaction) -> None:
    world = World(transaction)
    world.create(point(), meter())
    world.take(told(10, "create", meter(), source="mdms_north"))
    world.take(told(11, "create", link("9")))

    (again,) = [row for row in said_of(world, "", ONE) if row["system"] == "mdms_north" and row["how"] == "told_us"]
    (waits,) = [row for row in said_of(world, "U1") if row["kind"] == "installation"]

    assert (again["disposition"], again["facts"]["multiplier"], again["message_id"]) == ("DUPLICATE", "1", "m-10")
    assert "serial_normal" not in again["facts"]
    assert (waits["disposition"], waits["object_id"]) == ("WAITING", f"U1/{meter_mrid('ACME', '9')}")


def test_what_is_refused_is_kept_with_its_code(transaction: Transaction) -> None:
    world = World(transaction)
    world.create(point(), meter("1"), meter("2"), link("1"))
    world.take(told(10, "create", link("2"), at=3, source="mdms_north"))

    (refused,) = [row for row in said_of(world, "U1") if row["message_id"] == "m-10"]

    assert (refused["disposition"], refused["code"]) == ("REJECTED", "3010 ALREADY_LINKED")
    assert refused["said_at"] == datetime(2026, 4, 11, 0, 10, tzinfo=UTC)
    assert refused["facts"] == {"meter": TWO, "usage_point": "U1"}


def test_what_a_delivery_tells_is_kept_with_its_id(transaction: Transaction) -> None:
    world = World(transaction)
    world.create(point())

    (row,) = [row for row in said_of(world, "U1") if row["how"] == "we_told"]
    with transaction() as session:
        delivery = deliveries.find(session, row["delivery_id"])

    assert (row["system"], delivery.destination, row["verb"]) == ("mdms_north", "mdms_north", "create")
    assert row["facts"]["name"] == "NMI-U1"


def test_an_exchange_says_that_one_meter_went_and_another_came(transaction: Transaction) -> None:
    world = World(transaction)
    world.create(point(), meter("1"), meter("2"), link("1"))
    world.take(told(10, "create", MeterExchange("U1", meter("1"), meter("2"), day(9), day(10)), source="wams"))

    rows = [row for row in said_of(world, "U1") if row["system"] == "wams"]

    assert [(row["verb"], row["object_id"], row["valid_from"]) for row in rows] == [
        ("close", f"U1/{ONE}", day(9)),
        ("create", f"U1/{TWO}", day(10)),
    ]


def test_links_of_premises_and_agreements_speak_of_what_they_change(transaction: Transaction) -> None:
    world = World(transaction)
    world.create(point(), CustomerAgreement("G1", "A1", "U1", "RES", "R1", "", "", False, day(0), None))
    world.take(told(10, "create", Link("U1", location="L1"), at=1))
    world.take(told(11, "close", Link("U1", location="L1"), at=2))
    world.take(told(12, "close", Link("U1", agreement="G1"), at=3))

    rows = {row["message_id"]: row for row in said_of(world, "U1") if row["how"] == "told_us"}

    assert (rows["m-10"]["kind"], rows["m-10"]["facts"]) == ("usage_point", {"location": "L1"})
    assert (rows["m-11"]["verb"], rows["m-11"]["facts"]) == ("change", {"location": ""})
    assert (rows["m-12"]["kind"], rows["m-12"]["verb"], rows["m-12"]["facts"]) == ("agreement", "close", {})


def test_only_what_a_change_states_is_kept_as_said(transaction: Transaction) -> None:
    world = World(transaction)
    world.create(meter(), Customer("C1", "residential", "Name", valid_from=day(0)))
    world.take(
        told(
            10,
            "change",
            meter(multiplier=Decimal(40), registers=(), valid_from=day(5)),
            stated=(frozenset({"multiplier"}),),
        )
    )
    world.take(told(11, "delete", Customer("C1", "")))

    rows = {row["message_id"]: row for row in said_of(world, "", ONE, "C1") if row["how"] == "told_us"}

    assert (rows["m-10"]["facts"], rows["m-10"]["valid_from"]) == ({"multiplier": "40"}, day(5))
    assert (rows["m-11"]["kind"], rows["m-11"]["verb"], rows["m-11"]["facts"]) == ("customer", "delete", {})
