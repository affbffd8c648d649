"""Canonical readings back to what the MDMS would write: the other half of `translate`, for golden cases and tests."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from canonical.metering import MISSING, IntervalBlock, MeterReadings, RegisterReading
from iec61968.nouns.columns import (
    NO_VALUE,
    Block,
    Identity,
    MeterReadingColumns,
    Name,
    QualityMark,
    Readings,
    Span,
)
from iec61968.nouns.meter_readings import readings_to_xml
from iec61968.nouns.scalars import decimal_parts, microseconds, scaled


@dataclass(frozen=True, slots=True)
class Meant:
    """What a sample document means: its readings, and each meter's manufacturer, which readings do not repeat."""

    manufacturers: tuple[str, ...]
    """One for each of `readings`, in order."""

    readings: tuple[MeterReadings, ...]


def written(meant: Meant) -> bytes:
    """Return the MeterReadings document that means this."""
    return readings_to_xml(
        columns_from_readings(one, manufacturer=manufacturer)
        for manufacturer, one in zip(meant.manufacturers, meant.readings, strict=True)
    )


def columns_from_readings(one: MeterReadings, *, manufacturer: str) -> MeterReadingColumns:
    """Return the MeterReading that says this; block starts become the END stamps of CIM, gaps are left out."""
    meter = Identity("", (Name(one.serial, "serial", manufacturer),)) if one.serial else Identity(one.meter)
    names = (Name(one.usage_point_name),) if one.usage_point_name else ()
    return MeterReadingColumns(
        meter,
        Identity(one.usage_point, names),
        tuple(_block(block) for block in one.blocks),
        _readings(one.registers),
    )


def _readings(registers: Sequence[RegisterReading]) -> Readings:
    """Return register readings as columns."""
    values, exponent = scaled([decimal_parts(format(reading.value, "f")) for reading in registers])
    periods = tuple(
        Span(microseconds(r.period.start.isoformat()), microseconds(r.period.end.isoformat())) if r.period else None
        for r in registers
    )
    return Readings(
        array("q", (microseconds(reading.taken_at.isoformat()) for reading in registers)),
        values,
        exponent,
        tuple(_marks(reading.source_quality) for reading in registers),
        tuple(reading.reading_type for reading in registers),
        periods if any(periods) else (),
        tuple(r.reason for r in registers) if any(r.reason for r in registers) else (),
    )


def _block(block: IntervalBlock) -> Block:
    """Return a canonical block as the intervals that the source stated."""
    codes = [code for count, _, code in block.qualities for _ in range(count)]
    first = block.start + timedelta(minutes=block.interval_minutes)
    begin, step = microseconds(first.isoformat()), block.interval_minutes * 60_000_000
    stated = [n for n, value in enumerate(block.values) if value != MISSING or codes[n]]
    return Block(
        block.reading_type,
        array("q", (begin + n * step for n in stated)),
        array("q", (NO_VALUE if block.values[n] == MISSING else block.values[n] for n in stated)),
        block.exponent,
        tuple(_marks(codes[n]) for n in stated),
    )


def _marks(codes: str) -> tuple[QualityMark, ...]:
    return tuple(QualityMark(code) for code in codes.split())


def manufacturers_of(columns: Iterable[MeterReadingColumns]) -> tuple[str, ...]:
    """Return the manufacturer that each MeterReading states for its meter's serial, or an empty string."""
    return tuple(next((n.authority for n in one.meter.names if n.authority), "") for one in columns)
