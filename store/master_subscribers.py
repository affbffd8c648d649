"""How far each subscriber has read the change log of masters, and what it was told of each object and said to it.

due -> awaiting -> synchronized     told, and confirmed
awaiting -> error | cancelled       refused with a code, or withdrawn before it went; `due` again when a person resends
due -> by_hand                      the site has a person for the role, who is told by work
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Index, Table, case, func, or_, select, update
from sqlmodel import Field, Session, SQLModel, col

from store import bulk
from store.columns import BigInteger, Instant
from store.conflict import insert_if_new
from store.deliveries import NOTHING, Delivery
from store.rows import Row, first_of, rows_of

State = Literal["due", "awaiting", "synchronized", "error", "cancelled", "by_hand"]


class MasterCursor(SQLModel, table=True):
    """One subscriber."""

    __tablename__ = "master_cursor"

    subscriber: str = Field(primary_key=True)
    position: int = Field(sa_type=BigInteger)
    """Line of the change log up to which it was told."""

    started_at: datetime = Field(sa_type=Instant)
    """Business time, as are the others."""

    moved_at: datetime = Field(sa_type=Instant)
    file_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    """When its last file was written."""

    files: int = 0
    """CHANGES files so far: the sequence of the last one."""

    full_files: int = 0
    is_full_due: bool = False
    """Whether the next thing that it is told is all that the hub holds."""


class MasterTold(SQLModel, table=True):
    """What a subscriber was told last of one object."""

    __tablename__ = "master_told"
    __table_args__ = (Index("master_told_state", "subscriber", "state"), Index("master_told_telling", "telling"))

    subscriber: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    object_id: str = Field(primary_key=True)
    called: str
    """What answers call it: the id that it bears in messages and files."""

    state: str
    sequence: int = Field(sa_type=BigInteger)
    """Line of the change log that it was told last."""

    telling: str = ""
    """Id that its deliveries are caused by; one file tells many objects by one."""

    times: int = 0
    """How often it was told."""

    is_known: bool = False
    """Whether it has the object: it said it itself, had it before, or confirmed it."""

    told_at: datetime = Field(sa_type=Instant)
    answered_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    code: str = ""
    reason: str = ""


CURSOR: Table = SQLModel.metadata.tables["master_cursor"]
TOLD: Table = SQLModel.metadata.tables["master_told"]
KEY = ("subscriber", "kind", "object_id")


def cursor(session: Session, subscriber: str) -> Row | None:
    """Return how far a subscriber has read; None for one that has not begun."""
    return first_of(session, select(CURSOR).where(CURSOR.c.subscriber == subscriber))


def cursors(session: Session) -> list[Row]:
    """Return every cursor by name."""
    return rows_of(session, select(CURSOR).order_by(CURSOR.c.subscriber))


def begin(session: Session, subscriber: str, *, position: int, full: bool, now: datetime) -> bool:
    """Begin a subscriber behind a line of the log; False: it has begun already."""
    row = MasterCursor(subscriber=subscriber, position=position, started_at=now, moved_at=now, is_full_due=full)
    return insert_if_new(session, MasterCursor, row.model_dump()) is not None


def move(session: Session, subscriber: str, *, old: int, new: int, now: datetime, **values: Any) -> bool:
    """Move a cursor on from where it was read; False: another worker moved it meanwhile, and nothing is changed."""
    mine = (CURSOR.c.subscriber == subscriber, CURSOR.c.position == old)
    done = session.execute(update(CURSOR).where(*mine).values(position=new, moved_at=now, **values))
    return bool(done.rowcount)  # type: ignore[attr-defined]


def slowest(session: Session, subscribers: Collection[str]) -> int | None:
    """Return the lowest position of some subscribers; None where none of them has begun."""
    query = select(func.min(CURSOR.c.position)).where(CURSOR.c.subscriber.in_(sorted(subscribers)))
    found = session.execute(query).scalar_one()
    return None if found is None else int(found)


def told(session: Session, subscriber: str, objects: Collection[tuple[str, str]]) -> dict[tuple[str, str], Row]:
    """Return what a subscriber was told last of some objects, by (kind, id)."""
    if not objects:
        return {}
    ids = sorted({one for _, one in objects})
    query = select(TOLD).where(TOLD.c.subscriber == subscriber, TOLD.c.object_id.in_(ids))
    rows = {(row["kind"], row["object_id"]): row for row in rows_of(session, query)}
    return {key: row for key, row in rows.items() if key in set(objects)}


def note(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep what a subscriber is told of objects, in bulk; what it was told of them before is over."""
    bulk.upsert(session, TOLD, rows, key=KEY)


def due_again(session: Session, subscriber: str, *, limit: int) -> list[Row]:
    """Return the objects that a person wants told again, or that still have to be told, by order of the log."""
    query = select(TOLD).where(TOLD.c.subscriber == subscriber, TOLD.c.state == "due")
    return rows_of(session, query.order_by(TOLD.c.sequence, TOLD.c.kind, TOLD.c.object_id).limit(limit))


def resend(session: Session, subscriber: str, object_id: str) -> int:
    """Have an object told again, whatever became of it; return how many things bear that id."""
    mine = (TOLD.c.subscriber == subscriber, TOLD.c.object_id == object_id)
    return int(session.execute(update(TOLD).where(*mine).values(state="due")).rowcount)  # type: ignore[attr-defined]


def make_due(session: Session, subscriber: str, rows: Sequence[Row]) -> None:
    """Have objects told again, or for the first time, whatever was said of them before; rows as `told` returns them."""
    bulk.upsert(session, TOLD, [{**row, "subscriber": subscriber, "state": "due"} for row in rows], key=KEY)


def follow(session: Session, subscriber: str, *, now: datetime, limit: int) -> int:
    """Bring what is awaited to what became of its deliveries, and return how many objects ended their wait.

    Of several deliveries of one telling all must be confirmed; a parked one is an error until it is replayed.
    """
    settled = _settled(session, subscriber, limit=limit)
    for state, telling, code, reason in settled:
        values = {"state": state, "code": code, "reason": reason, "answered_at": now}
        values |= {"is_known": True} if state == "synchronized" else {}
        mine = (TOLD.c.subscriber == subscriber, TOLD.c.telling == telling, TOLD.c.state != state)
        session.execute(update(TOLD).where(*mine, TOLD.c.state.in_(("awaiting", "error"))).values(**values))
    return len(settled)


def _settled(session: Session, subscriber: str, *, limit: int) -> list[tuple[str, str, str, str]]:
    """Return state, telling, code and reason of tellings whose deliveries are settled and not noted so."""
    d = Delivery
    is_over = (col(d.state) == "confirmed") | ((col(d.state) == "sent") & col(d.confirm_by).is_(None))
    rows = func.count()
    over = func.sum(case((is_over, 1), else_=0))
    parked = func.sum(case((col(d.state) == "parked", 1), else_=0))
    cancelled = func.sum(case((col(d.state) == "cancelled", 1), else_=0))
    query = (
        select(
            TOLD.c.telling, TOLD.c.state, rows.label("rows"), over.label("over"), parked.label("parked"),
            func.max(col(d.code)).label("code"), func.max(col(d.reason)).label("reason"),
        )
        .join(d, (col(d.causation_id) == TOLD.c.telling) & (col(d.causation_id) != NOTHING))
        .where(TOLD.c.subscriber == subscriber, TOLD.c.state.in_(("awaiting", "error")), TOLD.c.telling != "")
        .group_by(TOLD.c.telling, TOLD.c.state)
        .having(((parked > 0) & (TOLD.c.state == "awaiting")) | (over + cancelled == rows))
        .order_by(func.min(TOLD.c.sequence))
        .limit(limit)
    )  # fmt: skip
    return [_verdict(row) for row in rows_of(session, query)]


def _verdict(row: Row) -> tuple[str, str, str, str]:
    """Return what became of one telling that is settled."""
    if row["parked"]:
        return "error", row["telling"], row["code"], row["reason"]
    if row["over"] == row["rows"]:
        return "synchronized", row["telling"], "", ""
    return "cancelled", row["telling"], row["code"], row["reason"]


def answered(
    session: Session,
    subscriber: str,
    telling: str,
    *,
    refused: Mapping[tuple[str, str], tuple[str, str]],
    now: datetime,
) -> None:
    """Note what a subscriber answered to a file: all of it is taken but what is refused, by (kind, called)."""
    mine = (TOLD.c.subscriber == subscriber, TOLD.c.telling == telling)
    bad_ones = [(TOLD.c.kind == kind) & (TOLD.c.called == called) for kind, called in sorted(refused)]
    good = (*mine, ~or_(*bad_ones)) if bad_ones else mine
    values: dict[str, Any] = {"answered_at": now, "state": "synchronized", "code": "", "reason": "", "is_known": True}
    session.execute(update(TOLD).where(*good).values(**values))
    for (kind, called), (code, reason) in sorted(refused.items()):
        bad = {"state": "error", "code": code, "reason": reason, "telling": "", "answered_at": now}
        session.execute(update(TOLD).where(*mine, TOLD.c.kind == kind, TOLD.c.called == called).values(**bad))


def named(
    session: Session, subscriber: str, telling: str, called: Collection[tuple[str, str]]
) -> dict[tuple[str, str], tuple[str, str]]:
    """Return kind and id of the objects of a telling that an answer calls by (kind, name), by what it calls them."""
    if not called:
        return {}
    query = select(TOLD.c.kind, TOLD.c.called, TOLD.c.object_id)
    mine = (TOLD.c.subscriber == subscriber, TOLD.c.telling == telling)
    rows = session.execute(query.where(*mine, TOLD.c.called.in_(sorted({name for _, name in called}))))
    return {(kind, name): (kind, object_id) for kind, name, object_id in rows if (kind, name) in called}


def counts(session: Session) -> list[Row]:
    """Return how many objects of each subscriber are in each state."""
    query = select(TOLD.c.subscriber, TOLD.c.state, func.count().label("number"))
    return rows_of(session, query.group_by(TOLD.c.subscriber, TOLD.c.state).order_by(TOLD.c.subscriber, TOLD.c.state))


def listed(session: Session, subscriber: str, *, states: Collection[str] = (), limit: int = 100) -> list[Row]:
    """Return what a subscriber was told, what is not synchronized first and then the newest."""
    query = select(TOLD).where(TOLD.c.subscriber == subscriber)
    if states:
        query = query.where(TOLD.c.state.in_(sorted(states)))
    fine = case((TOLD.c.state == "synchronized", 1), else_=0)
    return rows_of(session, query.order_by(fine, TOLD.c.sequence.desc(), TOLD.c.object_id).limit(limit))


def of_object(session: Session, object_id: str) -> list[Row]:
    """Return what each subscriber was told last of things of an id."""
    query = select(TOLD).where(TOLD.c.object_id == object_id)
    return rows_of(session, query.order_by(TOLD.c.subscriber, TOLD.c.kind))
