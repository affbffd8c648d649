"""Where what is told of usage points still waits: lanes of their own, and messages that tell several steps at once."""

from collections.abc import Collection

from sqlalchemy import select
from sqlmodel import Session

from store.among import among
from store.deliveries import DELIVERY, IS_PENDING, NOTHING
from store.rollout import ORDER, STEP


def busy(session: Session, destination: str, lanes: Collection[str]) -> set[str]:
    """Return those of some lanes in which something still goes to a destination."""
    which = (IS_PENDING, DELIVERY.c.lane != NOTHING, DELIVERY.c.destination == destination)
    query = select(DELIVERY.c.lane).distinct().where(*which, among(session, DELIVERY.c.lane, lanes))
    return set(session.execute(query).scalars())


def joined(session: Session, destination: str, usage_points: Collection[str]) -> dict[str, dict[str, str]]:
    """Return lanes of messages to a destination that tell several steps and have not gone yet.

    By usage point and order; of two of the same order the later one.
    """
    source = ORDER.join(STEP, STEP.c.order_id == ORDER.c.order_id).join(
        DELIVERY, STEP.c.delivery_id == DELIVERY.c.delivery_id
    )
    query = (
        select(ORDER.c.usage_point, ORDER.c.order_id, DELIVERY.c.lane)
        .select_from(source)
        .where(among(session, ORDER.c.usage_point, usage_points), STEP.c.state == "SENT", STEP.c.operation > 0)
        .where(DELIVERY.c.destination == destination, DELIVERY.c.state == "pending")
        .order_by(DELIVERY.c.sequence)
    )
    found: dict[str, dict[str, str]] = {}
    for usage_point, order_id, lane in session.execute(query):
        found.setdefault(usage_point, {})[order_id] = lane
    return found
