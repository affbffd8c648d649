"""Which deliveries wait for a person, and which work is known of them."""

from collections.abc import Collection

from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from store.deliveries import Delivery
from store.rows import rows_of
from store.work import WORK_ITEM


def waiting(session: Session, *, besides: Collection[str]) -> list[Delivery]:
    """Return deliveries that are parked, or sent and overdue, but not of the nouns `besides`."""
    late = (col(Delivery.state) == "sent") & col(Delivery.unconfirmed_at).is_not(None)
    query = select(Delivery).where((col(Delivery.state) == "parked") | late, col(Delivery.noun).not_in(sorted(besides)))
    return list(session.exec(query.order_by(col(Delivery.sequence))).all())


def work_states(session: Session, codes: Collection[str]) -> dict[str, str]:
    """Return the state of each work item of some codes, by its id."""
    query = select_columns(WORK_ITEM.c.work_id, WORK_ITEM.c.state).where(WORK_ITEM.c.code.in_(sorted(codes)))
    return {row["work_id"]: row["state"] for row in rows_of(session, query)}
