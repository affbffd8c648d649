"""Withdrawing requests, or putting another question in the place of one: five outcomes, all of them said."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import delete, func, select
from sqlmodel import Session

from canonical.questions import ReadingsAsked
from store.request_states import FINAL, OPEN
from store.requests import SERVICE_REQUEST, below, insert_parts, move, question_key
from store.rows import Row, rows_of

WithdrawOutcome = Literal["done", "not found", "ambiguous", "final", "under way"]
_T = SERVICE_REQUEST.c


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What became of the wish to withdraw one request."""

    outcome: WithdrawOutcome
    request_id: str = ""
    cancelled: int = 0
    """Objects of the request that are no longer asked for."""

    objects: int = 0
    """All of its objects: those that are not cancelled had an answer before."""


def withdraw(
    session: Session,
    *,
    source: str,
    correlation_id: str,
    message_id: str,
    now: datetime,
    instead: ReadingsAsked | None = None,
    code: str = "",
) -> Withdrawn:
    """Cancel a caller's request, or with `instead` put other questions in its place.

    A named message id is enough to find a request; without one its correlation id must be that of one request alone.
    """
    own = (_T.level == "parent", _T.source == source)
    meant = _T.message_id == message_id if message_id else _T.correlation_id == correlation_id
    rows = rows_of(session, select(SERVICE_REQUEST).where(*own, meant).with_for_update())
    if len(rows) != 1:
        return Withdrawn("ambiguous" if rows else "not found")
    row = rows[0]
    if row["state"] not in OPEN:
        return Withdrawn("final" if row["state"] in FINAL else "under way", row["request_id"])
    if instead is not None:
        return _replace(session, row, instead, now)
    return _cancel(session, row, code, now)


def _cancel(session: Session, row: Row, code: str, now: datetime) -> Withdrawn:
    """Cancel whatever of a request has not ended."""
    name = row["request_id"]
    children = below(name) & (_T.level == "child")
    objects = session.execute(select(func.count()).where(children)).scalar_one()
    cancelled = 0
    for state in OPEN:
        values = {"code": code, "settled_at": now}
        cancelled += move(session, children, state, "CANCELLED", **values)
        move(session, (_T.parent == name) | (_T.request_id == name), state, "CANCELLED", **values)
    return Withdrawn("done", name, cancelled, objects)


def _replace(session: Session, row: Row, instead: ReadingsAsked, now: datetime) -> Withdrawn:
    """Put other sub-requests and children below a request; not once a part of it was answered."""
    name = row["request_id"]
    if session.execute(select(func.count()).where(below(name), _T.state.in_(FINAL))).scalar_one():
        return Withdrawn("under way", name)
    subs = select(_T.request_id).where(_T.parent == name)
    session.execute(delete(SERVICE_REQUEST).where(_T.level == "child", _T.parent.in_(subs)))
    session.execute(delete(SERVICE_REQUEST).where(_T.level == "sub", _T.parent == name))
    insert_parts(session, name, instead.questions, deadline=row["deadline"], now=now)
    key = question_key(instead.questions)
    move(session, _T.request_id == name, row["state"], question_key=key)
    return Withdrawn("done", name, objects=len({question.usage_point for question in instead.questions}))
