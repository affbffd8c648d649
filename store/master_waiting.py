"""Master data that cannot be applied or passed on yet: it is tried again, and nothing of it is lost.

waiting -> done            what it needs came
waiting -> parked          all attempts used: it is work for a person, and is still tried when what it needs comes
waiting | parked -> withdrawn
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Index, Table, func, select, update
from sqlmodel import Field, Session, SQLModel

from store.columns import Facts, Instant
from store.conflict import insert_if_new
from store.rows import Row, rows_of

Stage = Literal["apply", "route", "load", "approve"]


class MasterWaiting(SQLModel, table=True):
    """One thing of one message that waits."""

    __tablename__ = "master_waiting"
    __table_args__ = (Index("master_waiting_due", "state", "due_at"),)

    waiting_id: str = Field(primary_key=True)
    stage: str
    """apply: it is not recorded yet. route: it is recorded, but nobody knows to whom it goes. load: the first-time load
    that is open has to end first. approve: it reaches further back than a person let changes do."""
    source: str
    message_id: str
    place: int
    """Which thing of its message, 0 for the first."""
    said: dict[str, Any] = Field(sa_type=Facts)
    """Header and thing as facts."""
    effective_at: datetime = Field(sa_type=Instant)
    order_in_instant: int = 0
    """What ends goes before what begins at the same instant."""
    said_at: str
    state: str = "waiting"
    attempts: int = 0
    due_at: datetime = Field(sa_type=Instant)
    """Business time of the next attempt, as are the next two."""
    first_at: datetime = Field(sa_type=Instant)
    settled_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    code: str = ""
    reason: str = ""


class MasterAwaited(SQLModel, table=True):
    """One id that a waiting thing needs, or speaks of."""

    __tablename__ = "master_awaited"
    __table_args__ = (Index("master_awaited_object", "object_id"),)

    waiting_id: str = Field(primary_key=True, foreign_key="master_waiting.waiting_id")
    object_id: str = Field(primary_key=True)


WAITING: Table = SQLModel.metadata.tables["master_waiting"]
AWAITED: Table = SQLModel.metadata.tables["master_awaited"]
OPEN = ("waiting", "parked")


def add(session: Session, row: MasterWaiting, *, awaited: Collection[str]) -> bool:
    """Let a thing wait until something of `awaited` changes or its time comes; False: it waits already."""
    if insert_if_new(session, MasterWaiting, row.model_dump()) is None:
        return False
    session.add_all(MasterAwaited(waiting_id=row.waiting_id, object_id=name) for name in sorted(set(awaited)))
    session.flush()
    return True


def about(session: Session, object_ids: Collection[str], *, stage: Stage) -> list[Row]:
    """Return what waits and speaks of some ids, in the order in which it is to be applied."""
    if not object_ids:
        return []
    named = select(AWAITED.c.waiting_id).where(AWAITED.c.object_id.in_(sorted(object_ids)))
    query = select(WAITING).where(WAITING.c.waiting_id.in_(named), WAITING.c.state.in_(OPEN), WAITING.c.stage == stage)
    return rows_of(session, _ordered(query))


def due(session: Session, *, now: datetime, limit: int = 500) -> list[Row]:
    """Return what is to be tried again at business time `now`, in order."""
    query = select(WAITING).where(WAITING.c.state == "waiting", WAITING.c.due_at <= now, WAITING.c.stage != "load")
    return rows_of(session, _ordered(query).limit(limit))


def of_stage(session: Session, stage: Stage, *, limit: int) -> list[Row]:
    """Return the next things that wait at a stage, in the order in which they are to be applied."""
    query = select(WAITING).where(WAITING.c.stage == stage, WAITING.c.state == "waiting")
    return rows_of(session, _ordered(query).limit(limit))


def number_of(session: Session, stage: Stage) -> int:
    """Return how many things wait at a stage."""
    query = select(func.count()).where(WAITING.c.stage == stage, WAITING.c.state == "waiting")
    return int(session.execute(query).scalar_one())


def all_due(session: Session, *, now: datetime) -> None:
    """Have everything that waits for other things tried at the next look: much of it may have come at once."""
    waits = (WAITING.c.state == "waiting", WAITING.c.stage != "load", WAITING.c.due_at > now)
    session.execute(update(WAITING).where(*waits).values(due_at=now))


def still_open(session: Session, waiting_id: str) -> bool:
    """Return whether a thing still waits."""
    query = select(WAITING.c.waiting_id).where(WAITING.c.waiting_id == waiting_id, WAITING.c.state.in_(OPEN))
    return bool(rows_of(session, query))


def settle(session: Session, waiting_id: str, *, state: str, now: datetime, code: str = "", reason: str = "") -> None:
    """Say how the wait of a thing ended; of one that is done, what it said is kept in the master and the archive."""
    values: dict[str, Any] = {"state": state, "settled_at": now, "code": code, "reason": reason}
    if state == "done":
        values["said"] = {}
    session.execute(update(WAITING).where(WAITING.c.waiting_id == waiting_id).values(**values))


def postpone(session: Session, waiting_id: str, *, attempts: int, due_at: datetime, code: str, reason: str) -> None:
    """Note an attempt that came too early, and when the next one is."""
    values = {"attempts": attempts, "due_at": due_at, "code": code, "reason": reason}
    session.execute(update(WAITING).where(WAITING.c.waiting_id == waiting_id).values(**values))


def ask(session: Session, waiting_id: str, *, code: str, reason: str) -> None:
    """Let a thing that waited for another wait for a person's approval instead."""
    values = {"stage": "approve", "state": "parked", "code": code, "reason": reason}
    session.execute(update(WAITING).where(WAITING.c.waiting_id == waiting_id).values(**values))


def listed(session: Session) -> list[Row]:
    """Return what waits, parked things included, oldest first."""
    query = select(WAITING).where(WAITING.c.state.in_(OPEN))
    return rows_of(session, query.order_by(WAITING.c.first_at, WAITING.c.waiting_id))


def _ordered(query: Any) -> Any:
    return query.order_by(
        WAITING.c.effective_at, WAITING.c.order_in_instant, WAITING.c.said_at, WAITING.c.message_id, WAITING.c.place
    )
