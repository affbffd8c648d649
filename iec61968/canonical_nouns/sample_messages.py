"""Sample messages of systems that speak IEC 61968-9, typed and bare alike: what each means, and the same bytes back.

For golden cases: a sample that asks for exchanges means FieldOrders, any other the master data or the readings that
it tells.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from lxml import etree

from canonical.master_data import MasterData, ThingVerdict
from canonical.messages import Header, Message
from canonical.metering import MeterReadings
from canonical.rollout import FieldOrder
from iec61968 import safe_xml
from iec61968.canonical_nouns.conventions import MasterDataReading
from iec61968.canonical_nouns.field_orders import PLANNED, WITHDRAWN, order_from_object
from iec61968.canonical_nouns.incoming import meter_readings_from_wire
from iec61968.canonical_nouns.master_data import IMPERATIVES, master_data_from_wire
from iec61968.canonical_nouns.outgoing import Speech, outgoing
from iec61968.canonical_nouns.saying import Inbound
from iec61968.editions import EDITIONS
from iec61968.message_codec import message_from_xml
from iec61968.message_writer import message_to_xml
from iec61968.nouns import meter_service_requests
from iec61968.wire import WireHeader, WireMessage


@dataclass(frozen=True, slots=True)
class Meant:
    """What a sample message means, with what its header says."""

    message_id: str
    correlation_id: str
    source: str
    verb: str
    noun: str
    timestamp: datetime | None
    properties: tuple[tuple[str, str], ...]
    """What the header of a bare message says beside, such as `EffectiveTime`."""

    means: MasterData | tuple[FieldOrder, ...] | tuple[MeterReadings, ...]

    @property
    def message(self) -> Message[Any]:
        """Return it as the message that it was."""
        own = Header(self.message_id, self.source, self.verb, self.noun, self.correlation_id, created_at=self.timestamp)
        return Message(own, self.means)

    @property
    def refused(self) -> tuple[ThingVerdict, ...]:
        """Objects that could not be understood: a message with some is not written back."""
        return self.means.refused if isinstance(self.means, MasterData) else ()


@dataclass(frozen=True, slots=True)
class Samples:
    """How the samples of one adapter are read and written."""

    source: str
    """Name of the feed in readings that they tell."""

    conventions: MasterDataReading
    bare: bool = False
    """Whether they are messages of a queue, not typed documents of a web service."""

    def read(self, wire: bytes, name: str) -> Meant:
        """Return what a sample means; `name` is the file's, for errors.

        Raises:
            RejectedError: it cannot be read.
        """
        return read_sample(wire, name, source=self.source, conventions=self.conventions)

    def write(self, meant: Meant, _name: str = "") -> bytes:
        """Return the message that means this, indented as samples are.

        Raises:
            RejectedError: it cannot be said.
        """
        return write_sample(meant, conventions=self.conventions, bare=self.bare)


def read_sample(wire: bytes, name: str, *, source: str, conventions: MasterDataReading) -> Meant:
    """Return what a sample means; `name` is the file's, for errors.

    Raises:
        RejectedError: it cannot be read.
    """
    message = message_from_xml(safe_xml.parse(wire, where=name))
    header = message.header or WireHeader("", "")
    means: Any
    if header.noun == "MeterReadings":
        means = meter_readings_from_wire(message, source=source).payload
    else:
        means = _orders(message, header, conventions, source)
        means = means or master_data_from_wire(message, source=source, conventions=conventions).payload
    return Meant(
        header.message_id, header.correlation_id, header.source, header.verb, header.noun, header.timestamp,
        header.properties, means,
    )  # fmt: skip


def write_sample(meant: Meant, *, conventions: MasterDataReading, bare: bool = False) -> bytes:
    """Return the message that means this, typed or bare, indented as samples are.

    Raises:
        RejectedError: it cannot be said.
    """
    edition = EDITIONS["2011"]
    wire = outgoing(meant.message, Speech(edition, meant.source, conventions))
    if wire.header is not None:
        wire = replace(wire, header=replace(wire.header, properties=meant.properties))
    root = message_to_xml(wire, edition=edition, typed="" if bare else meant.noun)
    etree.indent(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8") + b"\n"


def _orders(
    message: WireMessage, header: WireHeader, conventions: MasterDataReading, source: str
) -> tuple[FieldOrder, ...]:
    """Return the orders that a sample asks for; none where it tells what was done."""
    if header.noun != meter_service_requests.MeterServiceRequests.__name__:
        return ()
    inbound = Inbound(IMPERATIVES[header.verb], conventions, source, header.timestamp)
    works = [
        work for part in message.payload.parts for work in meter_service_requests.from_xml(part).meter_service_work
    ]
    asked = [one for one in works if one.status is not None and one.status.value in (PLANNED, WITHDRAWN)]
    return tuple(order_from_object(one, inbound, f"MeterServiceWork[{n}]") for n, one in enumerate(asked, 1))
