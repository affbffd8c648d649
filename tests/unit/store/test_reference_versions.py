"""Masters are kept by version: a changed row is a new version, an unchanged one is nothing."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from canonical.customers import CustomerAgreement, TouCalendar, TouWindow
from canonical.ids import meter_mrid
from canonical.metering import Installation, Register, UsagePoint
from canonical.periods import Period
from flows.reference import record
from store import reference_book
from store.reference import Recorded
from store.session import Transaction

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 7, 1, tzinfo=UTC)
POINT = UsagePoint("U1", "NMI1", "America/Toronto", "ELECTRICITY", "AMI", SINCE)
AGREEMENT = CustomerAgreement("G1", "A1", "U1", "RESIDENTIAL", "R1", "07", "TOU", True, SINCE, None)
METER = Installation(
    "U1", meter_mrid("ACM", "007"), "ACM", "007", "ELECTRICITY", SINCE, None, Decimal("40.00"),
    (Register("T", "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0", "kWh", "DELIVERED", 5, 1, "ON"),),
)  # fmt: skip


def test_a_row_repeated_unchanged_changes_nothing(transaction: Transaction) -> None:
    with transaction() as session:
        first = record(session, [POINT, AGREEMENT, METER], now=NOW)
        again = record(session, [POINT, AGREEMENT, METER], now=NOW + timedelta(days=1))
        kept = reference_book.history(session, "U1")

    assert first == Recorded(inserted=3)
    assert again == Recorded(unchanged=3)
    assert {name: len(rows) for name, rows in kept.items()} == {"usage_point": 1, "agreement": 1, "installation": 1}


def test_a_changed_row_is_a_new_version_and_the_old_one_stays_known(transaction: Transaction) -> None:
    later = NOW + timedelta(days=1)
    with transaction() as session:
        record(session, [METER], now=NOW)
        changed = record(session, [replace(METER, removed_at=NOW)], now=later)
        book = reference_book.open_book(session, {"U1"})
        rows = reference_book.history(session, "U1")["installation"]

    assert changed == Recorded(changed=1)
    assert book.installations["U1"] == (replace(METER, removed_at=NOW),)
    assert [(row["version"], row["known_at"], row["replaced_at"]) for row in rows] == [
        (1, NOW, later),
        (2, later, None),
    ]


def test_what_is_read_back_is_what_the_masters_said(transaction: Transaction) -> None:
    calendar = TouCalendar(
        "TOU",
        3,
        "America/Toronto",
        (
            TouWindow("ALL", time(0), time(0), "OFF"),
            TouWindow("ALL", time(0), time(0), "ON", "SUMMER", "05-01", "09-30"),
        ),
        frozenset({date(2026, 7, 1)}),
    )
    with transaction() as session:
        record(session, [POINT, AGREEMENT, METER, calendar], now=NOW)
        book = reference_book.open_book(session, {"U1"})

    assert book.usage_point_at("U1", NOW) == POINT
    assert book.agreement_in("U1", Period(SINCE, NOW)) == AGREEMENT
    assert book.installations["U1"] == (METER,)
    assert book.calendars["TOU"] == (calendar,)


def test_a_later_valid_time_ends_the_version_before_it(transaction: Transaction) -> None:
    turned = SINCE + timedelta(days=90)
    with transaction() as session:
        record(session, [POINT, replace(POINT, zone="America/Regina", valid_from=turned)], now=NOW)
        book = reference_book.open_book(session, {"U1"})

    before, after = book.usage_point_at("U1", SINCE), book.usage_point_at("U1", turned)
    assert (before and before.zone, after and after.zone) == ("America/Toronto", "America/Regina")
    assert book.usage_point_at("U1", SINCE - timedelta(days=1)) is None
