"""Answers of other systems that come in messages of their own: which question they belong to, which parts are here."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import LargeBinary, Table, func, select
from sqlmodel import Field, Session, SQLModel

from store import bulk
from store.columns import Facts, Instant
from store.request_states import FINAL
from store.requests import SERVICE_REQUEST, move
from store.rows import first_of


class AwaitedAnswer(SQLModel, table=True):
    """One question whose answer, or the rest of it, is to come."""

    __tablename__ = "awaited_answer"

    correlation_id: str = Field(primary_key=True)
    request_id: str = Field(foreign_key="service_request.request_id", index=True)
    sub_id: str
    points: list[str] = Field(sa_type=Facts)
    """Usage points that nothing was said of when the question was asked."""
    first: int = 1
    """Number of the first part that is to come: 2 where one came as the immediate answer."""
    total: int = 0
    """How many parts there are; 0 while nobody has said it."""
    asked_at: datetime = Field(sa_type=Instant)


class AnswerPart(SQLModel, table=True):
    """One part that came."""

    __tablename__ = "answer_part"

    correlation_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    points: list[str] = Field(sa_type=Facts)
    body: bytes = Field(sa_type=LargeBinary)


AWAITED: Table = SQLModel.metadata.tables["awaited_answer"]
PART: Table = SQLModel.metadata.tables["answer_part"]


def expect(
    session: Session,
    request_id: str,
    sub_id: str,
    awaited: Mapping[str, Sequence[str]],
    *,
    begun: Collection[str],
    now: datetime,
) -> None:
    """Remember questions whose answers follow, by correlation id."""
    rows = [
        {"correlation_id": name, "request_id": request_id, "sub_id": sub_id, "points": sorted(points)}
        | {"first": 2 if name in begun else 1, "total": 0, "asked_at": now}
        for name, points in awaited.items()
    ]
    bulk.upsert(session, AWAITED, rows, key=("correlation_id",))


def take_part(
    session: Session,
    correlation_id: str,
    body: bytes,
    points: Collection[str],
    *,
    part: tuple[int, int] | None,
    now: datetime,
) -> bool:
    """Keep a part of an awaited answer, once for each number; return whether it belongs to one.

    When all of its parts are here, or every usage point was told of, the request is due.
    """
    row = first_of(session, select(AWAITED).where(AWAITED.c.correlation_id == correlation_id))
    if row is None:
        return False
    here = func.count(PART.c.number)
    count = session.execute(select(here).where(PART.c.correlation_id == correlation_id)).scalar_one()
    number, total = part or (row["first"] + count, 0)
    values = {"correlation_id": correlation_id, "number": number, "points": sorted(points), "body": body}
    bulk.upsert(session, PART, [values], key=("correlation_id", "number"))
    if total:
        session.execute(AWAITED.update().where(AWAITED.c.correlation_id == correlation_id).values(total=total))
    look_again(session, row["request_id"], now=now)
    return True


def missing(session: Session, correlation_id: str) -> str:
    """Return what has not come of an awaited answer, in words; empty: everything is here."""
    row = first_of(session, select(AWAITED).where(AWAITED.c.correlation_id == correlation_id))
    if row is None:
        return ""
    rows = session.execute(select(PART.c.number, PART.c.points).where(PART.c.correlation_id == correlation_id)).all()
    told = {point for _, points in rows for point in points}
    if row["total"]:
        lacking = sorted(set(range(row["first"], row["total"] + 1)) - {number for number, _ in rows})
        return f"part {', '.join(map(str, lacking))} of {row['total']}" if lacking else ""
    return "" if rows and told >= set(row["points"]) else "the rest"


def of_request(session: Session, request_id: str) -> Iterator[tuple[str, str, list[bytes], str]]:
    """Yield correlation id, sub-request, parts in their order, and what is missing, of what a request awaits."""
    query = select(AWAITED.c.correlation_id, AWAITED.c.sub_id).where(AWAITED.c.request_id == request_id)
    for name, sub_id in session.execute(query.order_by(AWAITED.c.correlation_id)).all():
        parts = select(PART.c.body).where(PART.c.correlation_id == name).order_by(PART.c.number)
        yield name, sub_id, list(session.execute(parts).scalars()), missing(session, name)


def look_again(session: Session, request_id: str, *, now: datetime) -> None:
    """Make a request due that waits for nothing any more: its parts came while other objects were asked again."""
    names = session.execute(select(AWAITED.c.correlation_id).where(AWAITED.c.request_id == request_id)).scalars().all()
    if names and not any(missing(session, name) for name in names):
        move(session, SERVICE_REQUEST.c.request_id == request_id, "WAITING", retry_at=now)


def is_open(session: Session, correlation_id: str) -> bool:
    """Return whether the request that awaits an answer has not ended."""
    query = select(SERVICE_REQUEST.c.state).where(
        AWAITED.c.correlation_id == correlation_id, AWAITED.c.request_id == SERVICE_REQUEST.c.request_id
    )
    state = session.execute(query).scalar_one_or_none()
    return state is not None and state not in FINAL
