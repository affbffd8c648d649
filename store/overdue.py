"""Deliveries that were sent and that nobody confirmed in time: found once each, never sent again by themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from canonical.codes.message import UNCONFIRMED
from store.deliveries import Delivery


@dataclass(frozen=True, slots=True)
class Overdue:
    """A delivery that was sent and not confirmed in time: a person asks the destination, the hub never resends."""

    delivery_id: str
    destination: str
    name: str
    confirm_name: str
    message_id: str
    correlation_id: str
    sent_at: datetime | None
    confirm_by: datetime
    code: str = str(UNCONFIRMED)


def overdue(session: Session, *, now: datetime, limit: int = 1000) -> Sequence[Overdue]:
    """Mark the sent deliveries whose confirmation is overdue at business time `now`, and return the newly marked."""
    rows = session.exec(
        select(Delivery)
        .where(
            Delivery.state == "sent",
            col(Delivery.confirm_by) <= now,
            col(Delivery.unconfirmed_at).is_(None),
        )
        .order_by(col(Delivery.sequence))
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    found = []
    for row in rows:
        row.unconfirmed_at, row.code = now, str(UNCONFIRMED)
        found.append(
            Overdue(
                row.delivery_id,
                row.destination,
                row.name,
                row.confirm_name,
                row.message_id,
                row.correlation_id,
                row.sent_at,
                row.confirm_by or now,
            )
        )
    session.flush()
    return found
