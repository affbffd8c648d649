"""Items of billing runs in batches: find what is due, load, change state with history, count."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, literal, select, update
from sqlmodel import Session

from canonical.periods import Period
from store import bulk
from store.billing import BILLING_ITEM, ITEM_HISTORY
from store.billing_parts import PART_LINE
from store.columns import Instant
from store.reference import USAGE_POINT
from store.rows import Row, rows_of


@dataclass(frozen=True, slots=True)
class Due:
    """Items of one run and step that are due, between two lines of the request file."""

    run_id: str
    step: str
    first_line: int
    last_line: int
    items: int


@dataclass(frozen=True, slots=True)
class Change:
    """One item's change of state."""

    item_id: str
    path: tuple[str, ...]
    """States from the present one to the new one; two or more."""
    why: str
    by: str = "hub"


def add(session: Session, rows: Sequence[Mapping[str, Any]], *, now: datetime) -> None:
    """Record accepted items with the first line of their history."""
    if not rows:
        return
    bulk.insert(session, BILLING_ITEM, rows)
    changes = [Change(row["item_id"], ("REQUESTED", row["state"]), f"line {row['line']}") for row in rows]
    note(session, changes, now=now)


def due(session: Session, interface: str, *, now: datetime, size: int, limit: int) -> list[Due]:
    """Return what is due now, at most `limit` groups of at most `size` items, in order of run, step and line."""
    table = BILLING_ITEM.c
    rank = func.row_number().over(partition_by=(table.run_id, table.step), order_by=table.line)
    ranked = (
        select(table.run_id, table.step, table.line, ((rank - 1) // size).label("chunk"))
        .where(table.interface == interface, table.next_due_at <= now)
        .subquery()
    )
    grouped = (
        select(ranked.c.run_id, ranked.c.step, func.min(ranked.c.line), func.max(ranked.c.line), func.count())
        .group_by(ranked.c.run_id, ranked.c.step, ranked.c.chunk)
        .order_by(ranked.c.run_id, ranked.c.step, func.min(ranked.c.line))
        .limit(limit)
    )
    return [Due(*row) for row in session.execute(grouped)]


def due_items(session: Session, interface: str, group: Due, *, now: datetime) -> list[Row]:
    """Return the items of a group that are still due, in order of line."""
    table = BILLING_ITEM.c
    query = select(BILLING_ITEM).where(
        table.interface == interface,
        table.run_id == group.run_id,
        table.step == group.step,
        table.line.between(group.first_line, group.last_line),
        table.next_due_at <= now,
    )
    return rows_of(session, query.order_by(table.line))


def by_ids(session: Session, ids: Collection[str]) -> list[Row]:
    """Return items by id, in order of line."""
    query = select(BILLING_ITEM).where(BILLING_ITEM.c.item_id.in_(sorted(ids)))
    return rows_of(session, query.order_by(BILLING_ITEM.c.line)) if ids else []


def by_requests(session: Session, interface: str, requests: Collection[str]) -> dict[str, Row]:
    """Return items of an interface by request id."""
    if not requests:
        return {}
    query = select(BILLING_ITEM).where(
        BILLING_ITEM.c.interface == interface, BILLING_ITEM.c.request_id.in_(sorted(requests))
    )
    return {row["request_id"]: row for row in rows_of(session, query)}


def of_request(session: Session, request_id: str) -> list[Row]:
    """Return the items of a request id over all interfaces."""
    return rows_of(session, select(BILLING_ITEM).where(BILLING_ITEM.c.request_id == request_id))


def of_account(session: Session, account: str) -> list[Row]:
    """Return the items of an account, oldest period first."""
    query = select(BILLING_ITEM).where(BILLING_ITEM.c.account == account)
    return rows_of(session, query.order_by(BILLING_ITEM.c.period_start, BILLING_ITEM.c.line))


def by_determinants(session: Session, determinants: Collection[str]) -> dict[str, Row]:
    """Return items by the id of their determinant."""
    if not determinants:
        return {}
    query = select(BILLING_ITEM).where(BILLING_ITEM.c.determinant_id.in_(sorted(determinants)))
    return {row["determinant_id"]: row for row in rows_of(session, query)}


def of_usage_points(session: Session, usage_points: Collection[str], span: Period | None = None) -> list[Row]:
    """Return items of usage points (whose periods touch a span, ends included), oldest period first."""
    if not usage_points:
        return []
    table = BILLING_ITEM.c
    query = select(BILLING_ITEM).where(table.usage_point.in_(sorted(usage_points)))
    if span is not None:
        query = query.where(table.period_start <= span.end, table.period_end >= span.start)
    return rows_of(session, query.order_by(table.period_start, table.line))


def change(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Set the same columns of many items; each row names them, `item_id` first of all."""
    if not rows:
        return
    columns = [name for name in rows[0] if name != "item_id"]
    statement = (
        update(BILLING_ITEM)
        .where(BILLING_ITEM.c.item_id == bindparam("the_item"))
        .values({name: bindparam(f"new_{name}") for name in columns})
    )
    values = [{"the_item": r["item_id"], **{f"new_{name}": r[name] for name in columns}} for r in rows]
    session.connection().execute(statement, values)


def note(session: Session, changes: Iterable[Change], *, now: datetime) -> None:
    """Append changes of state to the history, one row for each step of each path."""
    rows = [
        {"item_id": c.item_id, "at": now, "from_state": before, "to_state": after, "why": c.why, "by": c.by}
        for c in changes
        for before, after in zip(c.path, c.path[1:], strict=False)
    ]
    bulk.insert(session, ITEM_HISTORY, rows)


def move_part(session: Session, file_id: str, *, before: str, after: str, why: str, by: str, now: datetime) -> None:
    """Move the items of a part from one state to another, with their history, in two statements."""
    inside = select(PART_LINE.c.item_id).where(PART_LINE.c.file_id == file_id)
    mine = (BILLING_ITEM.c.item_id.in_(inside), BILLING_ITEM.c.state == before)
    facts = (BILLING_ITEM.c.item_id, literal(now, Instant), literal(before), literal(after), literal(why), literal(by))
    columns = ["item_id", "at", "from_state", "to_state", "why", "by"]
    session.execute(
        insert(ITEM_HISTORY).from_select(columns, select(*facts).where(*mine).order_by(BILLING_ITEM.c.line))
    )
    session.execute(update(BILLING_ITEM).where(*mine).values(state=after))


def look_again(session: Session, file_id: str, *, now: datetime) -> None:
    """Make the items of a part due whose readings changed while it was on its way."""
    inside = select(PART_LINE.c.item_id).where(PART_LINE.c.file_id == file_id)
    session.execute(
        update(BILLING_ITEM)
        .where(BILLING_ITEM.c.item_id.in_(inside), BILLING_ITEM.c.recheck)
        .values(recheck=False, step="recheck", next_due_at=now)
    )


def recheck_unread(session: Session, district: str, *, step: str, now: datetime) -> int:
    """Make the items of a district due that were answered NO_READ, or are about to be, and return their number."""
    table = BILLING_ITEM.c
    points = select(USAGE_POINT.c.usage_point).where(
        USAGE_POINT.c.district == district, USAGE_POINT.c.replaced_at.is_(None)
    )
    result = session.execute(
        update(BILLING_ITEM)
        .where(table.usage_point.in_(points), table.status == "NO_READ", table.state.in_(("EXPIRED", "ACKED")))
        .values(step=step, next_due_at=now)
    )
    return int(result.rowcount)  # type: ignore[attr-defined]


def outgoing(session: Session, interface: str, *, via: str, run_id: str = "", limit: int = 0) -> list[Row]:
    """Return items with a version to be sent: of one run in order of line, or all in order of period and request."""
    table = BILLING_ITEM.c
    query = select(BILLING_ITEM).where(table.interface == interface, table.via == via)
    if run_id:
        query = query.where(table.run_id == run_id).order_by(table.line)
    else:
        query = query.order_by(table.period_start, table.run_id, table.line)
    return rows_of(session, query.limit(limit) if limit else query)


def runs_with_outgoing(session: Session, interface: str) -> list[str]:
    """Return the runs that have something to be sent."""
    query = select(BILLING_ITEM.c.run_id).where(BILLING_ITEM.c.interface == interface, BILLING_ITEM.c.via == "run")
    return sorted(session.execute(query.distinct()).scalars())


def unanswered(session: Session, run_id: str) -> int:
    """Return how many items of a run have neither an answer nor one on its way."""
    table = BILLING_ITEM.c
    query = select(func.count()).where(table.run_id == run_id, table.answer == "", table.via == "")
    return int(session.execute(query).scalar() or 0)


def something_due(session: Session, run_id: str, *, now: datetime) -> bool:
    """Return whether a run still has items that are due now."""
    table = BILLING_ITEM.c
    query = select(table.item_id).where(table.run_id == run_id, table.next_due_at <= now).limit(1)
    return session.execute(query).first() is not None


def history(session: Session, item_id: str) -> list[Row]:
    """Return the history of one item, in order."""
    query = select(ITEM_HISTORY).where(ITEM_HISTORY.c.item_id == item_id).order_by(ITEM_HISTORY.c.row)
    return rows_of(session, query)


def counts(session: Session, run_id: str) -> list[Row]:
    """Return items and quantity of a run by state, answer, status, code, cycle and unit: one grouped query."""
    table = BILLING_ITEM.c
    keys = (table.state, table.answer, table.status, table.code, table.cycle, table.unit)
    query = select(
        *keys, func.count().label("items"), func.coalesce(func.sum(table.quantity_micro), 0).label("micro")
    ).where(table.run_id == run_id)
    return rows_of(session, query.group_by(*keys).order_by(*keys))


def next_due(session: Session, interface: str) -> datetime | None:
    """Return when the interface next has something due, or None."""
    query = select(func.min(BILLING_ITEM.c.next_due_at)).where(BILLING_ITEM.c.interface == interface)
    found: datetime | None = session.execute(query).scalar()
    return found


def same_period(session: Session, rows: Sequence[Mapping[str, Any]]) -> dict[tuple[object, ...], list[Row]]:
    """Return earlier items of the same usage points and commodity whose periods overlap, by both."""
    found: dict[tuple[object, ...], list[Row]] = {}
    if not rows:
        return found
    table = BILLING_ITEM.c
    query = select(BILLING_ITEM).where(
        table.usage_point.in_(sorted({row["usage_point"] for row in rows})),
        table.period_start < max(row["period_end"] for row in rows),
        table.period_end > min(row["period_start"] for row in rows),
    )
    for item in rows_of(session, query.order_by(table.period_start, table.line)):
        found.setdefault((item["usage_point"], item["commodity"]), []).append(item)
    return found
