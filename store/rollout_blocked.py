"""Commissionings that are kept back: steps that are refused by the hub itself, with the rule's code, until released."""

from collections.abc import Collection, Iterator
from datetime import datetime

from sqlalchemy import select, update
from sqlmodel import Session

from store.rollout import ORDER, STEP

CHUNK = 900
"""Ids that one statement names."""

_STEP = "HES_COMMISSION"


def block(session: Session, order_ids: Collection[str], *, code: str, now: datetime) -> None:
    """Keep the commissioning of orders back."""
    for some in _chunks(order_ids):
        mine = (STEP.c.order_id.in_(some), STEP.c.step == _STEP, STEP.c.state == "PENDING")
        kept = {"state": "REFUSED", "code": code, "due_at": None, "ended_at": now}
        session.execute(update(STEP).where(*mine).values(**kept))


def blocked(session: Session, *, code: str) -> dict[str, str]:
    """Return the new meter of each order whose commissioning is kept back by a rule."""
    joined = STEP.join(ORDER, STEP.c.order_id == ORDER.c.order_id)
    query = select(STEP.c.order_id, ORDER.c.new_meter).select_from(joined)
    mine = (STEP.c.step == _STEP, STEP.c.state == "REFUSED", STEP.c.code == code)
    return {order: meter for order, meter in session.execute(query.where(*mine))}


def release(session: Session, order_ids: Collection[str], *, now: datetime) -> None:
    """Let the commissioning of orders go on."""
    for some in _chunks(order_ids):
        mine = (STEP.c.order_id.in_(some), STEP.c.step == _STEP, STEP.c.state == "REFUSED")
        session.execute(update(STEP).where(*mine).values(state="PENDING", code="", due_at=now, ended_at=None))


def _chunks(values: Collection[str]) -> Iterator[list[str]]:
    ordered = sorted(set(values))
    for start in range(0, len(ordered), CHUNK):
        yield ordered[start : start + CHUNK]
