"""A file that is one message of readings: its MeterReadings one by one, as a stream, in canonical words and back.

A file holds a bare EventMessage or ResponseMessage, a typed message, a SOAP envelope, or the MeterReadings alone. An
item's `line` is the number of its MeterReading in the document, which may stand on one line from end to end.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from io import BytesIO
from typing import BinaryIO

from lxml import etree

from canonical.codes.file import UNKNOWN_NAME
from canonical.errors import RejectedError
from canonical.messages import FileIdentity, Item, Rejection
from canonical.metering import MeterReadings
from iec61968 import safe_xml
from iec61968.bindings import unwrap
from iec61968.canonical_nouns.readings import columns_from_readings, readings_from_columns
from iec61968.editions import EDITIONS, Edition
from iec61968.message_codec import message_from_xml
from iec61968.message_writer import message_to_xml
from iec61968.nouns import meter_readings
from iec61968.nouns.meter_readings import BadMeterReading, Each
from iec61968.validation import Policy
from iec61968.wire import WireHeader, WireMessage, WirePayload

_PACKED = re.compile(r"(\.xml)\.(gz|zip)", re.IGNORECASE)


def identity_from_name(name: str, *, names: re.Pattern[str], sender: str) -> FileIdentity:
    """Return what a name says; `names` is the provider's pattern of names without `.gz` or `.zip`.

    Raises:
        RejectedError: it does not follow the pattern (UNKNOWN_NAME).
    """
    found = names.fullmatch(_PACKED.sub(r"\1", name))
    if found is None:
        raise RejectedError(f"{name[:80]!r} does not follow {names.pattern!r}", code=UNKNOWN_NAME, where=name)
    said = found.groupdict()
    sequence = said.get("sequence") or ""
    if sequence and not (sequence.isascii() and sequence.isdigit()):
        raise RejectedError(f"sequence {sequence!r} is no number", code=UNKNOWN_NAME, where=name)
    return FileIdentity(
        "readings",
        sender,
        said.get("receiver") or "",
        said.get("env") or "",
        sequence=int(sequence) if sequence else None,
    )


def items_from_file(
    stream: BinaryIO, *, edition: Edition, policy: Policy, source: str, where: str
) -> Iterator[Item[MeterReadings] | Rejection]:
    """Yield every MeterReading of a file in its order, or why it alone cannot be read; memory is bounded.

    Raises:
        RejectedError: the file cannot be trusted: not XML, cut short, not valid with policy `strict`.
    """
    each = meter_readings.decode_each(stream, edition=edition, policy=policy, where=where)
    for number, one in enumerate(each, 1):
        yield _item(one, number, source=source, where=where)


def _item(one: Each, number: int, *, source: str, where: str) -> Item[MeterReadings] | Rejection:
    """Return one MeterReading; events that stand in it are named as a remark: files carry readings."""
    try:
        if isinstance(one, BadMeterReading):
            raise one.error
        readings = readings_from_columns(one, source=source, where=f"{where} MeterReading[{number}]")
    except RejectedError as error:
        return Rejection(number, str(error.code), f"{error.where}: {error.reason}".removeprefix(": "))
    if one.events:
        remark = f"{len(one.events)} EndDeviceEvents are not taken from a file"
        readings = replace(readings, events=(*readings.events, remark))
    return Item(number, readings.usage_point or readings.usage_point_name or readings.meter, readings)


@dataclass(frozen=True, slots=True)
class Meant:
    """What a sample file means."""

    message_id: str
    verb: str
    source: str
    created_at: datetime | None
    readings: tuple[MeterReadings, ...]


def golden_read(wire: bytes, name: str) -> Meant:
    """Return what a sample file means; `name` is the file's."""
    header = message_from_xml(unwrap(wire).message).header or WireHeader("", "")
    found = items_from_file(BytesIO(wire), edition=EDITIONS["2011"], policy="strict", source="mdms", where=name)
    readings = tuple(item.payload for item in found if isinstance(item, Item))
    return Meant(header.message_id, header.verb, header.source, header.timestamp, readings)


def golden_write(meant: Meant, _name: str = "") -> bytes:
    """Return the file that means this: a bare event message."""
    element = meter_readings.to_xml([columns_from_readings(one) for one in meant.readings], edition=EDITIONS["2011"])
    identity = meant.message_id
    header = WireHeader(meant.verb, meter_readings.NOUN, identity, identity, meant.created_at, source=meant.source)
    message = WireMessage("event", header, payload=WirePayload((element,)))
    root = message_to_xml(message, edition=EDITIONS["2011"])
    return etree.tostring(safe_xml.parse(etree.tostring(root)), xml_declaration=True, encoding="UTF-8")
