"""Readings that come before their master: kept aside, one work item for each owner, filed when a master names it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from canonical.ids import meter_mrid
from canonical.messages import Header, Message, Reply
from canonical.metering import Installation, MeterReadings, Register, RegisterReading, UsagePoint
from canonical.periods import Period
from canonical.quality import Quality
from canonical.reading_types import register_code
from flows import work as people
from flows.billing_exchange import readings_arrived, unowned
from flows.reference import record
from store import readings
from store.session import Transaction

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
SINCE = NOW - timedelta(days=400)
METER = meter_mrid("ACM", "0042")
POINT = UsagePoint("U1", "NMI1", "UTC", "ELECTRICITY", "AMI", SINCE)
HUNG = Installation(
    "U1", METER, "ACM", "0042", "ELECTRICITY", SINCE, None, Decimal(1),
    (Register("T", register_code("ELECTRICITY"), "kWh", "DELIVERED", 6, 0),),
)  # fmt: skip


def told(hub: Transaction, *said: MeterReadings, message: str = "m1") -> Reply:
    with hub() as session:
        return readings_arrived(session, Message(Header(message, "mdms", "created", "MeterReadings"), said), NOW)


def reading(up: str = "", meter: str = "", *, name: str = "", serial: str = "", value: int = 7) -> MeterReadings:
    one = RegisterReading(up, meter, register_code("ELECTRICITY"), NOW, Decimal(value), Quality.VALIDATED, "", "mdms")
    return MeterReadings(up, meter, (one,), usage_point_name=name, serial=serial)


def find(hub: Transaction, *masters: object) -> list[Decimal]:
    """Let masters come, look for owners, and return the values that are then held of U1."""
    with hub() as session:
        record(session, masters, now=NOW)  # type: ignore[arg-type]
    with hub() as session:
        unowned.find_owners(session, now=NOW)
        held = readings.held(session, {"U1"}, Period(NOW, NOW))
    return [each.value for each in held["U1"].registers] if held else []


@pytest.mark.parametrize(
    "said",
    [
        reading("U1", METER), reading("U1", serial="0042"), reading(name="NMI1", serial="0042"), reading(name="NMI1"),
        reading(meter=METER), reading("U1"),
    ],
    ids=["mrids", "serial", "name and serial", "name", "meter", "usage point"],
)  # fmt: skip
def test_whatever_names_them_they_are_filed_once_the_masters_know_it(transaction: Transaction, said: object) -> None:
    assert isinstance(said, MeterReadings)
    assert told(transaction, said).result == "FAILED"
    assert len(people.list_work(transaction=transaction)) == 1

    assert find(transaction) == []
    assert find(transaction, POINT) == []
    assert len(people.list_work(transaction=transaction)) == 1

    assert find(transaction, HUNG) == [Decimal(7)]
    assert people.list_work(transaction=transaction) == []


def test_the_same_stranger_again_is_counted_and_the_later_value_counts(transaction: Transaction) -> None:
    told(transaction, reading("U1", METER))
    told(transaction, reading("U1", METER, value=8), message="m2")

    (item,) = people.list_work(transaction=transaction)
    assert (item["seen"], item["queue"]) == (2, "metering")
    assert find(transaction, POINT, HUNG) == [Decimal(8)]


def test_a_feed_that_knows_nobody_is_one_trouble_of_which_nothing_is_kept(transaction: Transaction) -> None:
    told(transaction, *(reading(f"U{n}", METER) for n in range(unowned.MOST_TOLD + 1)))

    (item,) = people.list_work(transaction=transaction)
    assert item["key"] == "m1"
    assert find(transaction, POINT, HUNG) == []


def test_a_serial_that_hangs_twice_at_the_usage_point_stays_with_a_person(transaction: Transaction) -> None:
    told(transaction, reading("U1", serial="0042"))
    twin = replace(HUNG, meter=meter_mrid("OTHER", "0042"), manufacturer="OTHER", serial="0042")

    assert find(transaction, POINT, HUNG, twin) == []
    assert len(people.list_work(transaction=transaction)) == 1
