"""Work items: what a person must do or knows to be open, and every act upon it. Open work is never deleted (I8)."""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Index, Table, Text, select, update
from sqlmodel import Field, Session, SQLModel

from canonical.work import Act, WorkItem
from store import bulk
from store.columns import Exact, Instant
from store.rows import Row, rows_of

OPEN_STATES = ("OPEN", "ASSIGNED", "WAITING")


class WorkItemRow(SQLModel, table=True):
    """One work item; the same code and key again is counted, not doubled."""

    __tablename__ = "work_item"
    __table_args__ = (
        Index("work_item_open", "state", "queue", "due_at"),
        Index("work_item_request", "request_id"),
        Index("work_item_run", "run_id", "state"),
        Index("work_item_usage_point", "usage_point", "state"),
    )

    work_id: str = Field(primary_key=True)
    code: str
    key: str
    queue: str
    summary: str = Field(sa_type=Text)
    suggested: str
    due_at: datetime | None = Field(default=None, sa_type=Instant)
    at_risk_kwh: Decimal = Field(sa_type=Exact)
    unit: str
    usage_point: str
    account: str
    meter: str
    run_id: str
    request_id: str
    state: str
    owner: str = ""
    seen: int = 1
    first_seen_at: datetime = Field(sa_type=Instant)
    last_seen_at: datetime = Field(sa_type=Instant)


class WorkActRow(SQLModel, table=True):
    """One act upon a work item; append-only."""

    __tablename__ = "work_act"
    __table_args__ = (Index("work_act_item", "work_id"),)

    row: int | None = Field(default=None, primary_key=True)
    work_id: str
    at: datetime = Field(sa_type=Instant)
    act: str
    by: str
    reason: str = Field(sa_type=Text)


WORK_ITEM: Table = SQLModel.metadata.tables["work_item"]
WORK_ACT: Table = SQLModel.metadata.tables["work_act"]


def raise_work(session: Session, items: Sequence[WorkItem], *, now: datetime) -> None:
    """Open work items; one that exists is seen again (and opened again when it was resolved)."""
    wanted = {item.work_id: item for item in items}
    if not wanted:
        return
    query = select(WORK_ITEM.c.work_id, WORK_ITEM.c.state, WORK_ITEM.c.seen).where(
        WORK_ITEM.c.work_id.in_(sorted(wanted))
    )
    known = {row["work_id"]: row for row in rows_of(session, query)}
    fresh, acts = [], []
    for name, item in wanted.items():
        old = known.get(name)
        if old is None:
            fresh.append(_row(item, now))
            acts.append(_act(name, "opened", "hub", item.summary, now))
            continue
        state = old["state"] if old["state"] in OPEN_STATES else "OPEN"
        values = {"seen": old["seen"] + 1, "last_seen_at": now, "state": state, "summary": item.summary,
                  "at_risk_kwh": item.at_risk_kwh, "due_at": item.due_at}  # fmt: skip
        session.execute(update(WORK_ITEM).where(WORK_ITEM.c.work_id == name).values(**values))
        acts.append(_act(name, "seen_again", "hub", item.summary, now))
    bulk.upsert(session, WORK_ITEM, fresh, key=("work_id",))  # another worker may open the same at this moment
    bulk.insert(session, WORK_ACT, acts)


def act(
    session: Session,
    names: Collection[str],
    what: Act,
    *,
    state: str,
    by: str,
    reason: str,
    now: datetime,
    owner: str = "",
) -> None:
    """Record an act of a person (or the hub) on work items, and the state that it leads to."""
    if not names:
        return
    values: dict[str, Any] = {"state": state, "last_seen_at": now}
    if owner:
        values["owner"] = owner
    session.execute(update(WORK_ITEM).where(WORK_ITEM.c.work_id.in_(sorted(names))).values(**values))
    bulk.insert(session, WORK_ACT, [_act(name, what, by, reason, now) for name in sorted(names)])


def of_ids(session: Session, names: Collection[str]) -> dict[str, Row]:
    """Return work by its ids, closed work included."""
    if not names:
        return {}
    query = select(WORK_ITEM).where(WORK_ITEM.c.work_id.in_(sorted(names)))
    return {row["work_id"]: row for row in rows_of(session, query)}


def open_of_code(session: Session, code: str) -> list[Row]:
    """Return open work of one code."""
    query = select(WORK_ITEM).where(WORK_ITEM.c.code == code, WORK_ITEM.c.state.in_(OPEN_STATES))
    return rows_of(session, query.order_by(WORK_ITEM.c.work_id))


def open_of_key(session: Session, key: str) -> list[Row]:
    """Return open work about one business key."""
    query = select(WORK_ITEM).where(WORK_ITEM.c.key == key, WORK_ITEM.c.state.in_(OPEN_STATES))
    return rows_of(session, query.order_by(WORK_ITEM.c.work_id))


def open_of_usage_points(session: Session, usage_points: Collection[str]) -> list[Row]:
    """Return open work about some usage points: id, code and usage point, by due time."""
    if not usage_points:
        return []
    table = WORK_ITEM.c
    query = select(table.work_id, table.code, table.usage_point).where(
        table.usage_point.in_(sorted(usage_points)), table.state.in_(OPEN_STATES)
    )
    return rows_of(session, query.order_by(table.due_at, table.work_id))


def open_of_requests(session: Session, requests: Collection[str]) -> list[Row]:
    """Return open work about some request ids."""
    if not requests:
        return []
    query = select(WORK_ITEM).where(WORK_ITEM.c.request_id.in_(sorted(requests)), WORK_ITEM.c.state.in_(OPEN_STATES))
    return rows_of(session, query.order_by(WORK_ITEM.c.work_id))


def of_request(session: Session, request_id: str) -> list[Row]:
    """Return all work about one request id, closed work included."""
    query = select(WORK_ITEM).where(WORK_ITEM.c.request_id == request_id).order_by(WORK_ITEM.c.first_seen_at)
    return rows_of(session, query)


def open_of_run(session: Session, run_id: str) -> list[Row]:
    """Return open work of one run."""
    query = select(WORK_ITEM).where(WORK_ITEM.c.run_id == run_id, WORK_ITEM.c.state.in_(OPEN_STATES))
    return rows_of(session, query.order_by(WORK_ITEM.c.due_at, WORK_ITEM.c.work_id))


def listed(session: Session, *, queue: str = "", state: str = "", limit: int = 200) -> list[Row]:
    """Return work by due time; open work unless a state is named."""
    query = select(WORK_ITEM).where(WORK_ITEM.c.state.in_((state,) if state else OPEN_STATES))
    if queue:
        query = query.where(WORK_ITEM.c.queue == queue)
    return rows_of(session, query.order_by(WORK_ITEM.c.due_at, WORK_ITEM.c.work_id).limit(limit))


def found(session: Session, prefix: str) -> list[Row]:
    """Return work whose id begins with what a person typed."""
    query = select(WORK_ITEM).where(WORK_ITEM.c.work_id.startswith(prefix, autoescape=True))
    return rows_of(session, query.order_by(WORK_ITEM.c.work_id).limit(20))


def acts(session: Session, work_id: str) -> list[Row]:
    """Return every act upon one work item, in order."""
    query = select(WORK_ACT).where(WORK_ACT.c.work_id == work_id).order_by(WORK_ACT.c.row)
    return rows_of(session, query)


def _row(item: WorkItem, now: datetime) -> dict[str, Any]:
    """Return the row of a new work item."""
    return {
        "work_id": item.work_id, "code": item.code, "key": item.key, "queue": item.queue, "summary": item.summary,
        "suggested": item.suggested, "due_at": item.due_at, "at_risk_kwh": item.at_risk_kwh, "unit": item.unit,
        "usage_point": item.usage_point, "account": item.account, "meter": item.meter, "run_id": item.run_id,
        "request_id": item.request_id, "state": "OPEN", "owner": "", "seen": 1, "first_seen_at": now,
        "last_seen_at": now,
    }  # fmt: skip


def _act(work_id: str, what: str, by: str, reason: str, now: datetime) -> dict[str, Any]:
    """Return the row of one act."""
    return {"work_id": work_id, "at": now, "act": what, "by": by, "reason": reason}
