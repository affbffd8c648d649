"""Canonical messages as bare messages of IEC 61968-100 and back, for carriers that have no envelope of their own.

What the header of the standard has no element for travels in its Property list: EffectiveTime, ExpirationTime,
CausationID, Priority. The CorrelationID is the MessageID, so that the partner's ResponseMessage names one message.
"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from lxml import etree

from canonical.codes import message as codes
from canonical.documents import Document
from canonical.errors import RejectedError
from canonical.messages import Header, Message
from iec61968.bindings import unwrap, wrap
from iec61968.canonical_nouns.outgoing import Speech, outgoing
from iec61968.envelope import local_name
from iec61968.message_codec import message_from_xml
from iec61968.message_writer import message_to_xml
from iec61968.validation import require_valid
from iec61968.wire import WireHeader

EFFECTIVE, EXPIRES, CAUSE, PRIORITY = "EffectiveTime", "ExpirationTime", "CausationID", "Priority"


def bare_from_message(message: Message[Any], identity: str, speech: Speech) -> bytes:
    """Return the bare message that says a canonical one, under the id `identity` (a UUID).

    Raises:
        RejectedError: it cannot be said as a valid message of the edition.
    """
    wire = outgoing(message, speech)
    if wire.header is None:
        raise RejectedError("no Header", code=codes.EXPORT_IMPOSSIBLE)
    header = replace(wire.header, message_id=identity, correlation_id=identity, properties=_properties(message.header))
    root = message_to_xml(replace(wire, header=header), edition=speech.edition)
    require_valid(root, speech.edition, where=f"{header.verb} {header.noun}")
    return wrap(root, "bare")


def message_from_bare(raw: bytes, *, source: str) -> Message[Document]:
    """Return the message that a bare one carries; its payload is not taken apart.

    Raises:
        RejectedError: it cannot be read, or does not carry exactly one payload element.
    """
    wire = message_from_xml(unwrap(raw).message)
    if wire.header is None or len(wire.payload.parts) != 1:
        raise RejectedError("no Header, or not one payload", code=codes.SCHEMA_INVALID, where=wire.name)
    element = wire.payload.parts[0]
    header = replace(
        wire.header.canonical(source=source),
        causation_id=wire.header.property(CAUSE),
        effective_at=instant_of(wire.header, EFFECTIVE),
        expires_at=instant_of(wire.header, EXPIRES),
        priority="high" if wire.header.property(PRIORITY) == "high" else "normal",
    )
    return Message(header, Document(local_name(element), etree.tostring(element)))


def instant_of(header: WireHeader, name: str) -> datetime | None:
    """Return an instant (UTC) that a property states; None where it is not stated, or not as one."""
    try:
        found = datetime.fromisoformat(header.property(name))
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _properties(header: Header) -> tuple[tuple[str, str], ...]:
    """Return what the header of the standard has no element for."""
    instants = ((EFFECTIVE, header.effective_at), (EXPIRES, header.expires_at))
    found = [(name, at.astimezone(UTC).isoformat().replace("+00:00", "Z")) for name, at in instants if at]
    found += [(CAUSE, header.causation_id)] if header.causation_id else []
    found += [(PRIORITY, header.priority)] if header.priority != "normal" else []
    return tuple(found)
