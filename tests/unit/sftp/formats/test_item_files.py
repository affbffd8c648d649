"""Requests, reference data and billed extracts: a reader and a writer each, that agree."""

import io
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from canonical.billing import BilledRow, BillingRequestItem
from canonical.customers import BillCycleDay, CustomerAgreement, TouCalendar, TouWindow
from canonical.errors import RejectedError
from canonical.ids import meter_mrid
from canonical.messages import Item, Rejection
from canonical.metering import Installation, Register, UsagePoint
from canonical.periods import Period
from canonical.serials import SerialPolicy
from sftp.formats import billed, billing_request, file_names, reference
from sftp.layout import Form

FORMS: tuple[Form, ...] = ("delimited", "fixed")
SINCE = datetime(2020, 1, 1, 5, tzinfo=UTC)
OCTOBER = Period(datetime(2026, 10, 1, 4, tzinfo=UTC), datetime(2026, 11, 1, 4, tzinfo=UTC))
HEADER: dict[str, Any] = {
    "file_id": "F", "sender": "CISMASS", "receiver": "AMIHUB", "env": "TEST", "created": SINCE,
    "business_date": date(2026, 11, 1), "zone": "America/Toronto", "sequence": 3, "type": "ON", "cycle": "07",
    "kind": "MASTER",
}  # fmt: skip
QUICK = settings(max_examples=40, deadline=None, phases=[Phase.explicit, Phase.generate])

words = st.text("aZ0.-é€", max_size=6)
names = words.filter(bool)
instants = st.integers(1_500_000_000, 1_900_000_000).map(lambda s: datetime.fromtimestamp(s, UTC))
periods = st.tuples(instants, st.integers(1, 10**7)).map(
    lambda t: Period(t[0], datetime.fromtimestamp(t[0].timestamp() + t[1], UTC))
)
numbers = st.integers(-(10**12), 10**12).map(lambda n: Decimal(n).scaleb(-3))
requests = st.builds(
    BillingRequestItem, names, st.sampled_from(["CYCLE", "FINAL", "REBILL"]),
    st.sampled_from(["ELECTRICITY", "GAS", "WATER"]), periods, usage_point=names, agreement=words, account=words,
    manufacturer=words, serial=words, replaces=words, deadline=st.none() | instants,
)  # fmt: skip
rows = st.builds(
    BilledRow, names, st.integers(1, 99), names, periods, numbers,
    st.sampled_from(["BILLED", "CANCELLED", "REBILLED"]), instants, unit=st.sampled_from(["kWh", "m3"]),
)  # fmt: skip


def payloads(found: Any) -> list[Any]:
    return [each.payload for each in found]


@QUICK
@given(st.lists(requests, max_size=4, unique_by=lambda item: item.request_id), st.sampled_from(FORMS))
def test_requests_are_read_back_as_they_were(items: list[BillingRequestItem], form: Form) -> None:
    items = [replace(item, line=n) for n, item in enumerate(items, 2)]

    wire = b"".join(billing_request.write(HEADER, items, form=form))

    assert payloads(billing_request.items(io.BytesIO(wire))) == items


@QUICK
@given(st.lists(rows, max_size=4, unique_by=lambda row: row.determinant_id), st.sampled_from(FORMS))
def test_billed_rows_are_read_back_as_they_were(found: list[BilledRow], form: Form) -> None:
    found = [replace(row, line=n) for n, row in enumerate(found, 2)]

    wire = b"".join(billed.write(HEADER, found, form=form))

    assert payloads(billed.items(io.BytesIO(wire))) == found
    assert billed.examine(io.BytesIO(wire)).totals.get("BIL", Decimal(0)) == sum(row.quantity for row in found)


METER = Installation(
    "u1", meter_mrid("ACME", "007"), "ACME", "007", "ELECTRICITY", SINCE, None, Decimal(40),
    (Register("1", "0.0", "kWh", "DELIVERED", 5, 1, "ON"), Register("D", "0.8", "kW", "DELIVERED", 3, 1, "", 0, True)),
)  # fmt: skip
CALENDAR = TouCalendar(
    "RES", 3, "America/Toronto",
    (TouWindow("ALL", time(0), time(7), "OFF"), TouWindow("ALL", time(7), time(0), "ON")),
    frozenset({date(2026, 12, 25), date(2027, 1, 1)}),
)  # fmt: skip
SUMMER, WINTER = ("SUMMER", "05-01", "09-30"), ("WINTER", "10-01", "04-30")
SEASONS = TouCalendar(
    "SEA", 1, "America/Toronto",
    (
        TouWindow("WEEKDAY", time(0), time(12), "OFF", *SUMMER), TouWindow("WEEKDAY", time(12), time(0), "ON", *SUMMER),
        TouWindow("WEEKDAY", time(0), time(0), "MID", *WINTER), TouWindow("WEEKEND", time(0), time(0), "OFF"),
    ),
)  # fmt: skip
THINGS: list[reference.Reference] = [
    UsagePoint("u1", "41", "America/Winnipeg", "WATER", "AMI", SINCE, None, "NORTH", "R1"),
    CustomerAgreement("a1", "c1", "u1", "RESIDENTIAL", "T", "07", "RES/3", True, SINCE, OCTOBER.end),
    BillCycleDay("07", date(2026, 11, 1), OCTOBER),
    CALENDAR,
    SEASONS,
    METER,
]


def reference_lines(*things: Any) -> list[str]:
    return b"".join(reference.write(HEADER, things)).decode().split("\n")


@pytest.mark.parametrize("form", FORMS)
def test_masters_are_read_back_as_they_were_and_written_again_with_the_same_bytes(form: Form) -> None:
    wire = b"".join(reference.write(HEADER, THINGS, form=form))

    found = list(reference.items(io.BytesIO(wire)))

    assert payloads(found) == THINGS
    assert b"".join(reference.write(HEADER, payloads(found), form=form)) == wire
    assert [each.line for each in found] == sorted(each.line for each in found)


def test_midnight_at_the_end_of_a_day_is_written_24_00() -> None:
    assert "TOU|RES|3|America/Toronto|ALL|07:00|24:00|ON" in reference_lines(CALENDAR)


def test_a_window_of_a_season_names_its_days_of_the_year() -> None:
    assert "SEA|SEA|1|America/Toronto|SUMMER|05-01|09-30|WEEKDAY|12:00|24:00|ON" in reference_lines(SEASONS)


@pytest.mark.parametrize("day", ["13-01", "02-30", "5-1", "MAY-1"])
def test_a_season_that_begins_on_no_day_of_the_year_rejects_its_calendar(day: str) -> None:
    lines = [line.replace("|05-01|", f"|{day}|") for line in reference_lines(SEASONS)]

    found = list(reference.items(io.BytesIO("\n".join(lines).encode())))

    assert not [each for each in found if isinstance(each, Item)]
    assert any(isinstance(each, Rejection) and each.code[5:] == "BAD_FIELD" for each in found)


def test_a_calendar_with_a_bad_row_is_not_given_at_all() -> None:
    lines = reference_lines(CALENDAR)
    lines[2] = lines[2].replace("|07:00|", "|7 a.m.|")

    found = list(reference.items(io.BytesIO("\n".join(lines).encode())))

    assert not [each for each in found if isinstance(each, Item)]
    assert [each.code[5:] for each in found if isinstance(each, Rejection)] == ["BAD_FIELD", "BAD_FIELD"]


def test_a_register_below_another_meter_rejects_the_meter() -> None:
    lines = [line.replace("REG|ACME|007|D", "REG|ACME|008|D") for line in reference_lines(METER)]

    (found,) = reference.items(io.BytesIO("\n".join(lines).encode()))

    assert isinstance(found, Rejection)


@pytest.mark.parametrize(("serial", "policy"), [("1.23E+11", {}), ("4711", {"ACME": 8})])
def test_a_serial_that_a_spreadsheet_mangled_is_rejected(serial: str, policy: dict[str, int]) -> None:
    meter = replace(METER, serial=serial)
    wire = "\n".join(reference_lines(meter)).encode()

    (found,) = reference.items(io.BytesIO(wire), serials=SerialPolicy(policy))

    assert isinstance(found, Rejection)
    assert found.code == "2008 ID_MANGLED"


def test_a_request_that_names_nothing_to_bill_is_rejected() -> None:
    wire = b"".join(billing_request.write(HEADER, [BillingRequestItem("R", "CYCLE", "GAS", OCTOBER, serial="7")]))

    (found,) = billing_request.items(io.BytesIO(wire))

    assert isinstance(found, Rejection)
    assert found.code == "7012 FIELD_MISSING"


def test_a_withdrawal_names_the_request_that_it_withdraws() -> None:
    item = BillingRequestItem("R2", "CANCEL", "ELECTRICITY", billing_request.NO_PERIOD, cancels="R1", line=2)

    wire = b"".join(billing_request.write(HEADER, [item]))

    assert payloads(billing_request.items(io.BytesIO(wire))) == [item]


def test_names_say_kind_sender_date_and_sequence_whatever_wraps_the_file() -> None:
    identity = file_names.identify("BR_CISMASS_AMIHUB_TEST_ON_07_20261101_000012_r0.dat.gz")

    assert (identity.kind, identity.sender, identity.run_type, identity.cycle) == ("request", "CISMASS", "ON", "07")
    assert (identity.business_date, identity.sequence, identity.revision) == (date(2026, 11, 1), 12, 0)
    answer = file_names.identify("BD_AMIHUB_CISMASS_TEST_ON_07_20261101_000012_p01F_r0.nak")
    assert (answer.kind, answer.sender) == ("acknowledgement", "CISMASS")
    assert reference.identify("RF_MDMS_AMIHUB_TEST_METERS_20261101_000001_r0.dat").run_type == "METERS"


@pytest.mark.parametrize("name", ["invoice.pdf", "BR_X_Y_TEST_ON_07_20261301_000001_r0.dat", "BR_X.dat"])
def test_a_name_that_follows_no_pattern_is_refused(name: str) -> None:
    with pytest.raises(RejectedError, match="7026 UNKNOWN_NAME"):
        file_names.identify(name)
