"""Completions as the field told them, in bulk: kept, found by exchange, meter or order, judged; never overwritten."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Text, func, or_, select, type_coerce, update
from sqlmodel import Session

from store import bulk
from store.reference import USAGE_POINT
from store.reference_masters import METER
from store.rollout import RESULT
from store.rows import Row, rows_of

CHUNK = 900
"""Values that one statement names."""

BLANK: Mapping[str, Any] = {
    "order_id": "", "removed_serial": "", "installed_serial": "", "removed_meter": "", "installed_meter": "",
    "replaces": "", "waived": [], "codes": [], "reason": "", "tries": 0, "due_at": None, "judged_at": None,
}  # fmt: skip
"""Columns of a completion that whoever inserts it may leave out."""

STANDS = ("NEW", "WAITING", "VALIDATED", "HELD")
"""States of a completion that says something of the world: another one must not say otherwise (EX14)."""

OPEN = ("NEW", "WAITING", "HELD")
"""States of one that is not decided."""


def insert(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add completions whose ids are new; columns that are left out are blank (`BLANK`)."""
    bulk.insert(session, RESULT, [{**BLANK, **row} for row in rows])


def change(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write columns of completions, found by `result_id`; all rows state the same columns."""
    bulk.change(session, RESULT, rows, key="result_id")


def of_ids(session: Session, result_ids: Collection[str]) -> dict[str, Row]:
    """Return completions by id."""
    return {row["result_id"]: row for row in _found(session, RESULT.c.result_id, result_ids)}


def of_keys(session: Session, keys: Collection[str]) -> list[Row]:
    """Return completions by business key, in the order in which they were told."""
    return _found(session, RESULT.c.business_key, keys)


def of_usage_points(session: Session, usage_points: Collection[str]) -> list[Row]:
    """Return completions at usage points, in the order in which they were told."""
    return _found(session, RESULT.c.usage_point, usage_points)


def of_orders(session: Session, order_ids: Collection[str]) -> list[Row]:
    """Return completions of orders, in the order in which they were told."""
    return _found(session, RESULT.c.order_id, order_ids)


def naming(session: Session, serials: Collection[str], *, states: Collection[str] = STANDS) -> list[Row]:
    """Return completions in some states that name one of some normalized serials, as removed or installed."""
    found: dict[str, Row] = {}
    for some in _chunks(serials):
        named = or_(RESULT.c.removed_serial.in_(some), RESULT.c.installed_serial.in_(some))
        for row in rows_of(session, select(RESULT).where(named, RESULT.c.state.in_(sorted(states)))):
            found[row["result_id"]] = row
    return sorted(found.values(), key=_told)


def due(session: Session, *, now: datetime, limit: int) -> list[str]:
    """Return ids of completions to be judged by `now`, new ones and those whose wait is over: earliest effect first."""
    query = select(RESULT.c.result_id).where(RESULT.c.state.in_(("NEW", "WAITING")), RESULT.c.due_at <= now)
    ordered = query.order_by(RESULT.c.effective_at, RESULT.c.result_id).limit(limit)
    return list(session.execute(ordered).scalars())


def wake(
    session: Session,
    *,
    usage_points: Collection[str],
    serials: Collection[str],
    besides: Collection[str],
    never: Collection[str] = (),
    now: datetime,
) -> int:
    """Have undecided completions judged again that speak of what has changed, and return how many.

    An exchange with a code of `never` waits for a person whatever changes; a reversal waits for what it takes back.
    """
    number = 0
    about: tuple[tuple[ColumnElement[str], Collection[str]], ...] = (
        (RESULT.c.usage_point, usage_points),
        (RESULT.c.removed_serial, serials),
        (RESULT.c.installed_serial, serials),
    )
    for column, values in about:
        for some in _chunks([one for one in values if one]):
            held = select(RESULT.c.result_id, RESULT.c.codes, RESULT.c.outcome).where(
                column.in_(some), RESULT.c.state.in_(("HELD", "WAITING"))
            )
            ids = [
                one
                for one, codes, outcome in session.execute(held)
                if one not in besides and (outcome == "REVERSED" or not set(codes) & set(never))
            ]
            for part in _chunks(ids):
                woken = update(RESULT).where(RESULT.c.result_id.in_(part)).values(state="WAITING", due_at=now)
                session.execute(woken)
            number += len(ids)
    return number


def wake_for_masters(session: Session, *, meters: str, points: str, now: datetime) -> int:
    """Have completions judged now that wait, or are held, for something of which a master told since.

    `meters` and `points` are the codes of those whose meter, or usage point, is looked for. Each is judged once for
    what was told: one that finds another maker's meter goes on waiting.
    """
    serial = METER.c.serial_normal == RESULT.c.installed_serial
    place = or_(USAGE_POINT.c.usage_point == RESULT.c.usage_point, USAGE_POINT.c.name == RESULT.c.usage_point)
    number = 0
    for table, code, is_meant in ((METER, meters, serial), (USAGE_POINT, points, place)):
        told = select(table.c.row).where(
            is_meant, table.c.replaced_at.is_(None), table.c.known_at >= RESULT.c.judged_at
        )
        waits = select(RESULT.c.result_id).where(
            RESULT.c.state.in_(("WAITING", "HELD")),
            RESULT.c.judged_at < now,
            or_(RESULT.c.due_at.is_(None), RESULT.c.due_at > now),
            type_coerce(RESULT.c.codes, Text).contains(f'"{code}"'),
            told.exists(),
        )
        ids = list(session.execute(waits).scalars())
        for some in _chunks(ids):
            session.execute(update(RESULT).where(RESULT.c.result_id.in_(some)).values(state="WAITING", due_at=now))
        number += len(ids)
    return number


def counts(session: Session) -> dict[str, int]:
    """Return how many completions are in each state (I5)."""
    query = select(RESULT.c.state, func.count()).group_by(RESULT.c.state)
    return {state: number for state, number in session.execute(query)}


def _found(session: Session, column: ColumnElement[Any], values: Collection[str]) -> list[Row]:
    found: list[Row] = []
    for some in _chunks(values):
        found += rows_of(session, select(RESULT).where(column.in_(some)))
    return sorted(found, key=_told)


def _told(row: Row) -> tuple[datetime, str]:
    return row["told_at"], row["result_id"]


def _chunks(values: Collection[str]) -> Iterator[list[str]]:
    ordered = sorted(set(values))
    for start in range(0, len(ordered), CHUNK):
        yield ordered[start : start + CHUNK]
