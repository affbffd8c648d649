"""Events of devices that come as EndDeviceEvents, or between readings: from the wire to canonical words."""

import re
from collections.abc import Mapping
from typing import Any

from lxml import etree

from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.events import EventsTold, ReadingsWithEvents
from canonical.messages import Message
from canonical.metering import MeterReadings
from iec61968 import safe_xml
from iec61968.bindings import body_of
from iec61968.dialects.device_events import Spoken, events_in
from iec61968.envelope import local_name
from iec61968.message_codec import message_from_xml
from services.site_model import ServeSection

_BODY = re.compile(rb"<(?:[\w.-]+:)?Body\b[^>]*>\s*<(?:[\w.-]+:)?(?:Created|Closed)EndDeviceEvents[\s/>]")

Dialects = Mapping[str, Spoken]
"""How each caller tells events; edition 2 where it is not named."""


def dialects_of(section: ServeSection) -> dict[str, Spoken]:
    """Return how each caller of the site tells events."""
    return {name: Spoken(one.event_dialect, dict(one.event_codes)) for name, one in section.clients.items()}


def is_events(raw: bytes) -> bool:
    """Return whether the body element of a checked call tells events of devices, or closes them."""
    return _BODY.search(raw, 0, 65_536) is not None


def events_from_call(raw: bytes, *, caller: str, dialects: Dialects) -> Message[EventsTold]:
    """Return what a CreatedEndDeviceEvents or ClosedEndDeviceEvents tells.

    Raises:
        RejectedError: there is no Header or payload, or an event cannot be read.
    """
    wire = message_from_xml(body_of(safe_xml.parse(raw)), strict=False)
    payload = next((part for part in wire.payload.parts if local_name(part) == "EndDeviceEvents"), None)
    if wire.header is None or payload is None:
        raise RejectedError("no Header or no EndDeviceEvents", code=codes.SCHEMA_INVALID, where="/")
    events = tuple(events_in(payload, source=caller, spoken=dialects.get(caller, Spoken())))
    return Message(wire.header.canonical(source=caller), EventsTold(events, wire.header.verb == "closed"))


def with_events(
    message: Message[tuple[MeterReadings, ...]], raw: bytes, *, caller: str, dialects: Dialects
) -> Message[Any]:
    """Return readings together with the events that stand between them; the message itself where there are none.

    Raises:
        RejectedError: an event cannot be read.
    """
    if b"EndDeviceEvents" not in raw:
        return message
    spoken = dialects.get(caller, Spoken())
    payloads = [one for one in safe_xml.parse(raw).iter(etree.Element) if local_name(one) == "MeterReadings"]
    events = tuple(event for one in payloads for event in events_in(one, source=caller, spoken=spoken))
    if not events:
        return message
    readings = tuple(one for one in message.payload if one.registers or one.blocks or one.events)
    return Message(message.header, ReadingsWithEvents(readings, events))
