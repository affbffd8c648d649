"""Withdrawing a request, or putting another question in its place: five outcomes, all of them said."""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import or_, update
from sqlmodel import Session, col, select

from canonical.questions import ReadingsAsked
from store.requests import FINAL, OPEN, ServiceRequest, insert_parts

WithdrawOutcome = Literal["done", "not found", "ambiguous", "final", "under way"]


def withdraw(
    session: Session,
    *,
    source: str,
    correlation_id: str,
    message_id: str,
    now: datetime,
    instead: ReadingsAsked | None = None,
    code: str = "",
) -> tuple[WithdrawOutcome, str]:
    """Cancel a caller's request, or with `instead` put other questions in its place; return the outcome and its id."""
    query = select(ServiceRequest).where(
        ServiceRequest.level == "parent",
        ServiceRequest.source == source,
        ServiceRequest.correlation_id == correlation_id,
    )
    if message_id:
        query = query.where(ServiceRequest.message_id == message_id)
    rows = session.exec(query.with_for_update()).all()
    if len(rows) != 1:
        return ("ambiguous" if rows else "not found"), ""
    row = rows[0]
    if row.state not in OPEN:
        return ("final" if row.state in FINAL else "under way"), row.request_id
    parts = [row.request_id, *session.exec(_below(row.request_id)).all()]
    if instead is not None:
        _replace_parts(session, row, parts, instead, now=now)
        return "done", row.request_id
    session.connection().execute(
        update(ServiceRequest)
        .where(col(ServiceRequest.request_id).in_(parts))
        .values(state="CANCELLED", code=code, settled_at=now)
    )
    session.expire_all()
    return "done", row.request_id


def _replace_parts(
    session: Session, row: ServiceRequest, parts: list[str], instead: ReadingsAsked, *, now: datetime
) -> None:
    """Put other sub-requests and children below a request."""
    for level in ("child", "sub"):
        session.connection().execute(
            ServiceRequest.__table__.delete().where(  # type: ignore[attr-defined]
                col(ServiceRequest.request_id).in_(parts), col(ServiceRequest.level) == level
            )
        )
    session.expire_all()
    insert_parts(session, row.request_id, instead.questions, deadline=row.deadline, now=now)


def _below(request_id: str) -> Any:
    """Return the query of everything below a request."""
    subs = select(ServiceRequest.request_id).where(ServiceRequest.parent == request_id)
    return select(ServiceRequest.request_id).where(
        or_(col(ServiceRequest.parent) == request_id, col(ServiceRequest.parent).in_(subs))
    )
