"""Readings that arrive outside of a question: kept, and the items that rest on them are looked at again."""

from datetime import datetime

from canonical.codes.identity import READINGS_UNRESOLVED
from canonical.messages import Message, Reply
from canonical.metering import MeterReadings
from flows.billing_exchange import late, resolving, unowned
from store import readings
from store.session import Session


def readings_arrived(
    session: Session, message: Message[tuple[MeterReadings, ...]], now: datetime, *, queue: str = "metering"
) -> Reply:
    """Take readings that a meter data system tells by itself; the handler for `flows.spine.receive`.

    PARTIAL: some name a usage point or meter that no master has told the hub of; the reply says how many, and work in
    `queue` names them. They are kept aside until a master does.
    """
    resolved = resolving.resolve(session, message.payload)
    stored = readings.keep(session, resolved.readings, now=now, origin=message.header.message_id)
    items = late.mark(session, stored.touched, now=now)
    details = {
        "stored": str(stored.inserted + stored.changed),
        "unchanged": str(stored.unchanged),
        "items": str(items),
        "unresolved": str(len(resolved.unresolved)),
    }
    if resolved.unresolved:
        unowned.tell(session, message, resolved.unresolved, queue=queue, now=now)
        reason = "; ".join(reason for _, reason in resolved.unresolved[:5])
        result = "PARTIAL" if resolved.readings else "FAILED"
        return Reply(
            "PARTIAL" if result == "PARTIAL" else "FAILED",
            message.header.correlation_id,
            str(READINGS_UNRESOLVED),
            reason,
            details,
        )
    return Reply("OK", message.header.correlation_id, details=details)
