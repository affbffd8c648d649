"""Which deliveries wait for a person, and which work is known of them."""

from collections.abc import Collection

from sqlalchemy import exists
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from store.deliveries import NOTHING, Delivery
from store.rollout import STEP
from store.rows import rows_of
from store.work import WORK_ITEM


def waiting(session: Session, *, besides: Collection[str]) -> list[Delivery]:
    """Return deliveries that are parked, or sent and overdue, but not of the nouns `besides`.

    A step of an exchange looks after its own delivery: it asks the system first, then its own work is opened.
    """
    late = (col(Delivery.state) == "sent") & col(Delivery.unconfirmed_at).is_not(None)
    is_step = exists().where(STEP.c.delivery_id != NOTHING, STEP.c.delivery_id == Delivery.delivery_id)
    query = select(Delivery).where(
        (col(Delivery.state) == "parked") | late, col(Delivery.noun).not_in(sorted(besides)), ~is_step
    )
    return list(session.exec(query.order_by(col(Delivery.sequence))).all())


def work_states(session: Session, codes: Collection[str]) -> dict[str, str]:
    """Return the state of each work item of some codes, by its id."""
    query = select_columns(WORK_ITEM.c.work_id, WORK_ITEM.c.state).where(WORK_ITEM.c.code.in_(sorted(codes)))
    return {row["work_id"]: row["state"] for row in rows_of(session, query)}
