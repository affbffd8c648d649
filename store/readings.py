"""Readings as they were received: every version kept, the latest received one counts.

A register value is one row; interval values are one row for each block as the source sent it (a day of a NEM12
file, a span of a web-service answer), packed as little-endian 64-bit integers.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Index, LargeBinary, Table, select, update
from sqlmodel import Field, Session, SQLModel

from canonical.metering import IntervalBlock, MeterReadings, RegisterReading
from canonical.periods import Period
from store import bulk
from store.columns import Instant
from store.reading_rows import block_of, block_row, reading_of, register_row
from store.rows import Row, rows_of


class RegisterReadingRow(SQLModel, table=True):
    """One version of one register value; `value` is decimal text."""

    __tablename__ = "register_reading"
    __table_args__ = (Index("register_reading_at", "usage_point", "taken_at"),)

    row: int | None = Field(default=None, primary_key=True)
    usage_point: str
    meter: str
    reading_type: str
    taken_at: datetime = Field(sa_type=Instant)
    value: str
    quality: str
    source_quality: str
    source: str
    period_start: datetime | None = Field(default=None, sa_type=Instant)
    period_end: datetime | None = Field(default=None, sa_type=Instant)
    reason: str = ""
    version: int
    received_at: datetime = Field(sa_type=Instant)
    origin: str = ""
    """The file or message that brought it."""


class IntervalBlockRow(SQLModel, table=True):
    """One version of one block of interval values."""

    __tablename__ = "interval_block"
    __table_args__ = (Index("interval_block_at", "usage_point", "ends_at"),)

    row: int | None = Field(default=None, primary_key=True)
    usage_point: str
    meter: str
    reading_type: str
    starts_at: datetime = Field(sa_type=Instant)
    ends_at: datetime = Field(sa_type=Instant)
    interval_minutes: int
    exponent: int
    packed: bytes = Field(sa_type=LargeBinary)
    qualities: str
    source: str
    version: int
    received_at: datetime = Field(sa_type=Instant)
    origin: str = ""


REGISTER_READING: Table = SQLModel.metadata.tables["register_reading"]
INTERVAL_BLOCK: Table = SQLModel.metadata.tables["interval_block"]


@dataclass(frozen=True, slots=True)
class Stored:
    """What a batch of readings changed."""

    inserted: int
    changed: int
    unchanged: int
    touched: tuple[tuple[str, Period], ...]
    """Usage point and span of everything new or changed: items that rest on it may have to be calculated again."""


@dataclass(frozen=True, slots=True)
class Held:
    """What is known of one usage point: current versions, in the order in which they were received."""

    registers: tuple[RegisterReading, ...] = ()
    blocks: tuple[IntervalBlock, ...] = ()


def keep(session: Session, readings: Iterable[MeterReadings], *, now: datetime, origin: str = "") -> Stored:
    """Store readings whose usage points are known by mRID; what is already held unchanged is not stored again."""
    registers: dict[tuple[object, ...], RegisterReading] = {}
    blocks: dict[tuple[object, ...], IntervalBlock] = {}
    for one in readings:
        for reading in one.registers:
            registers[_register_key(one.usage_point, reading)] = reading
        for block in one.blocks:
            blocks[_block_key(one.usage_point, block)] = block
    first = _keep_registers(session, registers, now=now, origin=origin)
    second = _keep_blocks(session, blocks, now=now, origin=origin)
    return Stored(
        first.inserted + second.inserted,
        first.changed + second.changed,
        first.unchanged + second.unchanged,
        first.touched + second.touched,
    )


def held(session: Session, usage_points: Collection[str], span: Period) -> dict[str, Held]:
    """Return the current readings of some usage points that touch a span (both ends included), in two queries."""
    if not usage_points:
        return {}
    registers, intervals = registers_held(session, usage_points, span), blocks_held(session, usage_points, span)
    return {
        up: Held(tuple(registers.get(up, ())), tuple(intervals.get(up, ())))
        for up in registers.keys() | intervals.keys()
    }


def registers_held(
    session: Session, usage_points: Collection[str], span: Period
) -> dict[str, Collection[RegisterReading]]:
    """Return the current register values of some usage points in a span (both ends included), in order of receipt."""
    if not usage_points:
        return {}
    table = REGISTER_READING
    query = (
        select(table)
        .where(
            table.c.usage_point.in_(sorted(usage_points)),
            table.c.taken_at >= span.start,
            table.c.taken_at <= span.end,
        )
        .order_by(table.c.row)
    )
    found: dict[str, dict[tuple[object, ...], RegisterReading]] = {}
    for row in rows_of(session, query):
        reading = reading_of(row)
        found.setdefault(row["usage_point"], {})[_register_key(row["usage_point"], reading)] = reading
    return {up: mine.values() for up, mine in found.items()}


def blocks_held(session: Session, usage_points: Collection[str], span: Period) -> dict[str, Collection[IntervalBlock]]:
    """Return the current blocks of some usage points that touch a span, in order of receipt."""
    if not usage_points:
        return {}
    blocks = INTERVAL_BLOCK
    query = (
        select(blocks)
        .where(
            blocks.c.usage_point.in_(sorted(usage_points)),
            blocks.c.ends_at > span.start,
            blocks.c.starts_at < span.end,
        )
        .order_by(blocks.c.row)
    )
    found: dict[str, dict[tuple[object, ...], IntervalBlock]] = {}
    for row in rows_of(session, query):
        block = block_of(row)
        mine = found.setdefault(row["usage_point"], {})
        name = _block_key(row["usage_point"], block)
        mine.pop(name, None)
        mine[name] = block
    return {up: mine.values() for up, mine in found.items()}


def origins(session: Session, usage_point: str, span: Period) -> list[Row]:
    """Return every version of every register value and block of one usage point in a span, for `amihub explain`."""
    table, blocks = REGISTER_READING, INTERVAL_BLOCK
    values = select(table).where(
        table.c.usage_point == usage_point, table.c.taken_at >= span.start, table.c.taken_at <= span.end
    )
    packed = select(blocks).where(
        blocks.c.usage_point == usage_point, blocks.c.ends_at > span.start, blocks.c.starts_at < span.end
    )
    found = rows_of(session, values.order_by(table.c.taken_at, table.c.row))
    return found + rows_of(session, packed.order_by(blocks.c.starts_at, blocks.c.row))


def _register_key(usage_point: str, reading: RegisterReading) -> tuple[object, ...]:
    """Return what names a register value: the same again, with another value, is a new version."""
    return (usage_point, reading.meter, reading.reading_type, reading.taken_at, reading.period, reading.source)


def _block_key(usage_point: str, block: IntervalBlock) -> tuple[object, ...]:
    """Return what names a block."""
    length = len(block.values)
    return (usage_point, block.meter, block.reading_type, block.start, block.interval_minutes, length, block.source)


def _keep_registers(
    session: Session, wanted: dict[tuple[object, ...], RegisterReading], *, now: datetime, origin: str
) -> Stored:
    """Store the register values that are new or differ from the version held."""
    if not wanted:
        return Stored(0, 0, 0, ())
    table = REGISTER_READING
    ups = sorted({str(name[0]) for name in wanted})
    instants = [reading.taken_at for reading in wanted.values()]
    query = select(table).where(
        table.c.usage_point.in_(ups), table.c.taken_at >= min(instants), table.c.taken_at <= max(instants)
    )
    known: dict[tuple[object, ...], tuple[RegisterReading, int]] = {}
    for row in rows_of(session, query.order_by(table.c.row)):
        reading = reading_of(row)
        known[_register_key(row["usage_point"], reading)] = (reading, row["version"])
    rows: list[dict[str, object]] = []
    touched: dict[tuple[str, Period], None] = {}
    changed = 0
    for name, reading in wanted.items():
        old = known.get(name)
        if old is not None and _same_value(old[0], reading):
            continue
        changed += old is not None
        touched[(str(name[0]), reading.period or Period(reading.taken_at, reading.taken_at))] = None
        rows.append(register_row(str(name[0]), reading, old[1] + 1 if old else 1, now, origin))
    bulk.insert(session, table, rows)
    return Stored(len(rows) - changed, changed, len(wanted) - len(rows), tuple(touched))


def _keep_blocks(
    session: Session, wanted: dict[tuple[object, ...], IntervalBlock], *, now: datetime, origin: str
) -> Stored:
    """Store the blocks that are new or differ from the version held."""
    if not wanted:
        return Stored(0, 0, 0, ())
    table = INTERVAL_BLOCK
    ups = sorted({str(name[0]) for name in wanted})
    first, last = min(b.period.start for b in wanted.values()), max(b.period.end for b in wanted.values())
    query = select(table).where(table.c.usage_point.in_(ups), table.c.ends_at > first, table.c.starts_at < last)
    known: dict[tuple[object, ...], tuple[IntervalBlock, int]] = {}
    for row in rows_of(session, query.order_by(table.c.row)):
        block = block_of(row)
        known[_block_key(row["usage_point"], block)] = (block, row["version"])
    rows: list[dict[str, object]] = []
    touched: dict[tuple[str, Period], None] = {}
    changed = 0
    for name, block in wanted.items():
        old = known.get(name)
        if old is not None and _same_block(old[0], block):
            continue
        changed += old is not None
        touched[(str(name[0]), block.period)] = None
        rows.append(block_row(str(name[0]), block, old[1] + 1 if old else 1, now, origin))
    bulk.insert(session, table, rows)
    return Stored(len(rows) - changed, changed, len(wanted) - len(rows), tuple(touched))


def _same_value(old: RegisterReading, new: RegisterReading) -> bool:
    """Return whether two versions say the same."""
    return (old.value, old.quality, old.source_quality, old.reason) == (
        new.value,
        new.quality,
        new.source_quality,
        new.reason,
    )


def _same_block(old: IntervalBlock, new: IntervalBlock) -> bool:
    """Return whether two versions say the same."""
    return (old.exponent, old.values, old.qualities) == (new.exponent, new.values, new.qualities)


def rehome(session: Session, meter: str, usage_point: str, *, since: datetime) -> int:
    """Let the readings of a meter from an instant on belong to the usage point where it really hung (I4).

    A value at the instant is the installed meter's; blocks that begin before stay. Returns how many rows moved.
    """
    values, blocks = REGISTER_READING.c, INTERVAL_BLOCK.c
    moves = (
        (REGISTER_READING, (values.meter == meter, values.usage_point != usage_point, values.taken_at >= since)),
        (INTERVAL_BLOCK, (blocks.meter == meter, blocks.usage_point != usage_point, blocks.starts_at >= since)),
    )
    number = 0
    for table, which in moves:
        done = session.execute(update(table).where(*which).values(usage_point=usage_point))
        number += int(done.rowcount)  # type: ignore[attr-defined]
    return number
