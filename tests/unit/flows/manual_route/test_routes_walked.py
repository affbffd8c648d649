"""Routes hand out whoever is read by hand; a read of an exchanged meter is stopped and never the new meter's."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from routes_by_hand import Street, day, mrid, read

from flows.manual_route import certified
from store import bulk, rollout_results, route_extracts, work
from store.rollout import ORDER
from store.session import Transaction

MONDAY = date(2026, 11, 2)


@pytest.fixture
def street(transaction: Transaction) -> Street:
    own = Street(transaction)
    for name, house in (("U1", "10"), ("U2", "9"), ("U3", "2b")):
        own.point(name, house=house)
        own.hang(name, f"S{name[1:]}", -100)
    return own


def ordered(street: Street, point: str, old: str, new: str, *, done: float, certified_at: float | None = None) -> None:
    """Add the exchange order of a usage point as the field left it."""
    row: dict[str, Any] = {column.name: "" for column in ORDER.columns} | {"place": 0, "attempts": 1}
    row |= {name: None for name in ("removed_at", "installed_at", "due_at", "done_at", "validated_at", "heard_at",
                                    "commissioned_at", "certified_at", "closed_at")}  # fmt: skip
    row |= {"order_id": f"O-{point}", "usage_point": point, "state": "DONE_IN_FIELD", "old_meter": mrid(old)}
    row |= {"new_meter": mrid(new), "done_at": day(done), "removed_at": day(done)}
    row["certified_at"] = day(certified_at) if certified_at is not None else None
    with street.transaction() as session:
        bulk.upsert(session, ORDER, [row], key=("order_id",))


def stops(street: Street) -> list[str]:
    return [one.usage_point for one in street.sent[-1].stops]


def test_a_route_goes_out_once_for_a_day_in_the_order_of_its_houses(street: Street) -> None:
    street.point("U4", source="AMI")
    street.hang("U4", "S4", -100)

    first, second = street.extract(MONDAY, 0.5), street.extract(MONDAY, 0.6)

    assert (first.sequence, first.stops, first.is_new) == (1, 3, True)
    assert (second.sequence, second.stops, second.is_new) == (1, 3, False)
    assert stops(street) == ["U3", "U2", "U1"]
    assert [one.register for one in street.sent[0].stops[0].registers] == ["TOT"]
    assert len(street.sent) == 1


def test_a_plausible_read_lies_between_the_last_one_and_the_most_that_days_can_add(street: Street) -> None:
    street.knows("U1", "S1", 5000, -29.5)
    street.knows("U2", "S2", 99_000, -29.5)
    street.knows("U3", "S3", 7, -29.5, source="another feed")

    street.extract(MONDAY, 0.5)

    bands = {one.usage_point: (one.expected_low, one.expected_high) for one in street.sent[0].stops}
    # Noon of Monday is thirty-one days behind the read, with 100 kWh on each.
    assert bands["U1"] == (Decimal(5000), Decimal(8100))
    assert bands["U2"] == (None, None)  # it may turn over
    assert bands["U3"] == (None, None)  # whether that feed applies multipliers is not known


def test_reads_are_kept_as_the_meter_shows_them_and_the_stop_is_done(street: Street) -> None:
    street.extract(MONDAY, 0.5)

    said = street.read(read("U1", "S1", 5100, 1.5), read("U2", "S2", None, 1.5), read("U3", "", 77, 1.5, register=""))

    assert [one.verdict for one in said] == ["ACCEPTED"] * 3
    assert street.held("U1") == [(mrid("S1"), Decimal(5100), "MANUAL")]
    assert street.held("U3") == [(mrid("S3"), Decimal(77), "MANUAL")]
    with street.transaction() as session:
        states = {row["usage_point"]: row["state"] for row in route_extracts.of_day(session, "R-7", "2026-11-02")}
    assert states == {"U1": "READ", "U2": "SKIPPED", "U3": "READ"}


@pytest.mark.parametrize("serial", ["S1", ""])
def test_a_read_of_a_meter_that_was_exchanged_after_the_route_went_out_is_stopped_and_named(
    street: Street, serial: str
) -> None:
    street.extract(MONDAY, 0.5)
    street.hang("U1", "S1", -100, 1)
    street.hang("U1", "S9", 1)

    (said,) = street.read(read("U1", serial, 3, 1.5))

    assert (said.verdict, said.code) == ("REJECTED", "8096 ROUTE_STALE")
    assert street.held("U1") == []
    with street.transaction() as session:
        (item,) = work.open_of_code(session, "8096 ROUTE_STALE")
        (stop,) = [row for row in route_extracts.of_points(session, {"U1"})["U1"]]
    assert (item["usage_point"], item["meter"], item["queue"]) == ("U1", mrid("S1"), "rollout")
    assert stop["state"] == "SUPPRESSED"


def test_a_read_at_the_instant_of_the_removal_or_before_is_the_old_meter_s(street: Street) -> None:
    street.extract(MONDAY, 0.5)
    street.hang("U1", "S1", -100, 1)
    street.hang("U1", "S9", 1)

    said = street.read(read("U1", "S1", 5100, 1), read("U1", "S9", 2, 1.5))

    assert [one.verdict for one in said] == ["ACCEPTED", "ACCEPTED"]
    assert street.held("U1") == [(mrid("S1"), Decimal(5100), "MANUAL"), (mrid("S9"), Decimal(2), "MANUAL")]


def test_what_only_the_field_said_so_far_stops_a_read_too(street: Street) -> None:
    street.extract(MONDAY, 0.5)
    ordered(street, "U1", "S1", "S9", done=1)

    (said,) = street.read(read("U1", "S1", 5100, 1.5))

    assert said.code == "8096 ROUTE_STALE"


def test_a_telling_that_nobody_believes_yet_stops_reads_from_the_removal_on_and_not_from_when_it_was_told(
    street: Street,
) -> None:
    street.extract(MONDAY, 0.5)
    content = {"removed_at": day(1).isoformat()}
    blank = {"business_key": "K", "content": content, "source": "crew", "message_id": "M", "state": "HELD"}
    told = {"result_id": "R1", "usage_point": "U1", "removed_serial": "S1", "outcome": "DONE", "told_at": day(3)}
    with street.transaction() as session:
        rollout_results.insert(session, [{**blank, **told, "effective_at": day(1)}])

    before, behind, other = street.read(
        read("U1", "S1", 5100, 0.9), read("U1", "S1", 5101, 1.5), read("U2", "S2", 7, 1.5)
    )

    assert [before.verdict, other.verdict] == ["ACCEPTED", "ACCEPTED"]
    assert behind.code == "8096 ROUTE_STALE"
    assert f"removed at {day(1)}" in behind.reason


def test_a_new_meter_is_walked_to_until_it_is_certified(street: Street) -> None:
    street.hang("U1", "S1", -100, 1)
    street.hang("U1", "S9", 1)
    ordered(street, "U1", "S1", "S9", done=1)
    street.extract(MONDAY + timedelta(days=1), 2)
    before = stops(street)

    ordered(street, "U1", "S1", "S9", done=1, certified_at=3)
    with street.transaction() as session:
        out = certified(session, {"U1"})
    street.extract(MONDAY + timedelta(days=2), 4)

    assert (before, out) == (["U3", "U2", "U1"], 1)
    assert stops(street) == ["U3", "U2"]


def test_a_route_wanted_again_goes_with_a_new_number_and_without_who_left_it(street: Street) -> None:
    street.extract(MONDAY, 0.5)
    street.hang("U1", "S1", -100, 0.7)

    done = street.extract(MONDAY, 0.8, again=True)

    assert (done.sequence, done.stops) == (2, 2)
    with street.transaction() as session:
        states = {row["usage_point"]: row["state"] for row in route_extracts.of_day(session, "R-7", "2026-11-02")}
        listed = route_extracts.listed(session)
    assert states == {"U1": "STALE", "U2": "OUT", "U3": "OUT"}
    assert [(row["sequence"], row["state"], row["stops"]) for row in listed] == [(2, "OUT", 2), (1, "STALE", 1)]


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (read("U1", "S8", 5, 1.5), "not known at"), (read("U1", "", 5, 1.5), "no route asked"),
        (read("U1", "S1", 5, 1.5, register="Z"), "no register"), (read("", "S8", 5, 1.5), "no master names"),
    ],
)  # fmt: skip
def test_a_read_of_nobody_knows_whose_is_rejected_alone(street: Street, one: object, reason: str) -> None:
    good, bad = street.read(read("U2", "S2", 6, 1.5), one)  # type: ignore[arg-type]

    assert good.verdict == "ACCEPTED"
    assert (bad.verdict, bad.code) == ("REJECTED", "2006 READINGS_UNRESOLVED")
    assert reason in bad.reason


def test_a_file_of_reads_taken_again_changes_nothing(street: Street) -> None:
    for _ in range(2):
        street.read(read("U1", "S1", 5100, 1.5))

    assert street.held("U1") == [(mrid("S1"), Decimal(5100), "MANUAL")]


def test_a_route_on_which_nobody_is_read_sends_nothing(street: Street) -> None:
    for serial in ("1", "2", "3"):
        street.hang(f"U{serial}", f"S{serial}", -100, 0.1)

    assert (street.extract(MONDAY, 0.5).stops, street.sent) == (0, [])
