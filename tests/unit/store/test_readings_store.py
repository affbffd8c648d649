"""Readings are kept as received: exact, every version, the latest received one counts."""

from array import array
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canonical.metering import MISSING, IntervalBlock, MeterReadings, RegisterReading
from canonical.periods import Period
from canonical.quality import Quality
from store import readings
from store.session import Transaction

NOW = datetime(2026, 7, 1, 10, tzinfo=UTC)
START = datetime(2026, 6, 1, tzinfo=UTC)
JUNE = Period(START, START + timedelta(days=30))


def _read(value: str, quality: Quality = Quality.VALIDATED) -> MeterReadings:
    reading = RegisterReading("U1", "M1", "1.2", START, Decimal(value), quality, "A", "mdms")
    return MeterReadings("U1", "M1", (reading,))


def _block(values: list[int]) -> MeterReadings:
    runs = ((len(values), Quality.VALIDATED, "A"),)
    return MeterReadings(
        "U1", "M1", blocks=(IntervalBlock("U1", "M1", "1.4", START, 30, -3, array("q", values), runs, "nem"),)
    )


def test_the_same_reading_again_is_not_stored_again(transaction: Transaction) -> None:
    with transaction() as session:
        first = readings.keep(session, [_read("100"), _block([1, 2])], now=NOW)
        again = readings.keep(session, [_read("100"), _block([1, 2])], now=NOW)

    assert (first.inserted, first.changed, first.unchanged) == (2, 0, 0)
    assert (again.inserted, again.changed, again.unchanged, again.touched) == (0, 0, 2, ())


def test_a_changed_reading_is_a_new_version_and_counts(transaction: Transaction) -> None:
    with transaction() as session:
        readings.keep(session, [_read("100", Quality.ESTIMATED), _block([1, 2])], now=NOW)
        stored = readings.keep(session, [_read("101"), _block([1, 3])], now=NOW, origin="file 2")
        held = readings.held(session, {"U1"}, JUNE)["U1"]
        versions = [(row["version"], row["origin"]) for row in readings.origins(session, "U1", JUNE)]

    assert stored.changed == 2
    assert [r.value for r in held.registers] == [Decimal(101)]
    assert [list(b.values) for b in held.blocks] == [[1, 3]]
    assert versions == [(1, ""), (2, "file 2"), (1, ""), (2, "file 2")]


def test_what_is_touched_names_usage_point_and_span(transaction: Transaction) -> None:
    with transaction() as session:
        stored = readings.keep(session, [_read("100"), _block([1, 2])], now=NOW)

    assert stored.touched == (("U1", Period(START, START)), ("U1", Period(START, START + timedelta(hours=1))))


def test_only_readings_that_touch_the_span_are_read(transaction: Transaction) -> None:
    with transaction() as session:
        readings.keep(session, [_read("100"), _block([1, 2])], now=NOW)

        assert readings.held(session, {"U1"}, Period(START + timedelta(hours=1), JUNE.end)) == {}
        assert set(readings.held(session, {"U1", "U2"}, JUNE)) == {"U1"}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(st.one_of(st.just(MISSING), st.integers(-(2**62), 2**62)), min_size=1, max_size=50),
    text=st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**12), max_value=10**12),
)
@pytest.mark.parametrize("source", ["mdms"])
def test_values_come_back_to_the_digit(transaction: Transaction, source: str, values: list[int], text: Decimal) -> None:
    up = f"U{abs(hash((tuple(values), text)))}"
    runs = ((len(values), Quality.RAW, source),)
    block = IntervalBlock(up, "M1", "1.4", START, 30, -3, array("q", values), runs, source)
    reading = RegisterReading(up, "M1", "1.2", START, text, Quality.RAW, "", source, JUNE)
    with transaction() as session:
        readings.keep(session, [MeterReadings(up, "M1", (reading,), (block,))], now=NOW)
        held = readings.held(session, {up}, JUNE)[up]

    assert held.blocks == (block,)
    assert held.registers == (reading,)


def test_why_a_value_was_read_is_kept_and_learning_it_later_is_a_new_version(transaction: Transaction) -> None:
    bare = _read("100")
    reset = replace(bare, registers=(replace(bare.registers[0], reason="demandReset"),))
    with transaction() as session:
        readings.keep(session, [bare], now=NOW)
        stored = readings.keep(session, [reset], now=NOW)
        (held,) = readings.held(session, {"U1"}, JUNE)["U1"].registers

    assert (stored.changed, held.reason) == (1, "demandReset")
