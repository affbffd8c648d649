"""Steps that are kept back: refused by the hub itself, with the rule's code, until they are released."""

from collections.abc import Collection, Iterator
from datetime import datetime

from sqlalchemy import select, update
from sqlmodel import Session

from store.rollout import ORDER, STEP

CHUNK = 900
"""Ids that one statement names."""

_STEPS = ("MDMS_CREATE", "HES_COMMISSION")
"""Steps of systems that were not told of a meter which must not be hung: they would refuse it."""


def block(session: Session, order_ids: Collection[str], *, code: str, now: datetime) -> None:
    """Keep the new meters of orders from systems that do not know them yet."""
    for some in _chunks(order_ids):
        mine = (STEP.c.order_id.in_(some), STEP.c.step.in_(_STEPS), STEP.c.state == "PENDING")
        kept = {"state": "REFUSED", "code": code, "due_at": None, "ended_at": now}
        session.execute(update(STEP).where(*mine).values(**kept))


def blocked(session: Session, *, code: str) -> dict[str, str]:
    """Return the new meter of each order of which steps are kept back by a rule."""
    joined = STEP.join(ORDER, STEP.c.order_id == ORDER.c.order_id)
    query = select(STEP.c.order_id, ORDER.c.new_meter).select_from(joined)
    mine = (STEP.c.step.in_(_STEPS), STEP.c.state == "REFUSED", STEP.c.code == code)
    return {order: meter for order, meter in session.execute(query.where(*mine))}


def release(session: Session, order_ids: Collection[str], *, code: str, now: datetime) -> None:
    """Let what a rule kept back of orders go on."""
    for some in _chunks(order_ids):
        mine = (STEP.c.order_id.in_(some), STEP.c.step.in_(_STEPS), STEP.c.state == "REFUSED", STEP.c.code == code)
        session.execute(update(STEP).where(*mine).values(state="PENDING", code="", due_at=now, ended_at=None))


def _chunks(values: Collection[str]) -> Iterator[list[str]]:
    ordered = sorted(set(values))
    for start in range(0, len(ordered), CHUNK):
        yield ordered[start : start + CHUNK]
