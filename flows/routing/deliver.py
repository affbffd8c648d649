"""Turning a routed message into deliveries, in the transaction of the state that causes it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from canonical.codes.linkage import DONE_BY_HAND
from canonical.errors import ErrorCode, RejectedError
from canonical.ids import mint, mint_near
from canonical.messages import Header, Message, Parcel
from canonical.work import WorkItem
from flows.routing.routes import Routes
from store import deliveries, work
from store.deliveries import Outgoing
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


@dataclass(frozen=True, slots=True)
class Telling:
    """A message for one role, and the lane in which it keeps its place."""

    message: Message[Any]
    destination: str
    lane: str
    part: str = ""
    """What tells it from the rest of its message, where it goes later."""


def send(
    session: Session, message: Message[Any], destination: str, *, sending: Sending, lane: str, part: str = ""
) -> str:
    """Enqueue a message for one role and return the delivery's id; empty where it is a person's work instead."""
    return send_many(session, [Telling(message, destination, lane, part)], sending=sending)[0]


def send_many(session: Session, tellings: Sequence[Telling], *, sending: Sending) -> list[str]:
    """Enqueue messages in their order and return the deliveries' ids; empty where one is a person's work instead.

    Where the site has a person for a role, the person does it. A message's id is minted from the message that causes
    it, the destination, and `part`. What a destination has no words for is work, and holds nothing else up.
    """
    found = [_outgoing(session, one, sending=sending) for one in tellings]
    names = iter(deliveries.enqueue_many(session, [one for one in found if one is not None], now=sending.now))
    return [next(names) if one is not None else "" for one in found]


def _outgoing(session: Session, telling: Telling, *, sending: Sending) -> Outgoing | None:
    """Return what goes out; None where it is work."""
    cause, destination = telling.message.header, telling.destination
    own = (telling.part,) if telling.part else ()
    header = Header(
        message_id=mint_near(cause.message_id, "routed", cause.source, cause.message_id, destination, *own),
        source=cause.source,
        verb=cause.verb,
        noun=cause.noun,
        correlation_id=cause.correlation_id,
        causation_id=cause.message_id,
        created_at=cause.created_at or sending.now,
        effective_at=cause.effective_at,
        lane=telling.lane,
        priority=cause.priority,
        expires_at=cause.expires_at,
    )
    queue = sending.routes.queue
    if destination in sending.routes.manual:
        tell(session, DONE_BY_HAND, header.message_id, _asked(destination, header), queue=queue, now=sending.now)
        return None
    try:
        parcel = sending.encode(destination, replace(telling.message, header=header))
    except RejectedError as error:
        reason = f"{destination} cannot be told {header.verb} {header.noun}: {error.reason}"
        tell(session, error.code, header.message_id, reason, queue=queue, now=sending.now)
        return None
    return Outgoing(header, replace(parcel, key=header.message_id), destination)


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
