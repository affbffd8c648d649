"""Turning a routed message into deliveries, in the transaction of the state that causes it."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from canonical.codes.linkage import DONE_BY_HAND
from canonical.errors import ErrorCode, RejectedError
from canonical.ids import mint
from canonical.messages import Header, Message, Parcel
from canonical.work import WorkItem
from flows.routing.routes import Routes
from store import deliveries, work
from store.session import Session


class Encode(Protocol):
    """Says a message in the words of a role: `Destination.encode` of its port."""

    def __call__(self, role: str, message: Message[Any]) -> Parcel:
        """Return the message as wire bytes; pure.

        Raises:
            RejectedError: the message cannot be said in its words.
        """
        ...


@dataclass(frozen=True, slots=True)
class Sending:
    """Everything that sending needs and that no message changes."""

    routes: Routes
    encode: Encode
    now: datetime
    """Business time."""


def send(
    session: Session, message: Message[Any], destination: str, *, sending: Sending, lane: str, part: str = ""
) -> str:
    """Enqueue a message for one role and return the delivery's id; empty where it is a person's work instead.

    Where the site has a person for that role, the person does it. The message's id is minted from the message that
    causes it, the destination, and `part` where it goes later than the rest. What the destination has no words for is
    work, and holds nothing else up.
    """
    cause = message.header
    own = (part,) if part else ()
    header = Header(
        message_id=mint("routed", cause.source, cause.message_id, destination, *own),
        source=cause.source,
        verb=cause.verb,
        noun=cause.noun,
        correlation_id=cause.correlation_id,
        causation_id=cause.message_id,
        created_at=cause.created_at or sending.now,
        effective_at=cause.effective_at,
        lane=lane,
        priority=cause.priority,
        expires_at=cause.expires_at,
    )
    queue = sending.routes.queue
    if destination in sending.routes.manual:
        tell(session, DONE_BY_HAND, header.message_id, _asked(destination, header), queue=queue, now=sending.now)
        return ""
    try:
        parcel = sending.encode(destination, replace(message, header=header))
    except RejectedError as error:
        reason = f"{destination} cannot be told {header.verb} {header.noun}: {error.reason}"
        tell(session, error.code, header.message_id, reason, queue=queue, now=sending.now)
        return ""
    return deliveries.enqueue(
        session, header=header, parcel=replace(parcel, key=header.message_id), destination=destination, now=sending.now
    )


def tell(
    session: Session, code: ErrorCode, key: str, summary: str, *, queue: str, now: datetime, usage_point: str = ""
) -> None:
    """Make something that nobody waits for an answer of a person's work; the same code and key again is counted."""
    item = WorkItem(
        work_id=work_id(code, key),
        code=str(code),
        key=key,
        queue=queue,
        summary=summary,
        due_at=now,
        at_risk_kwh=Decimal(0),
        usage_point=usage_point,
        suggested=code.next_step,
    )
    work.raise_work(session, [item], now=now)


def resolve(session: Session, name: str, *, reason: str, now: datetime) -> None:
    """End work that has become needless; work that somebody closed stays as it is."""
    found = work.of_ids(session, {name}).get(name)
    if found is not None and found["state"] in work.OPEN_STATES:
        work.act(session, [name], "resolved", state="RESOLVED", by="hub", reason=reason, now=now)


def work_id(code: ErrorCode, key: str) -> str:
    """Return the id of the work about a key."""
    return mint("work", "routing", code.number, key)


def _asked(destination: str, header: Header) -> str:
    return f"for {destination}: {header.verb} {header.noun} of {header.source}, message {header.causation_id}"
