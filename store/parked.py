"""What could not be handled or delivered, and what a person decides about it: handle anew, confirm, waive."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from canonical.codes.message import NOT_IN_STORE, NOT_REPLAYABLE
from canonical.errors import RejectedError
from canonical.messages import Outcome
from store import acts, claims
from store.deliveries import Delivery, find, settle
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


def reopen(session: Session, entry: int, *, by: str, now: datetime) -> None:
    """Forget what was said of a message, so that a new attempt handles it from its beginning, or its checkpoint.

    What was refused may be tried again, and what was taken in part or in vain; also what an interrupted replay left.

    Raises:
        RejectedError: no such message (NOT_IN_STORE), or it was taken whole, waived or is being handled
            (NOT_REPLAYABLE).
    """
    told = claims.reopen(session, entry)
    row = _message(session, entry)
    if not (row.state in ("parked", "received") or (row.state == "done" and told not in ("", "OK"))):
        raise RejectedError(f"message {entry} is {row.state}", code=NOT_REPLAYABLE, where=row.source)
    before, row.state = f"{row.state} {row.code}".strip(), "received"
    acts.note(session, str(entry), "replayed", by=by, reason=f"was {before}", at=now)


def waive(session: Session, word: str, *, by: str, reason: str, now: datetime) -> None:
    """Settle what is parked without doing it: nothing is sent or handled, and who decided so is kept.

    Raises:
        RejectedError: nothing has that id (NOT_IN_STORE), or it is not parked (NOT_REPLAYABLE).
    """
    if word.isdigit():
        message = _message(session, int(word))
        if message.state != "parked":
            raise RejectedError(f"message {word} is {message.state}", code=NOT_REPLAYABLE, where=message.source)
        message.state = "waived"
    else:
        _waiting_delivery(session, word).state = "cancelled"
    acts.note(session, word, "waived", by=by, reason=reason, at=now)


def confirm(session: Session, delivery_id: str, *, by: str, reason: str, now: datetime) -> None:
    """Note that a person learned otherwise that the destination has what was sent.

    Raises:
        RejectedError: no such delivery (NOT_IN_STORE), or it neither is parked nor waits for a confirmation
            (NOT_REPLAYABLE).
    """
    row = _waiting_delivery(session, delivery_id, also_in_time=True)
    settle(row, Outcome("confirmed", reason=f"by {by}: {reason}"), now=now)
    acts.note(session, delivery_id, "confirmed", by=by, reason=reason, at=now)


def refused_by(session: Session, sources: Collection[str]) -> set[tuple[str, str]]:
    """Return source and code of whatever of these sources is parked."""
    query = select(StoredMessage.source, StoredMessage.code).where(
        StoredMessage.state == "parked", col(StoredMessage.source).in_(sorted(sources))
    )
    return set(session.exec(query.distinct()).all())


def _message(session: Session, entry: int) -> StoredMessage:
    """Return a message, locked."""
    query = select(StoredMessage).where(StoredMessage.entry == entry).with_for_update()
    row = session.exec(query).one_or_none() if entry < 1 << 63 else None
    if row is None:
        raise RejectedError(f"no message has the entry number {entry}", code=NOT_IN_STORE)
    return row


def _waiting_delivery(session: Session, delivery_id: str, *, also_in_time: bool = False) -> Delivery:
    """Return a delivery that is parked, or sent and overdue for its confirmation (or, `also_in_time`, not yet)."""
    row = find(session, delivery_id)
    late = row.state == "sent" and (row.unconfirmed_at is not None or also_in_time)
    if row.state != "parked" and not late:
        raise RejectedError(f"delivery {delivery_id} is {row.state}", code=NOT_REPLAYABLE, where=row.destination)
    return row
