"""Routes that were handed to meter readers: one row for each stop, and what became of it."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlmodel import Session

from store import bulk
from store.reference import USAGE_POINT
from store.reference_masters import SERVICE_LOCATION, USAGE_POINT_LOCATION
from store.rollout import ORDER, RESULT, ROUTE_EXTRACT
from store.rows import Row, rows_of

KEY = ("route", "business_date", "usage_point", "meter")
CHUNK = 5000
"""Values that one query names."""

OVER = ("CANCELLED", "REVERSED", "EXCLUDED")
"""States of an order whose exchange is none."""

_UNDECIDED = ("NEW", "WAITING", "HELD")


def usage_points_of(session: Session, route: str) -> list[Row]:
    """Return every version of the usage points that lie, or lay, on a route."""
    mine = select(USAGE_POINT.c.usage_point).where(USAGE_POINT.c.route == route, USAGE_POINT.c.replaced_at.is_(None))
    query = select(USAGE_POINT).where(USAGE_POINT.c.usage_point.in_(mine), USAGE_POINT.c.replaced_at.is_(None))
    return rows_of(session, query.order_by(USAGE_POINT.c.usage_point, USAGE_POINT.c.valid_from))


def routes(session: Session) -> list[str]:
    """Return every route that a usage point lies on now."""
    query = select(USAGE_POINT.c.route).where(USAGE_POINT.c.route != "", USAGE_POINT.c.replaced_at.is_(None))
    return list(session.execute(query.distinct().order_by(USAGE_POINT.c.route)).scalars())


def premises(session: Session, points: Collection[str]) -> dict[str, Row]:
    """Return the premise of some usage points as it is known now; addresses are personal data."""
    where, place = USAGE_POINT_LOCATION, SERVICE_LOCATION
    found: dict[str, Row] = {}
    for some in _chunks(points):
        query = (
            select(where.c.usage_point, place)
            .join(place, place.c.location == where.c.location)
            .where(where.c.usage_point.in_(some), where.c.replaced_at.is_(None), place.c.replaced_at.is_(None))
            .order_by(where.c.valid_from, place.c.valid_from)
        )
        found.update((row["usage_point"], row) for row in rows_of(session, query))
    return found


def orders_of(session: Session, points: Collection[str]) -> dict[str, list[Row]]:
    """Return the exchange orders of some usage points that were done or certified, oldest first."""
    found: dict[str, list[Row]] = {}
    columns = [ORDER.c[n] for n in ("usage_point", "state", "old_meter", "new_meter", "removed_at", "done_at",
                                    "certified_at")]  # fmt: skip
    for some in _chunks(points):
        mine = (ORDER.c.usage_point.in_(some), ORDER.c.done_at.is_not(None), ORDER.c.state.not_in(OVER))
        for row in rows_of(session, select(*columns).where(*mine).order_by(ORDER.c.done_at)):
            found.setdefault(row["usage_point"], []).append(row)
    return found


def removals_told(session: Session, points: Collection[str]) -> dict[str, list[tuple[str, datetime]]]:
    """Return which meters crews say they removed at some usage points, and when, as long as nobody has decided on it.

    A meter is named by its normalized serial, or its mRID where it was told without one.
    """
    found: dict[str, list[tuple[str, datetime]]] = {}
    named = (RESULT.c.usage_point, RESULT.c.removed_serial, RESULT.c.content, RESULT.c.effective_at)
    for some in _chunks(points):
        mine = (RESULT.c.usage_point.in_(some), RESULT.c.outcome == "DONE", RESULT.c.state.in_(_UNDECIDED))
        for row in rows_of(session, select(*named).where(*mine, RESULT.c.removed_serial != "")):
            said = row["content"].get("removed_at")
            at = datetime.fromisoformat(said) if said else row["effective_at"]
            found.setdefault(row["usage_point"], []).append((row["removed_serial"], at))
    return found


def last_sequence(session: Session) -> int:
    """Return the highest number of an extract; 0 before the first."""
    return int(session.execute(select(func.coalesce(func.max(ROUTE_EXTRACT.c.sequence), 0))).scalar_one())


def of_day(session: Session, route: str, business_date: str) -> list[Row]:
    """Return the stops of the extract of one local day (ISO 8601)."""
    mine = (ROUTE_EXTRACT.c.route == route, ROUTE_EXTRACT.c.business_date == business_date)
    return rows_of(session, select(ROUTE_EXTRACT).where(*mine).order_by(ROUTE_EXTRACT.c.usage_point))


def of_points(session: Session, points: Collection[str]) -> dict[str, list[Row]]:
    """Return the stops of some usage points in every extract, the one handed out last first."""
    found: dict[str, list[Row]] = {}
    for some in _chunks(points):
        query = select(ROUTE_EXTRACT).where(ROUTE_EXTRACT.c.usage_point.in_(some))
        for row in rows_of(session, query.order_by(ROUTE_EXTRACT.c.extracted_at.desc(), ROUTE_EXTRACT.c.meter)):
            found.setdefault(row["usage_point"], []).append(row)
    return found


def keep(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep stops that were handed out, or what became of them; all rows have the same columns."""
    bulk.upsert(session, ROUTE_EXTRACT, rows, key=KEY)


def stale(session: Session, points: Collection[str]) -> int:
    """Note that stops of some usage points that are still out need not be read any more, and return how many."""
    number = 0
    for some in _chunks(points):
        mine = (ROUTE_EXTRACT.c.usage_point.in_(some), ROUTE_EXTRACT.c.state == "OUT")
        done = session.execute(update(ROUTE_EXTRACT).where(*mine).values(state="STALE"))
        number += int(done.rowcount)  # type: ignore[attr-defined]
    return number


def listed(session: Session, *, route: str = "", since: datetime | None = None, limit: int = 50) -> list[Row]:
    """Return extracts, newest first, with how many stops are in which state."""
    table = ROUTE_EXTRACT.c
    columns = (table.route, table.business_date, table.sequence, table.extracted_at, table.state)
    query = select(*columns, func.count().label("stops")).group_by(*columns)
    if route:
        query = query.where(table.route == route)
    if since is not None:
        query = query.where(table.extracted_at >= since)
    return rows_of(session, query.order_by(table.sequence.desc(), table.route, table.state).limit(limit))


def _chunks(values: Iterable[str]) -> Iterator[list[str]]:
    """Yield values, each once, as many as one query may name."""
    ordered = sorted(set(values))
    for at in range(0, len(ordered), CHUNK):
        yield ordered[at : at + CHUNK]
