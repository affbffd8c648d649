"""Messages of a CIS over IEC 61968-9 in canonical words and back (docs/adapters/cis_cim.md).

What the nouns mean is the standard's and stands in `iec61968.canonical_nouns`; what one CIS does differently is stated
by its settings (`MasterDataReading`).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lxml import etree

from canonical.master_data import MasterData, ThingVerdict
from canonical.messages import Header, Message
from canonical.metering import MeterReadings
from iec61968 import safe_xml
from iec61968.canonical_nouns.conventions import MasterDataReading
from iec61968.canonical_nouns.incoming import meter_readings_from_wire
from iec61968.canonical_nouns.master_data import master_data_from_wire
from iec61968.canonical_nouns.outgoing import Speech, outgoing
from iec61968.editions import EDITIONS, Edition
from iec61968.message_codec import message_from_xml
from iec61968.message_writer import message_to_xml
from iec61968.wire import WireMessage

SENDER = "AMIHUB"
"""Source in our headers where the settings give none."""

_SAMPLES = MasterDataReading(zone="America/Toronto")
"""How the samples are to be understood."""


def master_data_from_message(
    wire: WireMessage, *, source: str, settings: MasterDataReading, strict: bool = True
) -> Message[MasterData]:
    """Return what a message says of customers, accounts, agreements, places, usage points, meters, links, exchanges.

    `source` is who proved to be the sender. Objects that cannot be understood are refused by themselves
    (`MasterData.refused`). Without `strict` a word outside its enumeration is taken as it came.

    Raises:
        RejectedError: not master data, or nothing can be made of the message as a whole.
    """
    return master_data_from_wire(wire, source=source, conventions=settings, strict=strict)


def readings_from_message(wire: WireMessage, *, source: str) -> Message[tuple[MeterReadings, ...]]:
    """Return the readings that a message tells.

    Raises:
        RejectedError: it tells none, or one of them cannot be read; nothing of it is taken.
    """
    return meter_readings_from_wire(wire, source=source)


def message_from_master_data(
    message: Message[MasterData],
    *,
    edition: Edition = EDITIONS["2011"],
    sender: str = SENDER,
    settings: MasterDataReading | None = None,
) -> bytes:
    """Return the typed message that says this, as a request or an event by its header's verb.

    Raises:
        RejectedError: it cannot be said in its noun.
    """
    return _written(message, Speech(edition, sender, settings or MasterDataReading()))


def message_from_readings(
    message: Message[tuple[MeterReadings, ...]], *, edition: Edition = EDITIONS["2011"], sender: str = SENDER
) -> bytes:
    """Return the typed event that tells readings.

    Raises:
        RejectedError: one of them cannot be said.
    """
    return _written(message, Speech(edition, sender, MasterDataReading()))


def _written(message: Message[Any], speech: Speech) -> bytes:
    """Return a canonical message as the bytes of its typed message."""
    return etree.tostring(_element(message, speech), xml_declaration=True, encoding="UTF-8")


def _element(message: Message[Any], speech: Speech) -> etree._Element:
    """Return a canonical message as its typed message."""
    wire = outgoing(message, speech)
    noun = wire.header.noun if wire.header is not None else ""
    return message_to_xml(wire, edition=speech.edition, typed=noun)


@dataclass(frozen=True, slots=True)
class Meant:
    """What a sample message means, with what its header says."""

    message_id: str
    correlation_id: str
    source: str
    verb: str
    noun: str
    timestamp: datetime | None
    means: MasterData | tuple[MeterReadings, ...]

    @property
    def message(self) -> Message[Any]:
        """Return it as the message that it was."""
        header = Header(
            self.message_id, self.source, self.verb, self.noun, self.correlation_id, created_at=self.timestamp
        )
        return Message(header, self.means)

    @property
    def refused(self) -> tuple[ThingVerdict, ...]:
        """Objects that could not be understood: a message with some is not written back."""
        return self.means.refused if isinstance(self.means, MasterData) else ()


def golden_read(wire: bytes, name: str) -> Meant:
    """Return what a sample message means; `name` is the file's, for errors."""
    message = message_from_xml(safe_xml.parse(wire, where=name))
    found: Message[Any]
    if message.header is not None and message.header.noun == "MeterReadings":
        found = readings_from_message(message, source="cis")
    else:
        found = master_data_from_message(message, source="cis", settings=_SAMPLES)
    own = found.header
    source = message.header.source if message.header is not None else ""
    return Meant(own.message_id, own.correlation_id, source, own.verb, own.noun, own.created_at, found.payload)


def golden_write(meant: Meant, _name: str = "") -> bytes:
    """Return the message that means this, indented as samples are."""
    root = _element(meant.message, Speech(EDITIONS["2011"], meant.source, _SAMPLES))
    etree.indent(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8") + b"\n"
