"""What is known about requests and the objects that they ask for."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session

from store.reference import USAGE_POINT
from store.request_states import State
from store.request_turns import ChildEnd, Taken
from store.requests import SERVICE_REQUEST, below
from store.rows import Row, first_of, rows_of

_T = SERVICE_REQUEST.c
_CHUNK = 5000


def known_points(session: Session, points: Collection[str]) -> set[str]:
    """Return those of the usage points that a master has told the hub of."""
    column = USAGE_POINT.c.usage_point
    names, found = sorted(points), set()
    for start in range(0, len(names), _CHUNK):
        found |= set(session.execute(select(column).where(column.in_(names[start : start + _CHUNK]))).scalars())
    return found


def so_far(session: Session, request_id: str) -> Counter[State]:
    """Return how many children of a request are in each state."""
    children = below(request_id) & (_T.level == "child")
    rows = session.execute(select(_T.state, func.count()).where(children).group_by(_T.state))
    return Counter({state: number for state, number in rows})


def ends_like(session: Session, taken: Taken, other: str) -> Mapping[tuple[str, str], ChildEnd]:
    """Return how the children of a request end that asks the same as another one, which has ended."""
    said: dict[tuple[Any, ...], Row] = {}
    for sub in rows_of(session, select(SERVICE_REQUEST).where(_T.parent == other)):
        kind = (sub["starts_at"], sub["ends_at"], sub["purpose"], sub["fresh"], *(sub["reading_types"] or ()))
        for child in rows_of(session, select(SERVICE_REQUEST).where(_T.parent == sub["request_id"])):
            said[child["object_id"], *kind] = child
    ends = {}
    for part in taken.parts:
        for one in part.questions:
            span = (one.period.start, one.period.end)
            row = said[one.usage_point, *span, one.reason, one.fresh, *one.reading_types]
            if row["state"] != "SUCCESSFUL":
                ends[part.sub_id, one.usage_point] = ChildEnd(row["state"], row["code"], row["reason"])
    return ends


def listed(session: Session, *, source: str = "", state: str = "", limit: int = 200) -> list[Row]:
    """Return requests, newest first, each with the number of its objects."""
    child = SERVICE_REQUEST.alias()
    sub = SERVICE_REQUEST.alias()
    objects = (
        select(func.count())
        .where(child.c.parent == sub.c.request_id, sub.c.parent == _T.request_id, child.c.level == "child")
        .scalar_subquery()
        .label("objects")
    )
    query = select(SERVICE_REQUEST, objects).where(_T.level == "parent")
    if source:
        query = query.where(_T.source == source)
    if state:
        query = query.where(_T.state == state)
    return rows_of(session, query.order_by(_T.received_at.desc(), _T.request_id).limit(limit))


def children(session: Session, request_id: str) -> list[Row]:
    """Return the children of a request with span and purpose."""
    sub = SERVICE_REQUEST.alias()
    query = (
        select(_T.object_id, _T.state, _T.code, _T.reason, sub.c.purpose, sub.c.starts_at, sub.c.ends_at)
        .where(_T.parent == sub.c.request_id, sub.c.parent == request_id)
        .order_by(sub.c.position, _T.position)
    )
    return rows_of(session, query)


def one(session: Session, word: str) -> Row | None:
    """Return the request of an id, or of a message id."""
    own = (_T.request_id == word) | (_T.message_id == word)
    return first_of(session, select(SERVICE_REQUEST).where(_T.level == "parent", own))
