"""What a message of IEC 61968-100 says, whole: header, request, reply, payload. Values only; see `message_codec`."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from lxml import etree

from canonical.messages import Header
from iec61968.envelope import WireReply

MessageKind = Literal["request", "response", "event", "fault"]
IdKind = Literal["", "name", "uuid", "transaction", "other"]


@dataclass(frozen=True, slots=True)
class WireId:
    """An identifier of an object or of a message, as Request, Reply and Payload carry them."""

    value: str
    kind: IdKind = ""
    object_type: str = ""
    """CIM class, such as `UsagePoint`."""

    id_type: str = ""
    id_authority: str = ""


@dataclass(frozen=True, slots=True)
class WireHeader:
    """Every part of a Header in the standard's words; empty or None where it does not stand."""

    verb: str
    noun: str
    message_id: str = ""
    correlation_id: str = ""
    timestamp: datetime | None = None
    """UTC; None also for an unreadable one where the endpoint is tolerant."""

    timestamp_text: str = ""
    """As it stood on the wire, with the sender's own offset."""

    source: str = ""
    revision: str = ""
    nonce: str = ""
    nonce_created: datetime | None = None
    context: str = ""
    async_reply: bool | None = None
    reply_address: str = ""
    ack_required: bool | None = None
    user: str = ""
    organization: str = ""
    comment: str = ""
    properties: tuple[tuple[str, str], ...] = ()
    """Name and value, in their order."""

    extensions: tuple[etree._Element, ...] = ()
    """What stands behind them in other namespaces: kept, never acted on."""

    def property(self, name: str) -> str:
        """Return the value of a property, or an empty string."""
        return next((value for key, value in self.properties if key == name), "")

    def canonical(self, *, source: str = "") -> Header:
        """Return the header in canonical words; `source` is who proved to be the sender."""
        return Header(
            message_id=self.message_id,
            source=source or self.source,
            verb=self.verb,
            noun=self.noun,
            correlation_id=self.correlation_id,
            created_at=self.timestamp,
            reply_address=self.reply_address,
        )


@dataclass(frozen=True, slots=True)
class WireRequest:
    """The Request of a message: what limits it and what it asks."""

    start: datetime | None = None
    end: datetime | None = None
    options: tuple[tuple[str, str], ...] = ()
    """Name and value, such as `MaximumExecutionTime`."""

    ids: tuple[WireId, ...] = ()
    parts: tuple[etree._Element, ...] = ()
    """Query profiles, such as GetMeterReadings."""

    def option(self, name: str) -> str:
        """Return the value of an option, or an empty string."""
        return next((value for key, value in self.options if key == name), "")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a set."""

    operation_id: int
    noun: str
    verb: str
    body: etree._Element | None = None
    element_operation: bool = False
    """Whether only the elements that are given change."""


@dataclass(frozen=True, slots=True)
class OperationSet:
    """Several operations in one message."""

    operations: tuple[Operation, ...]
    in_sequence: bool = False
    """Whether they must be done in the order of their ids (enforceMsgSequence)."""

    all_or_nothing: bool = False
    """Whether one failure undoes all (enforceTransactionalIntegrity)."""


@dataclass(frozen=True, slots=True)
class WirePayload:
    """The Payload of a message, already expanded when it came compressed."""

    parts: tuple[etree._Element, ...] = ()
    operation_set: OperationSet | None = None
    compressed: bytes | None = None
    """Expanded bytes of a compressed payload that is no XML; None otherwise."""

    ids: tuple[WireId, ...] = ()
    format: str = ""
    """What is inside, such as `XML`."""


@dataclass(frozen=True, slots=True)
class WireMessage:
    """One message, in whatever binding it came."""

    kind: MessageKind
    header: WireHeader | None
    """None only in a fault."""

    name: str = ""
    """Local name of its root: `CreatedMeterReadings` where typed, `EventMessage` where generic."""

    request: WireRequest | None = None
    reply: WireReply | None = None
    payload: WirePayload = field(default_factory=WirePayload)
