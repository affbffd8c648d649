"""Requests that others make of the hub (parent, sub-request for each span, child for each object), and their answers.

States and what may follow them: `store.request_states`. Whatever writes a state goes through `move` or the mapped
attribute, and both refuse a step that is not allowed.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Index, LargeBinary, Table, UniqueConstraint, event, func, insert, select, update
from sqlalchemy.orm import LoaderCallableStatus
from sqlmodel import Field, Session, SQLModel

from canonical.ids import mint
from canonical.messages import Header
from canonical.metering import ReadingQuestion
from canonical.questions import ReadingsAsked
from store.columns import BigInteger, Facts, Instant
from store.request_states import FINAL, STARTED, State, walk


class ServiceRequest(SQLModel, table=True):
    """One request, or a part of one."""

    __tablename__ = "service_request"
    __table_args__ = (
        UniqueConstraint("parent", "position"),
        Index("service_request_alike", "question_key", "settled_at"),
    )

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
    reading_types: Any = Field(default=None, sa_type=Facts, nullable=True)
    """With a sub-request: the codes asked for; empty for all."""
    state: str = Field(index=True)
    code: str = ""
    reason: str = ""
    reply_to: str = ""
    """Destination of an asynchronous answer; empty where the caller waits."""
    rank: int = 1
    """0 for high priority, 1 for normal."""
    question_key: str = ""
    """With a parent: the same for everybody who asks the same."""
    received_at: datetime = Field(sa_type=Instant)
    """Business time, as are all but the last."""
    not_before: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    expires_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    retry_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    """With a parent that is PAUSED: when it goes on."""
    deadline: datetime = Field(sa_type=Instant)
    settled_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    rounds: int = 0
    """With a parent: how often it was taken up; with a child: how often it was asked and had to wait."""
    leased_until: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    """Machine time until which one worker holds it."""


class RequestAnswer(SQLModel, table=True):
    """An answer to a request: the first one counts, a late one is kept and marked."""

    __tablename__ = "request_answer"

    number: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    request_id: str = Field(foreign_key="service_request.request_id", index=True)
    at: datetime = Field(sa_type=Instant)
    late: bool = False
    whole: bool = True
    """Whether it answers the request by itself, rather than being a part."""
    path: str = ""
    """Where in the spool it lies, when it is too large to be kept here."""
    body: bytes = Field(sa_type=LargeBinary)


SERVICE_REQUEST: Table = SQLModel.metadata.tables["service_request"]


def _check_step(_target: object, new: State, old: State | LoaderCallableStatus, _initiator: object) -> None:
    """Refuse to give a loaded request a state that does not follow its own."""
    if isinstance(old, str) and new != old:
        walk(old, new)


event.listen(ServiceRequest.state, "set", _check_step, active_history=True)


def move(session: Session, which: ColumnElement[bool], *chain: State, **values: object) -> int:
    """Bring the requests that are in the first state of `chain` to its last, and return their number.

    Raises:
        RejectedError: a step of the chain is not allowed (ILLEGAL_TRANSITION).
    """
    table = SERVICE_REQUEST.c
    statement = update(SERVICE_REQUEST).where(which, table.state == chain[0]).values(state=walk(*chain), **values)
    done = session.execute(statement.execution_options(synchronize_session=False))
    return int(done.rowcount)  # type: ignore[attr-defined]


def below(request_id: str) -> ColumnElement[bool]:
    """Return the condition of the sub-requests and children of a request."""
    table = SERVICE_REQUEST.c
    subs = select(table.request_id).where(table.parent == request_id)
    return (table.parent == request_id) | table.parent.in_(subs)


def open_request(session: Session, header: Header, asked: ReadingsAsked, *, deadline: datetime, now: datetime) -> str:
    """Keep a request with a sub-request for each span and a child for each usage point; return its id."""
    request_id = mint("request", header.source, header.message_id)
    parent = {
        "request_id": request_id, "level": "parent", "source": header.source, "message_id": header.message_id,
        "correlation_id": header.correlation_id, "noun": header.noun, "state": walk(*STARTED),
        "reply_to": asked.reply_to, "received_at": now, "deadline": deadline, "not_before": asked.not_before,
        "expires_at": asked.expires_at, "rank": 0 if asked.priority == "high" else 1,
        "question_key": question_key(asked.questions),
    }  # fmt: skip
    _insert(session, [parent])
    insert_parts(session, request_id, asked.questions, deadline=deadline, now=now)
    return request_id


def question_key(questions: Sequence[ReadingQuestion]) -> str:
    """Return what is the same for the same questions, in whatever order they are asked and by whomever."""
    said = sorted({(q.usage_point, q.period.start, q.period.end, *_kind(q)[1:]) for q in questions})
    return mint("question", *(str(part) for one in said for part in one))


def _kind(question: ReadingQuestion) -> tuple[Any, ...]:
    """Return what the questions of one sub-request have in common."""
    return question.period, question.reason, question.fresh, question.reading_types


def insert_parts(
    session: Session, request_id: str, questions: Sequence[ReadingQuestion], *, deadline: datetime, now: datetime
) -> None:
    """Keep sub-requests and children of a request."""
    kinds: dict[tuple[Any, ...], dict[str, None]] = {}
    for question in questions:
        kinds.setdefault(_kind(question), {})[question.usage_point] = None
    common = {"state": walk(*STARTED), "received_at": now, "deadline": deadline}
    subs, children = [], []
    for number, ((period, purpose, fresh, types), points) in enumerate(kinds.items(), 1):
        names = (str(fresh), *types) if types else (str(fresh),)
        sub_id = mint("sub-request", request_id, period.start, period.end, purpose, *names)
        subs.append(
            {"request_id": sub_id, "parent": request_id, "position": number, "level": "sub", "starts_at": period.start}
            | {"ends_at": period.end, "purpose": purpose, "fresh": fresh, "reading_types": list(types), **common}
        )
        children += [
            {"request_id": child_id(sub_id, point), "parent": sub_id, "position": place, "level": "child"}
            | {"object_id": point, **common}
            for place, point in enumerate(points, 1)
        ]
    _insert(session, subs)
    _insert(session, children)


def child_id(sub_id: str, point: str) -> str:
    """Return the id of the child that asks for one usage point."""
    return mint("child-request", sub_id, point)


def _insert(session: Session, rows: Sequence[Mapping[str, object]]) -> None:
    """Add rows; every column that is not given has its default."""
    blank = ServiceRequest(request_id="", level="", state="", received_at=_ANY, deadline=_ANY).model_dump()
    if rows:
        session.connection().execute(insert(ServiceRequest), [{**blank, **row} for row in rows])


_ANY = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def pending(session: Session, source: str) -> int:
    """Return how many requests of a caller have not come to their end."""
    table = SERVICE_REQUEST.c
    query = select(func.count()).where(
        table.level == "parent", table.source == source, table.state.not_in(FINAL), table.reply_to != ""
    )
    return int(session.execute(query).scalar_one())


def keep_answer(
    session: Session, request_id: str, body: bytes, *, late: bool, now: datetime, whole: bool = True, path: str = ""
) -> None:
    """Keep an answer; one that comes behind the deadline is marked late and changes nothing."""
    session.add(RequestAnswer(request_id=request_id, at=now, late=late, whole=whole, path=path, body=body))
    session.flush()


def first_answer(session: Session, request_id: str) -> bytes | None:
    """Return the answer that was given in time, None while there is none."""
    table = SQLModel.metadata.tables["request_answer"].c
    query = select(table.body).where(table.request_id == request_id, table.late.is_(False))
    found: bytes | None = session.execute(query.order_by(table.number).limit(1)).scalar_one_or_none()
    return found


def alike_answer(session: Session, request_id: str, key: str, *, since: datetime) -> tuple[str, bytes] | None:
    """Return the request that asked the same and was answered since an instant, with its whole answer; or None."""
    table, answer = SERVICE_REQUEST.c, SQLModel.metadata.tables["request_answer"].c
    query = (
        select(answer.request_id, answer.body)
        .where(answer.request_id == table.request_id, table.question_key == key, table.level == "parent")
        .where(table.request_id != request_id, table.settled_at >= since, answer.late.is_(False))
        .where(table.state.in_(("SUCCESSFUL", "PARTIAL_SUCCESS")), answer.whole.is_(True), answer.path == "")
    )
    found = session.execute(query.order_by(answer.number.desc()).limit(1)).first()
    return None if found is None else (found[0], found[1])
