"""What could not be handled or delivered, and what a person decides about it: look, release, waive."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col, select

from canonical.codes.message import NOT_IN_STORE, NOT_REPLAYABLE
from canonical.errors import RejectedError
from store import acts
from store.claims import MessageClaim
from store.deliveries import Delivery, find
from store.messages import StoredMessage


@dataclass(frozen=True, slots=True)
class Parked:
    """One thing that waits for a person."""

    kind: str
    """message, delivery, or unconfirmed: a delivery that was sent and whose confirmation is overdue."""
    id: str
    """Entry number of a message, id of a delivery."""
    partner: str
    """Source of a message, destination of a delivery."""
    name: str
    since: datetime
    """Business time of arrival or enqueue."""
    code: str
    reason: str


def waiting(session: Session, *, limit: int = 200) -> list[Parked]:
    """Return what waits for a person, oldest first within messages and deliveries."""
    found = [
        Parked("message", str(row.entry), row.source, row.message_id or row.path, row.received_at, row.code, row.reason)
        for row in session.exec(
            select(StoredMessage).where(StoredMessage.state == "parked").order_by(col(StoredMessage.entry)).limit(limit)
        )
    ]
    late = (col(Delivery.state) == "sent") & col(Delivery.unconfirmed_at).is_not(None)
    for row in session.exec(
        select(Delivery).where((col(Delivery.state) == "parked") | late).order_by(col(Delivery.sequence)).limit(limit)
    ):
        kind = "delivery" if row.state == "parked" else "unconfirmed"
        found.append(Parked(kind, row.delivery_id, row.destination, row.name, row.enqueued_at, row.code, row.reason))
    return found


def release(session: Session, entry: int, *, by: str, now: datetime) -> None:
    """Forget the refusal of a parked message, so that it is handled anew when its sender sends it again.

    Raises:
        RejectedError: no such message (NOT_IN_STORE), or it is not parked (NOT_REPLAYABLE).
    """
    session.exec(
        update(MessageClaim)
        .where(col(MessageClaim.entry) == entry, col(MessageClaim.state) == "parked")
        .values(state="released", reply=None)
    )
    row = _parked_message(session, entry)
    row.state = "received"
    acts.note(session, str(entry), "released", by=by, reason=row.code, at=now)


def waive(session: Session, word: str, *, by: str, reason: str, now: datetime) -> None:
    """Settle what is parked without doing it: nothing is sent or handled, and who decided so is kept.

    Raises:
        RejectedError: nothing has that id (NOT_IN_STORE), or it is not parked (NOT_REPLAYABLE).
    """
    if word.isdigit():
        _parked_message(session, int(word)).state = "waived"
    else:
        row = find(session, word)
        if row.state != "parked":
            raise RejectedError(f"delivery {word} is {row.state}", code=NOT_REPLAYABLE, where=row.destination)
        row.state = "cancelled"
    acts.note(session, word, "waived", by=by, reason=reason, at=now)


def _parked_message(session: Session, entry: int) -> StoredMessage:
    """Return a parked message, locked."""
    query = select(StoredMessage).where(StoredMessage.entry == entry).with_for_update()
    row = session.exec(query).one_or_none() if entry < 1 << 63 else None
    if row is None:
        raise RejectedError(f"no message has the entry number {entry}", code=NOT_IN_STORE)
    if row.state != "parked":
        raise RejectedError(f"message {entry} is {row.state}", code=NOT_REPLAYABLE, where=row.source)
    return row
