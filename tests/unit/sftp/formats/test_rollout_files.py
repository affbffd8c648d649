"""Files of a rollout: what is written is read back the same, in both forms, and what is wrong is said by code."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rollout_worlds import COMPLETIONS, EPOCH, LOTS, METERS, ORDERS, READS, STOPS

from canonical.errors import RejectedError
from canonical.messages import FileIdentity, Item, Rejection
from canonical.rollout import Completion, ManualRead, MeterSeen, ShippedLot, ShippedMeter
from canonical.serials import SerialPolicy
from sftp.formats import completions, field_orders, file_names, manual_reads, route, shipment
from sftp.formats.name_check import check_name
from sftp.layout import Form

pytestmark = pytest.mark.slow

HEADER: dict[str, Any] = {
    "file_id": "F1", "sender": "ACME", "receiver": "AMIHUB", "env": "TEST", "created": EPOCH,
    "business_date": date(2026, 11, 2), "zone": "America/New_York", "sequence": 4, "shipment": "S-1",
    "manufacturer": "ACME", "shipped_at": EPOCH, "order_number": "", "route": "R-1", "extracted_at": EPOCH,
}  # fmt: skip
FORMS = st.sampled_from(["delimited", "fixed"])
AT = datetime(2026, 11, 3, 15, tzinfo=UTC)
DONE = Completion("O1", "U1", "DONE", AT, removed=MeterSeen("1"), installed=MeterSeen("2", "ACME"))
METER = ShippedMeter("ACME", "7", "ELECTRICITY", "M", "", "", Decimal(1), (), "L1", "PASS")


def written(kind: Any, things: Any, form: Form | None = None) -> bytes:
    return b"".join(kind.write(HEADER, things, form=form))


def payloads(kind: Any, data: bytes, **more: Any) -> list[Any]:
    return [one.payload if isinstance(one, Item) else one for one in kind.items(BytesIO(data), **more)]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(LOTS, max_size=2, unique_by=lambda one: one.lot),
    st.lists(METERS, max_size=4, unique_by=lambda one: one.serial),
    FORMS,
)
def test_a_shipment_is_read_back_the_same(lots: list[Any], meters: list[Any], form: Form) -> None:
    data = written(shipment, [*lots, *meters], form)

    assert payloads(shipment, data) == [*lots, *meters]
    facts = shipment.examine(BytesIO(data))
    assert (facts.items, facts.bad_items, facts.header["shipment"]) == (len(lots) + len(meters), 0, "S-1")
    assert written(shipment, payloads(shipment, data), form) == data


@settings(max_examples=40, deadline=None)
@given(st.lists(COMPLETIONS, max_size=4), FORMS)
def test_completions_are_read_back_the_same(told: list[Completion], form: Form) -> None:
    data = written(completions, told, form)

    assert [replace(one, raw="") for one in payloads(completions, data)] == told
    assert completions.examine(BytesIO(data)).items == len(told)


@settings(max_examples=40, deadline=None)
@given(st.lists(ORDERS, max_size=4, unique_by=lambda one: one.order), FORMS)
def test_field_orders_are_read_back_the_same(orders: list[Any], form: Form) -> None:
    assert payloads(field_orders, written(field_orders, orders, form)) == orders


@settings(max_examples=40, deadline=None)
@given(st.lists(STOPS, max_size=4, unique_by=lambda one: one.stop), FORMS)
def test_a_route_is_read_back_the_same(stops: list[Any], form: Form) -> None:
    assert payloads(route, written(route, stops, form)) == stops


@settings(max_examples=40, deadline=None)
@given(st.lists(READS, max_size=4, unique_by=lambda one: (one.usage_point, one.read_at)), FORMS)
def test_manual_reads_are_read_back_the_same(reads: list[ManualRead], form: Form) -> None:
    data = written(manual_reads, reads, form)

    assert payloads(manual_reads, data) == reads
    assert manual_reads.examine(BytesIO(data)).bad_items == 0


def test_a_route_is_of_fixed_width_unless_somebody_asks_for_another_form() -> None:
    lines = written(route, []).decode().splitlines()

    assert lines[0].startswith("HDRroute ")
    assert lines[1] == "TRL" + "0".rjust(9) * 2


@pytest.mark.parametrize("kind", [shipment, completions, manual_reads])
def test_a_file_without_its_trailer_is_refused_whole(kind: Any) -> None:
    things = {shipment: [METER], completions: [DONE]}.get(kind, [])
    data = written(kind, things)
    cut = data[: data.rindex(b"TRL")]

    with pytest.raises(RejectedError, match="TRAILER_MISSING"):
        kind.examine(BytesIO(cut))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"usage_point": ""}, "where it was"), ({"removed": None, "installed": None}, "no meter"),
        ({"outcome": "UNABLE"}, "unable_reason"), ({"latitude": Decimal(91)}, "latitude"),
        ({"multiplier_seen": Decimal(0)}, "multiplier_seen"),
        ({"installed": MeterSeen("1.23E+11", "ACME")}, "scientific"), ({"removed": MeterSeen("12", "ACME")}, "zeros"),
    ],
)  # fmt: skip
def test_a_completion_that_cannot_be_is_rejected_alone(change: dict[str, Any], reason: str) -> None:
    data = written(completions, [DONE, replace(DONE, **change)])

    good, bad = payloads(completions, data, serials=SerialPolicy({"ACME": 4, "": 1}) if reason == "zeros" else
                         SerialPolicy())  # fmt: skip

    assert isinstance(good, Completion) or reason == "zeros"
    assert isinstance(bad, Rejection)
    assert reason in bad.reason


def test_a_serial_that_a_spreadsheet_mangled_is_named_in_every_kind_of_file() -> None:
    policy = SerialPolicy({"ACME": 8})
    read = ManualRead("R-1", "U1", "", MeterSeen("7", "ACME"), "T1", Decimal(5), AT)
    found = [
        *payloads(shipment, written(shipment, [METER]), serials=policy),
        *payloads(completions, written(completions, [DONE]), serials=policy),
        *payloads(manual_reads, written(manual_reads, [read]), serials=policy),
    ]

    assert [one.code for one in found] == ["2008 ID_MANGLED"] * 3


def test_a_rejected_meter_of_a_shipment_comes_without_its_line() -> None:
    keyed = replace(METER, wrapped_key="QUJD" * 8, wrapped_by="kek-1", multiplier=Decimal(0))

    (found,) = shipment.items(BytesIO(written(shipment, [keyed])))

    assert isinstance(found, Rejection)
    assert "QUJD" not in repr(found)


def test_lots_stand_before_meters_and_meters_are_the_sender_s_own() -> None:
    late = written(shipment, [METER, ShippedLot("ACME", "L1", "PASS")])
    foreign = written(shipment, [replace(METER, manufacturer="OTHER")])

    with pytest.raises(RejectedError, match="RECORD_OUT_OF_PLACE"):
        shipment.examine(BytesIO(late))
    assert "a meter of OTHER" in payloads(shipment, foreign)[0].reason


@pytest.mark.parametrize(
    ("name", "kind", "sequence"),
    [
        ("SH_ACME_AMIHUB_TEST_20261102_000004_r0.dat.gz", "shipment", 4),
        ("CR_CREW_AMIHUB_TEST_20261102_000007_r1.dat", "completions", 7),
        ("MR_WALK_AMIHUB_TEST_20261102_000001_r0.dat", "manual_reads", 1),
    ],
)
def test_names_say_what_a_file_is(name: str, kind: str, sequence: int) -> None:
    patterns = {**file_names.SHIPMENT, **file_names.CONTRACTOR, **file_names.ROUTE}

    identity = file_names.identify(name, patterns)

    assert (identity.kind, identity.sequence, identity.business_date) == (kind, sequence, date(2026, 11, 2))


def test_what_the_hub_sends_is_known_by_its_answers_only() -> None:
    for name in ("FO_AMIHUB_CREW_TEST_20261102_0123456789ab", "RX_AMIHUB_CREW_TEST_20261102_000001"):
        patterns = {**file_names.CONTRACTOR, **file_names.ROUTE}
        answer = file_names.identify(f"{name}.ack", patterns)

        assert (answer.kind, answer.sender) == ("acknowledgement", "CREW")
        with pytest.raises(RejectedError, match="UNKNOWN_NAME"):
            file_names.identify(f"{name}.dat", patterns)


def test_a_name_that_says_another_number_than_the_header_refuses_the_file() -> None:
    facts = shipment.examine(BytesIO(written(shipment, [METER])))

    assert check_name(FileIdentity("shipment", "ACME", sequence=4), facts, where="f") is facts
    with pytest.raises(RejectedError, match="NAME_HEADER_DIFFER"):
        check_name(FileIdentity("shipment", "ACME", sequence=5), facts, where="f")
