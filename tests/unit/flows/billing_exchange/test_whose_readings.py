"""Readings that name no meter belong to the one that hung there when they were taken, each by itself (I4)."""

from array import array
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from canonical.ids import meter_mrid
from canonical.metering import Installation, IntervalBlock, MeterReadings, RegisterReading, UsagePoint
from canonical.quality import Quality
from canonical.reading_types import interval_code, register_code
from flows.billing_exchange import resolving
from flows.reference import record
from store.session import Transaction

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
EXCHANGE = datetime(2026, 6, 10, 14, tzinfo=UTC)
REMOVED = datetime(2026, 8, 1, tzinfo=UTC)
OLD, NEW = meter_mrid("ACM", "1"), meter_mrid("ACM", "2")


@pytest.fixture
def hub(transaction: Transaction) -> Transaction:
    """A usage point whose first meter was exchanged, and whose second one was taken away."""
    first = Installation("U1", OLD, "ACM", "1", "ELECTRICITY", SINCE, EXCHANGE, Decimal(1), ())
    second = replace(first, meter=NEW, serial="2", installed_at=EXCHANGE + timedelta(hours=1), removed_at=REMOVED)
    with transaction() as session:
        point = UsagePoint("U1", "NMI1", "UTC", "ELECTRICITY", "AMI", SINCE)
        record(session, [point, first, second], now=SINCE)
    return transaction


def meters(hub: Transaction, *instants: datetime) -> list[str] | str:
    """Return the meters of reads at some instants told in one message, or why nobody has them."""
    reads = tuple(
        RegisterReading("", "", register_code("ELECTRICITY"), at, Decimal(n), Quality.VALIDATED, "", "mdms")
        for n, at in enumerate(instants)
    )
    return _resolved(hub, MeterReadings("U1", "", reads))


def _resolved(hub: Transaction, said: MeterReadings) -> list[str] | str:
    with hub() as session:
        found = resolving.resolve(session, [said])
    if found.unresolved:
        return found.unresolved[0][1]
    registers = [one.meter for each in found.readings for one in each.registers]
    return registers + [one.meter for each in found.readings for one in each.blocks]


def test_reads_on_both_sides_of_an_exchange_in_one_message_are_told_apart(hub: Transaction) -> None:
    assert meters(hub, SINCE, EXCHANGE + timedelta(days=1)) == [OLD, NEW]


def test_a_read_on_the_removal_instant_is_the_removed_meters_and_on_the_install_instant_the_new_ones(
    hub: Transaction,
) -> None:
    assert meters(hub, EXCHANGE, EXCHANGE + timedelta(hours=1)) == [OLD, NEW]
    assert meters(hub, REMOVED) == [NEW]


def test_what_nobody_could_have_taken_is_not_given_to_anybody(hub: Transaction) -> None:
    assert "is not known at usage point U1" in meters(hub, EXCHANGE + timedelta(minutes=30))
    assert "is not known at usage point U1" in meters(hub, SINCE, REMOVED + timedelta(days=1))


def test_a_read_on_an_instant_that_two_meters_share_is_not_guessed(hub: Transaction) -> None:
    other = Installation("U1", meter_mrid("ACM", "3"), "ACM", "3", "ELECTRICITY", REMOVED, None, Decimal(1), ())
    with hub() as session:
        record(session, [other], now=SINCE)

    assert "is not known at usage point U1" in meters(hub, REMOVED)
    assert meters(hub, REMOVED + timedelta(hours=1)) == [other.meter]


def test_intervals_belong_to_the_meter_that_hung_during_all_of_them(hub: Transaction) -> None:
    def block(start: datetime) -> MeterReadings:
        values = array("q", [1] * 4)
        one = IntervalBlock("", "", interval_code(15), start, 15, -3, values, ((4, Quality.VALIDATED, ""),), "mdms")
        return MeterReadings("U1", "", (), (one,))

    assert _resolved(hub, block(EXCHANGE - timedelta(hours=1))) == [OLD]
    assert _resolved(hub, block(EXCHANGE + timedelta(hours=1))) == [NEW]
    assert "is not known at usage point U1" in _resolved(hub, block(EXCHANGE - timedelta(minutes=30)))
