"""Messages that tell meter readings, to canonical words."""

from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.messages import Message
from canonical.metering import MeterReadings
from iec61968.canonical_nouns.readings import readings_from_columns
from iec61968.editions import EDITIONS, Edition
from iec61968.envelope import local_name
from iec61968.nouns.meter_reading_elements import columns_of, tags_of
from iec61968.nouns.meter_readings import NOUN
from iec61968.wire import WireMessage

_EDITION: Edition = EDITIONS["2011"]
"""Deployments agree on the namespace of payloads."""


def meter_readings_from_wire(wire: WireMessage, *, source: str) -> Message[tuple[MeterReadings, ...]]:
    """Return the readings that a message tells; `source` is who proved to be the sender.

    Raises:
        RejectedError: it tells none, or one of them cannot be read; nothing of it is taken.
    """
    if wire.header is None or wire.header.noun != NOUN or wire.header.verb == "get":
        raise RejectedError(f"{wire.name} tells no readings", code=codes.NOT_SUPPORTED_HERE, where="Header")
    tags = tags_of(_EDITION)
    found = [
        child
        for part in wire.payload.parts
        if local_name(part) == NOUN
        for child in part.iterchildren(tags.meter_reading)
    ]
    if not found:
        raise RejectedError("no MeterReading", code=codes.SCHEMA_INVALID, where="Payload")
    payload = tuple(
        readings_from_columns(
            columns_of(one, tags, valid=False, where=f"MeterReading[{n}]"), source=source, where=f"MeterReading[{n}]"
        )
        for n, one in enumerate(found, 1)
    )
    return Message(wire.header.canonical(source=source), payload)
