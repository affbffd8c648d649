"""What completions are compared with, for many at once: last readings, multipliers told, where crews were before."""

from collections.abc import Collection, Iterator
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import select
from sqlmodel import Session

from canonical.periods import Period
from store.master_statements import MASTER_STATEMENT
from store.readings import REGISTER_READING
from store.rollout import RESULT
from store.rows import rows_of

CHUNK = 900
"""Ids that one query names."""


class Value(NamedTuple):
    """What stood on a register."""

    taken_at: datetime
    value: Decimal
    """As its source states it."""

    source: str = ""


Last = dict[str, list[Value]]
"""Readings of one meter at one usage point by reading type, in order of time; estimates and quantities left out."""

_GUESSES = ("ESTIMATED", "FINAL_SUBSTITUTE", "SUBSTITUTED", "PRELIMINARY", "MISSING", "UNUSABLE")


def last_read(session: Session, points: Collection[str], span: Period) -> dict[tuple[str, str], Last]:
    """Return register values of usage points in a span, by (usage point, meter); of one instant the last received."""
    table, found = REGISTER_READING.c, dict[tuple[str, str], Last]()
    columns = (table.usage_point, table.meter, table.reading_type, table.taken_at, table.value, table.source)
    for some in _chunks(points):
        query = select(*columns).where(
            table.usage_point.in_(some), table.taken_at >= span.start, table.taken_at <= span.end,
            table.period_start.is_(None), table.quality.not_in(_GUESSES),
        )  # fmt: skip
        rows = session.execute(query.order_by(table.taken_at, table.row))
        for point, meter, reading_type, taken_at, value, source in rows:
            values = found.setdefault((point, meter), {}).setdefault(reading_type, [])
            if values and values[-1].taken_at == taken_at:
                values.pop()
            values.append(Value(taken_at, Decimal(value), source))
    return found


def told_multipliers(session: Session, meters: Collection[str]) -> dict[str, dict[str, str]]:
    """Return the multiplier that each system told last of meters, by meter and system; who told none is left out."""
    table, found = MASTER_STATEMENT.c, dict[str, dict[str, str]]()
    for some in _chunks(meters):
        query = select(table.object_id, table.system, table.facts).where(
            table.object_id.in_(some), table.kind == "meter", table.how != "we_told", table.disposition != "REJECTED"
        )
        for row in rows_of(session, query.order_by(table.number)):
            told = row["facts"].get("multiplier", "")
            if told not in ("", "0"):
                found.setdefault(row["object_id"], {})[row["system"]] = told
    return found


def places_seen(session: Session, points: Collection[str]) -> dict[str, tuple[Decimal, Decimal]]:
    """Return where crews were that worked at usage points before and were believed: latitude and longitude."""
    table, found = RESULT.c, dict[str, tuple[Decimal, Decimal]]()
    for some in _chunks(points):
        query = select(table.usage_point, table.content).where(
            table.usage_point.in_(some), table.state.in_(("VALIDATED", "REVERSED"))
        )
        for row in rows_of(session, query.order_by(table.effective_at)):
            content = row["content"]
            if "latitude" in content and "longitude" in content:
                place = Decimal(content["latitude"]), Decimal(content["longitude"])
                found.setdefault(row["usage_point"], place)
    return found


def _chunks(values: Collection[str]) -> Iterator[list[str]]:
    ordered = sorted(set(values))
    for start in range(0, len(ordered), CHUNK):
        yield ordered[start : start + CHUNK]
