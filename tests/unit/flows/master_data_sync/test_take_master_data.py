"""Each object of a message is judged by itself; nothing is overwritten, and nothing is linked twice."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from master_data_sync_by_hand import NOW, World, day, link, meter, point, told

from canonical.customers import CustomerAgreement
from canonical.ids import meter_mrid
from canonical.master_data import Link, Meter, MeterExchange
from canonical.metering import RegisterReading
from canonical.periods import Period
from canonical.quality import Quality
from flows.master_data_sync import Policy, take
from flows.reference import record
from store import readings, reference_book, work
from store.session import Transaction


@pytest.fixture
def world(transaction: Transaction) -> World:
    return World(transaction)


def test_a_link_hangs_the_meter_with_its_registers_and_multiplier(world: World) -> None:
    world.all([told(1, "create", point()), told(2, "create", meter(multiplier=Decimal(40)))])

    reply = world.take(told(3, "create", link(), at=5))

    (hung,) = world.hung()["U1"]
    assert reply.result == "OK"
    assert (hung.serial, hung.multiplier, hung.registers, hung.installed_at) == (
        "1",
        Decimal(40),
        meter().registers,
        day(5),
    )


def test_a_link_that_comes_before_its_meter_waits_and_is_applied_once(world: World) -> None:
    first = world.take(told(1, "create", link(), at=5))
    world.take(told(2, "create", point()))
    assert (first.result, first.details, world.waiting()) == ("OK", {"waiting": "1"}, 1)

    world.take(told(3, "create", meter()))
    world.take(told(4, "create", meter()))

    assert (world.spans(), world.waiting()) == ([("1", 5, None)], 0)
    assert [(role, verb, type(things[0]).__name__) for role, verb, things in world.sent] == [
        ("mdms_north", "create", "UsagePoint"),
        ("mdms_north", "create", "Meter"),
        ("mdms_north", "create", "Link"),
    ]


def test_what_waits_in_vain_becomes_work_and_is_still_applied_when_its_meter_comes(world: World) -> None:
    world.policy = Policy(search_interval=timedelta(minutes=1), search_attempts=2)
    world.all([told(1, "create", point()), told(2, "create", link(), at=5)])

    world.advance(NOW + timedelta(minutes=2))
    world.advance(NOW + timedelta(minutes=4))
    with world.transaction() as session:
        (item,) = work.listed(session)
    world.take(told(3, "create", meter()))

    assert item["code"] == "1155 DEP_NOT_FOUND"
    assert world.spans() == [("1", 5, None)]
    with world.transaction() as session:
        assert work.listed(session) == []


def test_at_most_one_active_meter_hangs_at_a_usage_point_and_a_meter_at_one(world: World) -> None:
    world.create(point(), point("U2"), meter(), meter("2"))
    world.take(told(10, "create", link(), at=5))

    other = world.take(told(11, "create", link("2"), at=7))
    elsewhere = world.take(told(12, "create", link("1", "U2"), at=7))
    earlier = world.take(told(13, "create", link("2"), at=1))

    assert [one.code for one in (other, elsewhere, earlier)] == [
        "3010 ALREADY_LINKED", "3010 ALREADY_LINKED", "3012 PERIODS_INTERSECT",
    ]  # fmt: skip
    assert world.spans() == [("1", 5, None)]


def test_two_commodities_hang_at_one_usage_point(world: World) -> None:
    gas = meter("2", commodity="GAS")
    world.create(point(), meter(), gas, link())

    assert world.take(told(9, "create", link("2"), at=3)).result == "OK"


def test_what_is_not_linked_then_is_not_unlinked(world: World) -> None:
    world.create(point(), meter(), link(), at=5)

    early = world.take(told(10, "close", link(), at=3))
    right = world.take(told(11, "close", link(), at=9))
    again = world.take(told(12, "close", link(), at=9))
    other = world.take(told(13, "close", link(), at=8))

    assert [one.code for one in (early, right, again, other)] == ["3011 NOT_LINKED_THEN", "", "", "3013 ALREADY_ENDED"]
    assert again.details == {"duplicate": "1"}


def test_a_bulk_of_objects_is_answered_object_by_object(world: World) -> None:
    reply = world.take(told(1, "create", point("U1"), point("U2"), point("U1", route="R2")))
    refused = world.take(told(2, "close", point("U1"), point("U2"), at=-9))

    assert (reply.result, reply.details) == ("OK", {"applied": "3"})
    assert refused.result == "FAILED"
    assert refused.details["object UsagePoint U2"].startswith("3014 NOT_VALID_THEN: ")


def test_a_name_or_serial_that_stands_for_two_is_refused(world: World) -> None:
    twin = Meter(meter_mrid("OTHER", "1"), "OTHER", "1", "ELECTRICITY", Decimal(1), valid_from=day(0))
    world.create(point(), point("U2", name="NMI-U1"), meter(), twin)

    by_serial = world.take(told(10, "create", Link("U1", serial="1")))
    by_name = world.take(told(11, "create", Link("", meter().meter, usage_point_name="NMI-U1")))

    assert (by_serial.code, by_name.code) == ("2011 OBJECT_AMBIGUOUS", "2011 OBJECT_AMBIGUOUS")


def test_the_same_agreement_by_file_and_by_message_is_one_version(world: World) -> None:
    agreement = CustomerAgreement("G1", "A1", "U1", "RESIDENTIAL", "R1", "07", "", True, day(1), None)
    with world.transaction() as session:
        record(session, [point(), agreement], now=NOW)

    reply = world.take(told(1, "create", agreement, at=1))

    with world.transaction() as session:
        by_file = record(session, [agreement], now=NOW + timedelta(days=1))
        kept = reference_book.history(session, "U1")["agreement"]
    assert (reply.details, len(kept), by_file.unchanged) == ({"duplicate": "1"}, 1, 1)


def test_a_partial_change_keeps_what_it_does_not_state(world: World) -> None:
    world.take(told(1, "create", point(route="R1")))

    world.take(told(2, "change", point(route="R2", district="", name=""), at=0, stated=(frozenset({"route"}),)))

    with world.transaction() as session:
        (version,) = reference_book.open_book(session, {"U1"}).usage_points["U1"]
    assert (version.route, version.district, version.name) == ("R2", "N", "NMI-U1")


def test_a_link_serves_an_agreement_by_a_usage_point(world: World) -> None:
    agreement = CustomerAgreement("G1", "A1", "", "", "R1", "", "", False, day(1), None)
    world.all([told(1, "create", agreement, at=1), told(2, "create", Link("U1", agreement="G1"), at=1)])
    world.take(told(3, "create", point()))

    with world.transaction() as session:
        found = reference_book.open_book(session, {"U1"}).agreements["U1"]
    assert [(one.agreement, one.tariff) for one in found] == [("G1", "R1")]


def test_another_transformer_ratio_parts_the_installation_and_is_taken_back_again(world: World) -> None:
    world.create(point(), meter(), link())

    world.take(told(10, "change", meter(multiplier=Decimal(40), registers=(), valid_from=day(9)), at=9))
    parted = [(one.multiplier, one.installed_at) for one in world.hung()["U1"]]
    world.take(told(11, "change", meter(multiplier=Decimal(1), registers=(), valid_from=day(9)), at=9))

    assert parted == [(Decimal(1), day(0)), (Decimal(40), day(9))]
    assert world.spans() == [("1", 0, None)]


def exchange(final: str = "100.0", **more: Any) -> MeterExchange:
    removed = RegisterReading(
        "", "", meter().registers[0].reading_type, day(9), Decimal(final), next(iter(Quality)), "", "wams"
    )
    work = MeterExchange("U1", meter(), meter("2"), day(9), day(9), (removed,))
    return replace(work, **more)


def test_a_meter_exchange_removes_and_installs_and_keeps_the_final_reading(world: World) -> None:
    world.create(point(), meter(), meter("2"), link())

    first = world.take(told(10, "create", exchange(), at=9, source="wams"))
    again = world.take(told(11, "create", exchange(), at=9, source="wams"))

    assert world.spans() == [("1", 0, 9), ("2", 9, None)]
    assert (first.details, again.details) == ({"applied": "1"}, {"duplicate": "1"})
    with world.transaction() as session:
        held = readings.held(session, ["U1"], Period(day(0), day(20)))["U1"]
    assert [(one.meter, one.value) for one in held.registers] == [(meter().meter, Decimal("100.0"))]


def test_a_meter_exchange_happens_whole_or_not_at_all(world: World) -> None:
    world.create(point(), point("U2"), meter(), meter("2"), link(), link("2", "U2"))

    reply = world.take(told(10, "create", exchange(), at=9, source="wams"))

    assert reply.code == "3010 ALREADY_LINKED"
    assert world.spans() == [("1", 0, None)]


@pytest.mark.parametrize(
    "wrong", [{"installed_at": day(8)}, {"installed": meter()}, {"removed": None, "installed": None}]
)
def test_an_exchange_that_cannot_have_happened_is_refused(world: World, wrong: dict[str, Any]) -> None:
    assert world.take(told(1, "create", exchange(**wrong), at=9)).code == "3016 EXCHANGE_INCOHERENT"


def test_only_the_origin_begins_links(world: World) -> None:
    world.policy = Policy(origins={"link": "cis"}, kinds={"cis_north": "cis", "mdms_north": "mdms"})
    world.create(point(), meter())

    assert world.take(told(10, "create", link(), source="mdms_north")).code == "3015 NOT_THE_ORIGIN"
    assert world.take(told(11, "create", link())).result == "OK"


def test_two_workers_never_hang_two_meters_at_one_usage_point(world: World) -> None:
    world.create(point(), meter(), meter("2"))

    with ThreadPoolExecutor(1) as other:
        with world.transaction() as session:
            routes, encode = world.routes, world.encode
            first = take(session, told(10, "create", link()), policy=Policy(), routes=routes, encode=encode, now=NOW)
            second = other.submit(world.take, told(11, "create", link("2")))
            with pytest.raises(TimeoutError):
                second.result(timeout=0.5)
        reply = second.result(timeout=60)

    assert (first.result, reply.code) == ("OK", "3010 ALREADY_LINKED")


def exchanged(world: World, *links: bool) -> list[tuple[str, str]]:
    """Exchange the meter of U1, then have the CIS link what was exchanged, and return what the MDMS is told."""
    world.create(point(), meter(), meter("2"), link())
    world.sent.clear()
    world.take(told(10, "create", exchange(), at=9, source="wams"))
    for number, _ in enumerate(links):
        world.take(told(20 + number, "close", link(), at=9))
        world.take(told(30 + number, "create", link("2"), at=9))
    return [(verb, type(things[0]).__name__) for role, verb, things in world.sent if role == "mdms_north"]


def test_the_hub_tells_the_links_of_an_exchange_only_where_links_begin_at_it(world: World) -> None:
    world.policy = Policy(origins={"link": "hub"}, kinds={"cis_north": "hub"})

    assert exchanged(world) == [("create", "MeterExchange"), ("close", "Link"), ("create", "Link")]


def test_links_that_the_cis_begins_behind_an_exchange_are_told_on_once(world: World) -> None:
    world.policy = Policy(origins={"link": "cis"}, kinds={"cis_north": "cis"})

    assert exchanged(world, True, True) == [("create", "MeterExchange"), ("close", "Link"), ("create", "Link")]


def test_what_was_taken_back_is_not_brought_back_by_an_older_message(world: World) -> None:
    world.all([told(1, "create", point()), told(5, "delete", point())])

    older = world.take(told(2, "create", point(route="R2")))
    newer = world.take(told(9, "create", point()))

    assert (older.details, newer.details) == ({"superseded": "1"}, {"applied": "1"})
    assert [(role, verb) for role, verb, _ in world.sent] == [
        ("mdms_north", "create"), ("mdms_north", "delete"), ("mdms_north", "create"),
    ]  # fmt: skip
    with world.transaction() as session:
        assert len(reference_book.history(session, "U1")["usage_point"]) == 2
