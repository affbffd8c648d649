"""Requests that others make of the hub, from received to answered (parent, sub-request, child), and their answers.

RECEIVED -> VALIDATED -> CREATED -> SCHEDULED -> PENDING -> ONGOING -> SUCCESSFUL | PARTIAL_SUCCESS | FAILED
ONGOING <-> WAITING (for the other side), ONGOING <-> PAUSED (for what it depends on)
CREATED -> REJECTED; everything between CREATED and WAITING -> CANCELLED; FAILED | PARTIAL_SUCCESS -> SCHEDULED (retry)
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import LargeBinary, UniqueConstraint, insert, or_
from sqlmodel import Field, Session, SQLModel, col, select

from canonical.ids import mint
from canonical.messages import Header
from canonical.metering import ReadingQuestion
from canonical.periods import Period
from canonical.questions import ReadingsAsked
from store.columns import BigInteger, Instant

State = Literal[
    "RECEIVED", "VALIDATED", "CREATED", "SCHEDULED", "PENDING", "ONGOING", "WAITING", "PAUSED",
    "SUCCESSFUL", "PARTIAL_SUCCESS", "FAILED", "REJECTED", "CANCELLED",
]  # fmt: skip
FINAL: tuple[State, ...] = ("SUCCESSFUL", "PARTIAL_SUCCESS", "FAILED", "REJECTED", "CANCELLED")
OPEN: tuple[State, ...] = ("CREATED", "SCHEDULED", "PENDING", "PAUSED", "WAITING")
"""States in which a request can still be withdrawn; one that is ONGOING is being carried out at this moment."""

_ENDS: tuple[State, ...] = ("SUCCESSFUL", "PARTIAL_SUCCESS", "FAILED")
NEXT: Mapping[State, tuple[State, ...]] = {
    "RECEIVED": ("VALIDATED",),
    "VALIDATED": ("CREATED",),
    "CREATED": ("SCHEDULED", "REJECTED", "CANCELLED"),
    "SCHEDULED": ("PENDING", "CANCELLED", *_ENDS),
    "PENDING": ("ONGOING", "CANCELLED", *_ENDS),
    "ONGOING": ("WAITING", "PAUSED", "CANCELLED", *_ENDS),
    "WAITING": ("ONGOING", "CANCELLED", *_ENDS),
    "PAUSED": ("ONGOING", "CANCELLED", *_ENDS),
    "FAILED": ("SCHEDULED",),
    "PARTIAL_SUCCESS": ("SCHEDULED",),
}
"""What may follow each state; a deadline ends whatever was not carried out."""


class ServiceRequest(SQLModel, table=True):
    """One request, or a part of one."""

    __tablename__ = "service_request"
    __table_args__ = (UniqueConstraint("parent", "position"),)

    request_id: str = Field(primary_key=True)
    parent: str | None = Field(default=None, foreign_key="service_request.request_id", nullable=True)
    position: int = 0
    level: str
    """parent, sub, child."""
    source: str = Field(default="", index=True)
    message_id: str = ""
    correlation_id: str = Field(default="", index=True)
    noun: str = ""
    object_id: str = ""
    """With a child: the usage point."""
    starts_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    """With a sub-request: the span asked for, as the next one."""
    ends_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    purpose: str = ""
    fresh: bool = False
    state: str = Field(index=True)
    code: str = ""
    reason: str = ""
    reply_to: str = ""
    """Destination of an asynchronous answer; empty where the caller waits."""
    received_at: datetime = Field(sa_type=Instant)
    """Business time, as are the next two."""
    deadline: datetime = Field(sa_type=Instant)
    settled_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    leased_until: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    """Machine time until which one worker holds it."""


class RequestAnswer(SQLModel, table=True):
    """An answer to a request: the first one counts, a late one is kept and marked."""

    __tablename__ = "request_answer"

    number: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    request_id: str = Field(foreign_key="service_request.request_id", index=True)
    at: datetime = Field(sa_type=Instant)
    late: bool = False
    body: bytes = Field(sa_type=LargeBinary)


@dataclass(frozen=True, slots=True)
class Taken:
    """A request whose turn it is, as its worker needs it."""

    request_id: str
    header: Header
    questions: tuple[ReadingQuestion, ...]
    reply_to: str
    received_at: datetime
    deadline: datetime


def open_request(session: Session, header: Header, asked: ReadingsAsked, *, deadline: datetime, now: datetime) -> str:
    """Keep a request with a sub-request for each span and a child for each usage point; return its id."""
    request_id = mint("request", header.source, header.message_id)
    parent = {
        "request_id": request_id, "level": "parent", "source": header.source, "message_id": header.message_id,
        "correlation_id": header.correlation_id, "noun": header.noun, "state": "SCHEDULED",
        "reply_to": asked.reply_to, "received_at": now, "deadline": deadline,
    }  # fmt: skip
    _insert(session, [parent])
    insert_parts(session, request_id, asked.questions, deadline=deadline, now=now)
    return request_id


def insert_parts(
    session: Session, request_id: str, questions: Sequence[ReadingQuestion], *, deadline: datetime, now: datetime
) -> None:
    """Keep sub-requests and children of a request."""
    spans = dict.fromkeys((q.period, q.reason, q.fresh) for q in questions)
    subs, children = [], []
    for number, (period, purpose, fresh) in enumerate(spans, 1):
        sub_id = mint("sub-request", request_id, period.start, period.end, purpose, str(fresh))
        common = {"state": "SCHEDULED", "received_at": now, "deadline": deadline}
        subs.append(
            {"request_id": sub_id, "parent": request_id, "position": number, "level": "sub", "starts_at": period.start}
            | {"ends_at": period.end, "purpose": purpose, "fresh": fresh, **common}
        )
        mine = dict.fromkeys(
            q.usage_point for q in questions if (q.period, q.reason, q.fresh) == (period, purpose, fresh)
        )
        children += [
            {"request_id": mint("child-request", sub_id, point), "parent": sub_id, "position": place, "level": "child"}
            | {"object_id": point, **common}
            for place, point in enumerate(mine, 1)
        ]
    _insert(session, subs)
    _insert(session, children)


def _insert(session: Session, rows: Sequence[Mapping[str, object]]) -> None:
    """Add rows; every column that is not given has its default."""
    blank = ServiceRequest(request_id="", level="", state="", received_at=_ANY, deadline=_ANY).model_dump()
    if rows:
        session.connection().execute(insert(ServiceRequest), [{**blank, **row} for row in rows])


_ANY = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def take(
    session: Session, *, machine_now: datetime, lease_s: float, request_id: str = "", only_async: bool = True
) -> Taken | None:
    """Return a request that nobody is at, moved to ONGOING under a lease; None when there is none."""
    free = or_(
        col(ServiceRequest.state).in_(("SCHEDULED", "PENDING")),
        (col(ServiceRequest.state) == "ONGOING") & (col(ServiceRequest.leased_until) <= machine_now),
    )
    query = select(ServiceRequest).where(col(ServiceRequest.level) == "parent", free)
    if request_id:
        query = query.where(col(ServiceRequest.request_id) == request_id)
    if only_async:
        query = query.where(col(ServiceRequest.reply_to) != "")
    row = session.exec(
        query.order_by(col(ServiceRequest.received_at)).limit(1).with_for_update(skip_locked=True)
    ).first()
    if row is None:
        return None
    row.state, row.leased_until = "ONGOING", machine_now + timedelta(seconds=lease_s)
    session.flush()
    header = Header(row.message_id, row.source, "get", row.noun, row.correlation_id)
    return Taken(
        row.request_id, header, _questions(session, row.request_id), row.reply_to, row.received_at, row.deadline
    )


def _questions(session: Session, request_id: str) -> tuple[ReadingQuestion, ...]:
    """Return what the children of a request ask and nobody has answered."""
    found = []
    subs = session.exec(
        select(ServiceRequest).where(ServiceRequest.parent == request_id).order_by(col(ServiceRequest.position))
    ).all()
    for sub in subs:
        if sub.starts_at is None or sub.ends_at is None:
            continue
        period = Period(sub.starts_at, sub.ends_at)
        children = session.exec(
            select(ServiceRequest).where(ServiceRequest.parent == sub.request_id).order_by(col(ServiceRequest.position))
        )
        found += [ReadingQuestion(child.object_id, period, sub.purpose, sub.fresh) for child in children]
    return tuple(found)


def settle(session: Session, request_id: str, failed: Mapping[str, tuple[str, str]], *, now: datetime) -> State | None:
    """End a request by its children: `failed` gives code and reason by usage point; None when it has ended before.

    All well: SUCCESSFUL; some: PARTIAL_SUCCESS; none: FAILED.
    """
    row = session.exec(select(ServiceRequest).where(ServiceRequest.request_id == request_id).with_for_update()).one()
    if row.state in FINAL:
        return None
    outcomes: list[State] = []
    for sub in session.exec(select(ServiceRequest).where(ServiceRequest.parent == request_id)).all():
        children = session.exec(select(ServiceRequest).where(ServiceRequest.parent == sub.request_id)).all()
        own: list[State] = []
        for child in children:
            code, reason = failed.get(child.object_id, ("", ""))
            child.state, child.code, child.reason, child.settled_at = _end(code), code, reason, now
            own.append("FAILED" if code else "SUCCESSFUL")
        sub.state, sub.settled_at = outcome_of(own), now
        outcomes += own
    end = outcome_of(outcomes)
    row.state, row.settled_at, row.leased_until = end, now, None
    session.flush()
    return end


def _end(code: str) -> State:
    return "FAILED" if code else "SUCCESSFUL"


def outcome_of(children: Collection[State]) -> State:
    """Return how a request ends whose children ended so."""
    if children and all(state == "SUCCESSFUL" for state in children):
        return "SUCCESSFUL"
    return "PARTIAL_SUCCESS" if "SUCCESSFUL" in children else "FAILED"


def keep_answer(session: Session, request_id: str, body: bytes, *, late: bool, now: datetime) -> None:
    """Keep an answer; one that comes behind the deadline is marked late and changes nothing."""
    session.add(RequestAnswer(request_id=request_id, at=now, late=late, body=body))
    session.flush()


def first_answer(session: Session, request_id: str) -> bytes | None:
    """Return the answer that was given in time, None while there is none."""
    return session.exec(
        select(RequestAnswer.body)
        .where(RequestAnswer.request_id == request_id, col(RequestAnswer.late).is_(False))
        .order_by(col(RequestAnswer.number))
    ).first()


def overdue(session: Session, *, now: datetime, limit: int = 100) -> Sequence[Taken]:
    """Return asynchronous requests whose deadline has passed without an end."""
    rows = session.exec(
        select(ServiceRequest)
        .where(
            ServiceRequest.level == "parent",
            col(ServiceRequest.state).not_in(FINAL),
            col(ServiceRequest.deadline) <= now,
        )
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    return [
        Taken(
            row.request_id, Header(row.message_id, row.source, "get", row.noun, row.correlation_id),
            _questions(session, row.request_id), row.reply_to, row.received_at, row.deadline,
        )
        for row in rows
    ]  # fmt: skip
