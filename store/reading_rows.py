"""Readings to and from the rows that hold them: a register value each, or a block of packed interval values."""

import json
import sys
from array import array
from datetime import datetime
from decimal import Decimal

from canonical.metering import IntervalBlock, RegisterReading
from canonical.periods import Period
from canonical.quality import Quality
from store.rows import Row


def register_row(up: str, reading: RegisterReading, version: int, now: datetime, origin: str) -> dict[str, object]:
    """Return the row of one register value."""
    return {
        "usage_point": up, "meter": reading.meter, "reading_type": reading.reading_type,
        "taken_at": reading.taken_at, "value": str(reading.value), "quality": str(reading.quality),
        "source_quality": reading.source_quality, "source": reading.source,
        "period_start": reading.period.start if reading.period else None,
        "period_end": reading.period.end if reading.period else None,
        "reason": reading.reason, "version": version, "received_at": now, "origin": origin,
    }  # fmt: skip


def block_row(up: str, block: IntervalBlock, version: int, now: datetime, origin: str) -> dict[str, object]:
    """Return the row of one block."""
    return {
        "usage_point": up, "meter": block.meter, "reading_type": block.reading_type, "starts_at": block.start,
        "ends_at": block.period.end, "interval_minutes": block.interval_minutes, "exponent": block.exponent,
        "packed": _packed(block.values), "qualities": json.dumps([list(run) for run in block.qualities]),
        "source": block.source, "version": version, "received_at": now, "origin": origin,
    }  # fmt: skip


def _packed(values: "array[int]") -> bytes:
    """Return values as little-endian bytes, on every machine."""
    if sys.byteorder == "little":
        return values.tobytes()
    swapped = array("q", values)
    swapped.byteswap()
    return swapped.tobytes()


def reading_of(row: Row) -> RegisterReading:
    """Return the canonical reading of a row."""
    period = Period(row["period_start"], row["period_end"]) if row["period_start"] else None
    return RegisterReading(
        row["usage_point"], row["meter"], row["reading_type"], row["taken_at"], Decimal(row["value"]),
        Quality(row["quality"]), row["source_quality"], row["source"], period, row["reason"],
    )  # fmt: skip


def block_of(row: Row) -> IntervalBlock:
    """Return the canonical block of a row."""
    values = array("q")
    values.frombytes(row["packed"])
    if sys.byteorder != "little":
        values.byteswap()
    runs = tuple((count, Quality(word), code) for count, word, code in json.loads(row["qualities"]))
    return IntervalBlock(
        row["usage_point"], row["meter"], row["reading_type"], row["starts_at"], row["interval_minutes"],
        row["exponent"], values, runs, row["source"],
    )  # fmt: skip
