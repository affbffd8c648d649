"""Events that devices tell of their own accord: kept durably with their source's code, mapped, counted, closed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from canonical.codes.exchange import EVENT_CONTRADICTS, EVENT_NOT_ALARM, UNMAPPED_EVENT
from canonical.errors import ErrorCode
from canonical.events import EndDeviceEvent, EventsTold, ReadingsWithEvents
from canonical.ids import mint
from canonical.messages import Message, Reply
from canonical.replies import of_object
from canonical.work import WorkItem
from store import end_device_events, work
from store.session import Session, Transaction


def events_told(
    session: Session, message: Message[EventsTold], *, now: datetime, owners: Mapping[str, str] | None = None
) -> Reply:
    """Keep the events of a message, or close them; a handler for `spine.receive`.

    An event that was told before is counted and changes nothing. What its source's dialect does not know is kept with
    its own code, and is one piece of work for each source and code. `owners` names the queue of the area `integration`.

    PARTIAL or FAILED: some, or all, contradict what was told before or have no end (an entry of the details for each).
    """
    told = message.payload
    if told.is_over:
        return close_events(session, message, now=now)
    counts, wrong = keep_events(session, told.events, message_id=message.header.message_id, now=now, owners=owners)
    return _reply(message, counts, wrong, EVENT_CONTRADICTS)


def keep_events(
    session: Session,
    events: Sequence[EndDeviceEvent],
    *,
    message_id: str,
    now: datetime,
    owners: Mapping[str, str] | None = None,
) -> tuple[dict[str, int], tuple[EndDeviceEvent, ...]]:
    """Keep events and make work of unmapped codes; return the counts, and the events that contradict earlier ones."""
    kept = end_device_events.keep(session, events, message_id=message_id, now=now)
    unmapped = [one for one in kept.fresh if one.kind is None]
    queue = (owners or {}).get("integration", "integration")
    work.raise_work(session, _unmapped(unmapped, queue, now), now=now)
    return {"stored": len(kept.fresh), "repeated": kept.repeated, "unmapped": len(unmapped)}, kept.contradicting


def readings_with_events(
    session: Session,
    message: Message[ReadingsWithEvents],
    *,
    handle: Callable[[Session, Message[Any]], Reply],
    now: datetime,
    owners: Mapping[str, str] | None = None,
) -> Reply:
    """Keep the events that stand between readings, then let `handle` take the readings; a handler for `spine.receive`.

    The reply is that of the readings, with the counts of the events; PARTIAL where an event was refused.
    """
    header, payload = message.header, message.payload
    counts, wrong = keep_events(session, payload.events, message_id=header.message_id, now=now, owners=owners)
    said = _reply(Message(header, EventsTold(payload.events)), counts, wrong, EVENT_CONTRADICTS)
    told = {f"events_{name}" if name in counts else name: text for name, text in said.details.items()}
    if not payload.readings:
        return replace(said, details=told)
    reply = handle(session, Message(header, payload.readings))
    details = {**reply.details, **told}
    if said.result != "OK" and reply.result == "OK":
        return Reply("PARTIAL", reply.correlation_id, said.code, said.reason, details)
    return replace(reply, details=details)


def close_events(session: Session, message: Message[EventsTold], *, now: datetime) -> Reply:
    """End the alarms that a message closes."""
    events = message.payload.events
    done = end_device_events.close(session, events, message_id=message.header.message_id, now=now)
    counts = {"closed": done.closed, "repeated": done.repeated, "unseen": done.unseen}
    return _reply(message, counts, done.refused, EVENT_NOT_ALARM)


def _reply(
    message: Message[EventsTold], counts: Mapping[str, int], wrong: Sequence[EndDeviceEvent], code: ErrorCode
) -> Reply:
    """Return what the sender is told: counts, and an entry for each event that was refused."""
    said = {name: str(number) for name, number in counts.items()}
    correlation_id = message.header.correlation_id
    if not wrong:
        return Reply("OK", correlation_id, details=said)
    reason = f"{len(wrong)} of {len(message.payload.events)} events"
    said |= dict(of_object("EndDeviceEvent", one.mrid or one.event_id, code, one.code) for one in wrong)
    whole = len(wrong) == len(message.payload.events)
    return Reply("FAILED" if whole else "PARTIAL", correlation_id, str(code), reason, said)


def _unmapped(events: Sequence[EndDeviceEvent], queue: str, now: datetime) -> list[WorkItem]:
    """Return one piece of work for each source and code that no dialect knows."""
    count: dict[tuple[str, str], int] = {}
    for one in events:
        count[one.source, one.code] = count.get((one.source, one.code), 0) + 1
    return [
        WorkItem(
            work_id=mint("work", UNMAPPED_EVENT.number, source, code),
            code=str(UNMAPPED_EVENT),
            key=f"{source}/{code}",
            queue=queue,
            summary=f"{source} tells {code}, which its dialect does not know: {number} events kept in this message",
            due_at=now,
            at_risk_kwh=Decimal(0),
            suggested=UNMAPPED_EVENT.next_step,
        )
        for (source, code), number in sorted(count.items())
    ]


@dataclass(frozen=True, slots=True)
class WantedEvents:
    """Which events a person wants to see; empty fields narrow nothing."""

    source: str = ""
    meter: str = ""
    """mRID or serial."""
    kind: str = ""
    unmapped: bool = False
    limit: int = 200


def list_events(wanted: WantedEvents, *, transaction: Transaction) -> list[dict[str, Any]]:
    """Return events, newest first."""
    with transaction() as session:
        return end_device_events.listed(
            session,
            source=wanted.source,
            meter=wanted.meter,
            kind=wanted.kind,
            unmapped=wanted.unmapped,
            limit=wanted.limit,
        )


def count_events(*, transaction: Transaction) -> list[dict[str, Any]]:
    """Return how often each source told each code, and what it is taken for."""
    with transaction() as session:
        return list(end_device_events.counts(session))
