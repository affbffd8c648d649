"""NEM12 and NEM13 records to canonical meter readings, and back (AEMO MDFF; house rules in README.md)."""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from zoneinfo import ZoneInfo

from adapters.mdms_nem.channels import Measured, interval_channel, register_channel
from canonical.codes.file import NEM_FIELD
from canonical.errors import RejectedError
from canonical.messages import Item, Rejection
from canonical.metering import MISSING, IntervalBlock, MeterReadings, RegisterReading
from canonical.periods import Period, start_of_day
from canonical.quality import Quality
from canonical.reading_types import billing_code
from sftp.formats import nem, nem_write
from sftp.formats.nem_index import index_mismatch
from sftp.formats.nem_records import EXACT, Accumulation, Channel, Day, IndexRead, Record

RUN_DAYS = 31
"""Consecutive days of one channel that make one item at most: bounds what is held in memory."""

QUALITIES = {
    "A": Quality.VALIDATED,
    "E": Quality.ESTIMATED,
    "F": Quality.FINAL_SUBSTITUTE,
    "S": Quality.SUBSTITUTED,
    "N": Quality.MISSING,
}
"""First letter of a quality and method code; the whole code is kept beside it."""

Found = Item[MeterReadings] | Rejection


def readings_from_records(records: Iterable[Record], *, zone: ZoneInfo, source: str) -> Iterator[Found]:
    """Yield the meter readings of a file's records in order, or what cannot be said in canonical words.

    One item holds a run of consecutive days of one channel (at most `RUN_DAYS`), or one 250 record. Values are kWh
    (kvarh). Intervals start at midnight of `zone`, which never changes its offset.
    """
    run: list[Day] = []
    for record in records:
        if run and not (isinstance(record, Channel) or _continues(run, record)):
            yield _from_run(run, zone=zone, source=source)
            run = []
        if isinstance(record, Day):
            run.append(record)
        elif isinstance(record, Accumulation):
            yield _from_accumulation(record, zone=zone, source=source)
    if run:
        yield _from_run(run, zone=zone, source=source)


def _continues(run: list[Day], record: Record) -> bool:
    """Return whether a record is the next day of the same channel, told with the same number of decimals."""
    if not isinstance(record, Day) or len(run) == RUN_DAYS:
        return False
    last = run[-1]
    return (
        record.day == last.day + timedelta(days=1)
        and record.exponent == last.exponent
        and _identity(record.channel) == _identity(last.channel)
    )


def _identity(channel: Channel) -> tuple[str, ...]:
    """Return what must be the same for two days to lie in one block."""
    return (channel.nmi, channel.suffix, channel.serial, channel.unit, str(channel.interval_minutes))


def _from_run(days: list[Day], *, zone: ZoneInfo, source: str) -> Found:
    """Return the readings of consecutive days of one channel."""
    first = days[0]
    channel = first.channel
    key = f"{channel.nmi}/{channel.suffix}/{first.day:%Y%m%d}"
    try:
        measured = interval_channel(channel.suffix, channel.unit, channel.interval_minutes)
        block = _block(days, measured, zone=zone, source=source)
    except RejectedError as error:
        return Rejection(first.line, str(error.code), error.reason, key=key)
    readings = MeterReadings("", "", blocks=(block,), usage_point_name=channel.nmi, serial=channel.serial)
    return Item(first.line, key, readings)


def _block(days: list[Day], measured: Measured, *, zone: ZoneInfo, source: str) -> IntervalBlock:
    """Return the block of consecutive days; an interval of quality N has no value, whatever its text."""
    values: array[int] = array("q")
    runs: list[tuple[int, Quality, str]] = []
    for day in days:
        if not isinstance(day.values, array):
            raise RejectedError(f"a value of {day.day} needs more than 64 bits", code=NEM_FIELD)
        start = len(values)
        values.extend(day.values)
        for run in day.runs:
            if run.quality == "N":
                values[start : start + run.count] = array("q", [MISSING]) * run.count
            start += run.count
            _append_run(runs, run.count, run.quality)
    return IntervalBlock(
        *("", "", measured.reading_type, start_of_day(days[0].day, zone)),
        interval_minutes=days[0].channel.interval_minutes,
        exponent=days[0].exponent + measured.power_of_ten,
        values=values,
        qualities=tuple(runs),
        source=source,
    )


def _append_run(runs: list[tuple[int, Quality, str]], count: int, code: str) -> None:
    """Add a quality run, joined to the last one when that has the same code."""
    if runs and runs[-1][2] == code:
        runs[-1] = (runs[-1][0] + count, runs[-1][1], code)
    else:
        runs.append((count, QUALITIES[code[0]], code))


def _from_accumulation(record: Accumulation, *, zone: ZoneInfo, source: str) -> Found:
    """Return the two index reads of a 250, and its quantity, which governs, as a quantity of the span between them."""
    key = f"{record.nmi}/{record.suffix}/{record.previous.read_at}"
    try:
        measured = register_channel(record.suffix, record.unit, record.direction)
        span = Period(_instant(record.previous.read_at, zone), _instant(record.current.read_at, zone))
    except RejectedError as error:
        return Rejection(record.line, str(error.code), error.reason, key=key)
    except ValueError as error:
        return Rejection(record.line, str(NEM_FIELD), f"the reads do not follow each other: {error}", key=key)
    governing = record.previous if record.current.quality == "A" else record.current
    registers = (
        *_index_reading(record.previous, span.start, measured, source),
        *_index_reading(record.current, span.end, measured, source),
        RegisterReading(
            *("", "", billing_code(measured.reading_type), span.end),
            value=EXACT.scaleb(record.quantity, measured.power_of_ten),
            quality=QUALITIES[governing.quality[0]],
            source_quality=f"{record.previous.quality}>{record.current.quality}",
            source=source,
            period=span,
        ),
    )
    remark = index_mismatch(record)
    events = (remark,) if remark else ()
    readings = MeterReadings(
        "", "", registers=registers, events=events, usage_point_name=record.nmi, serial=record.serial
    )
    return Item(record.line, key, readings)


def _index_reading(read: IndexRead, at: datetime, measured: Measured, source: str) -> tuple[RegisterReading, ...]:
    """Return one index read as a snapshot; none when the record gives no index."""
    if not read.read:
        return ()
    value = EXACT.scaleb(Decimal(read.read), measured.power_of_ten)
    quality = QUALITIES[read.quality[0]]
    return (RegisterReading("", "", measured.reading_type, at, value, quality, read.quality, source),)


def _instant(stamp: str, zone: ZoneInfo) -> datetime:
    """Return the instant that `ccyymmddhhmmss` means in the feed's clock."""
    day = start_of_day(date(int(stamp[:4]), int(stamp[4:6]), int(stamp[6:8])), zone)
    return day + timedelta(hours=int(stamp[8:10]), minutes=int(stamp[10:12]), seconds=int(stamp[12:14]))


@dataclass(frozen=True, slots=True)
class Meant:
    """What a sample file says, and what that means."""

    readings: tuple[Found, ...]
    records: tuple[Record, ...]


def golden_read(wire: bytes, name: str) -> Meant:
    """Return what a sample file of a feed with zone Etc/GMT+5 says and means."""
    records = tuple(nem.read(BytesIO(wire), where=name))
    readings = readings_from_records(records, zone=ZoneInfo("Etc/GMT+5"), source="mdms_nem")
    return Meant(tuple(readings), records)


def golden_write(meant: Meant, name: str = "") -> bytes:
    """Return a sample file written back from its records (which say by themselves what `name` would)."""
    out = BytesIO()
    nem_write.write(meant.records, out)
    return out.getvalue()
