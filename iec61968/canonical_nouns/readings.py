"""Meter readings in canonical words and back; CIM stamps an interval at its END, ours begins at its START."""

from array import array
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.ids import meter_mrid
from canonical.metering import MISSING, IntervalBlock, MeterReadings, RegisterReading
from canonical.periods import Period
from canonical.reading_types import reading_type_from_text
from iec61968.canonical_nouns.interval_blocks import blocks_from_columns
from iec61968.canonical_nouns.quality_marks import marks_of
from iec61968.dialects.quality import quality_of
from iec61968.nouns.columns import NO_VALUE, Block, Identity, MeterReadingColumns, Name, Readings, Span
from iec61968.nouns.scalars import decimal_parts, instant, microseconds, scaled


def readings_from_columns(columns: MeterReadingColumns, *, source: str, where: str = "") -> MeterReadings:
    """Return what one MeterReading says, in canonical words; values stay as stated, raw or calculated.

    Readings without a value are named in `events`.

    Raises:
        RejectedError: a reading type or stamp that cannot be understood, or intervals off their own grid.
    """
    usage_point = columns.usage_point.mrid
    meter, serial = meter_of(columns.meter)
    registers, remarks = _registers(columns.readings, usage_point, meter, source, where)
    blocks = tuple(
        block
        for one in columns.blocks
        for block in blocks_from_columns(one, usage_point=usage_point, meter=meter, source=source, where=where)
    )
    name = next((name.value for name in columns.usage_point.names), "")
    return MeterReadings(usage_point, meter, tuple(registers), blocks, tuple(remarks), name, serial)


def meter_of(identity: Identity) -> tuple[str, str]:
    """Return mRID and serial of a meter: minted from manufacturer and serial, else the mRID that the source gives."""
    for name in identity.names:
        if name.type.lower() in ("serial", "serialnumber"):
            return (meter_mrid(name.authority, name.value) if name.authority else identity.mrid), name.value
    return identity.mrid, ""


def _registers(
    readings: Readings, usage_point: str, meter: str, source: str, where: str
) -> tuple[list[RegisterReading], list[str]]:
    """Return the register readings of a MeterReading, and a remark for each reading without a value."""
    found: list[RegisterReading] = []
    remarks: list[str] = []
    for n, value in enumerate(readings.values):
        code = readings.reading_types[n]
        quality, own = quality_of(readings.qualities[n])
        period = _period(readings.periods[n]) if readings.periods else None
        taken_at = _taken_at(readings.stamps[n], period, f"{where}/Readings[{n + 1}]")
        check_reading_type(code, f"{where}/Readings[{n + 1}]")
        if value == NO_VALUE:
            remarks.append(f"no value of {code} at {taken_at.isoformat()} quality {own or quality.value}")
            continue
        found.append(
            RegisterReading(
                usage_point=usage_point,
                meter=meter,
                reading_type=code,
                taken_at=taken_at,
                value=Decimal(value).scaleb(readings.exponent),
                quality=quality,
                source_quality=own,
                source=source,
                period=_kept(code, period),
                reason=readings.reasons[n] if readings.reasons else "",
            )
        )
    return found, remarks


def _period(span: Span | None) -> Period | None:
    if span is None or NO_VALUE in span or span.end < span.start:
        return None
    return Period(instant(span.start), instant(span.end))


def _kept(code: str, period: Period | None) -> Period | None:
    """Return the period of a quantity of a period; a snapshot of a register has none."""
    kind = reading_type_from_text(code)
    return period if kind.is_billing_quantity or kind.is_demand or kind.fields[3] == 4 else None


def _taken_at(stamp: int, period: Period | None, where: str) -> datetime:
    """Return the instant of a reading: its stamp, else the end of its period."""
    if stamp != NO_VALUE:
        return instant(stamp)
    if period is not None:
        return period.end
    raise RejectedError("a reading has neither timeStamp nor timePeriod", code=codes.BAD_XML_VALUE, where=where)


def check_reading_type(code: str, where: str) -> None:
    """Refuse a reading type that is not 18 numbers.

    Raises:
        RejectedError: it is not.
    """
    try:
        reading_type_from_text(code)
    except ValueError as error:
        raise RejectedError(f"reading type {code!r}: {error}", code=codes.BAD_XML_VALUE, where=where) from error


def columns_from_readings(one: MeterReadings, *, manufacturer: str = "") -> MeterReadingColumns:
    """Return the MeterReading that says this; block starts become the END stamps of CIM, gaps are left out.

    A meter is named by its serial with `manufacturer` where that is known, else by both mRID and serial.
    """
    serials = (Name(one.serial, "serial", manufacturer),) if one.serial else ()
    meter = Identity("" if one.serial and manufacturer else one.meter, serials)
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
        tuple(marks_of(reading.quality, reading.source_quality) for reading in registers),
        tuple(reading.reading_type for reading in registers),
        periods if any(periods) else (),
        tuple(r.reason for r in registers) if any(r.reason for r in registers) else (),
    )


def _block(block: IntervalBlock) -> Block:
    """Return a canonical block as the intervals that the source stated."""
    marks = [(quality, code) for count, quality, code in block.qualities for _ in range(count)]
    first = block.start + timedelta(minutes=block.interval_minutes)
    begin, step = microseconds(first.isoformat()), block.interval_minutes * 60_000_000
    stated = [n for n, value in enumerate(block.values) if value != MISSING or marks[n][1]]
    return Block(
        block.reading_type,
        array("q", (begin + n * step for n in stated)),
        array("q", (NO_VALUE if block.values[n] == MISSING else block.values[n] for n in stated)),
        block.exponent,
        tuple(marks_of(*marks[n]) for n in stated),
    )
