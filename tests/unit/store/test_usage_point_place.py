"""A usage point's district and route are remembered, and a change of them is a new version."""

from dataclasses import replace
from datetime import UTC, datetime

from canonical.metering import UsagePoint
from flows import reference
from store import reference_book
from store.session import Transaction

SINCE, NOW = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
POINT = UsagePoint("U1", "NMI1", "America/Toronto", "ELECTRICITY", "AMI", SINCE, district="NORTH", route="R7")


def test_district_and_route_read_back_and_a_change_counts(transaction: Transaction) -> None:
    for point in (POINT, POINT, replace(POINT, district="SOUTH")):
        with transaction() as session:
            reference.record(session, [point], now=NOW)

    with transaction() as session:
        versions = reference_book.open_book(session, {"U1"}).usage_points["U1"]
    assert versions[-1] == replace(POINT, district="SOUTH")
