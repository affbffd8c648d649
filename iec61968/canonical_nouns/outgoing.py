"""Canonical messages as whole messages of IEC 61968-100, ready for any binding: master data, readings, documents."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lxml import etree

from canonical.codes import message as codes
from canonical.documents import Document
from canonical.errors import RejectedError
from canonical.ids import mint
from canonical.master_data import MasterData
from canonical.messages import Header, Message, Several
from canonical.metering import MeterReadings
from canonical.reading_types import reading_type_from_text
from iec61968 import safe_xml
from iec61968.canonical_nouns import exchange_sets
from iec61968.canonical_nouns.conventions import MasterDataReading
from iec61968.canonical_nouns.master_data import noun_element
from iec61968.canonical_nouns.readings import columns_from_readings
from iec61968.canonical_nouns.rollout_payloads import rollout_payload
from iec61968.editions import Edition
from iec61968.envelope import local_name
from iec61968.nouns import meter_readings
from iec61968.wire import Operation, OperationSet, WireHeader, WireMessage, WirePayload

Form = Literal["request", "event", "as_sent"]
"""Whether a partner is asked (create), told (created), or as the message's own header has it."""

PARTICIPLES: Mapping[str, str] = {
    **{"create": "created", "change": "changed", "close": "closed", "cancel": "canceled", "delete": "deleted"},
}
IMPERATIVES: Mapping[str, str] = {participle: verb for verb, participle in PARTICIPLES.items()}
"""The imperative of each participle; a verb that is here is an event's."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class Speech:
    """How one partner is spoken to."""

    edition: Edition
    sender: str
    """Source in our headers."""

    conventions: MasterDataReading
    form: Form = "as_sent"
    context: str = ""


def outgoing(message: Message[Any], speech: Speech) -> WireMessage:
    """Return the message that says a canonical one: MasterData, readings, a Document, or what a rollout tells.

    Exchanges go as one transactional OperationSet where the partner takes them so; Several go as one of which each
    operation is done by itself.

    Raises:
        RejectedError: anything else, or what cannot be said in its noun.
    """
    payload = message.payload
    if isinstance(payload, Several):
        return _several(message.header, payload, speech)
    if isinstance(payload, MasterData) and exchange_sets.is_pair(payload, speech.conventions):
        return _operation_set(message.header, payload, speech)
    if isinstance(payload, MasterData):
        element = noun_element(payload, edition=speech.edition, conventions=speech.conventions)
        return _wire(message.header, payload.noun, payload.verb, element, speech)
    if isinstance(payload, Document):
        return _wire(message.header, payload.noun, message.header.verb, _renamed(payload, speech.edition), speech)
    spoken = rollout_payload(message.header, payload, edition=speech.edition, conventions=speech.conventions)
    if spoken is not None:
        return _wire(message.header, spoken.noun, spoken.verb, spoken.element, speech)
    readings: Sequence[Any] = payload if isinstance(payload, tuple) else (payload,)
    if readings and all(isinstance(one, MeterReadings) for one in readings):
        _check_types(readings)
        element = meter_readings.to_xml([columns_from_readings(one) for one in readings], edition=speech.edition)
        return _wire(message.header, meter_readings.NOUN, _reading_verb(message.header.verb), element, speech)
    raise RejectedError(
        f"{type(payload).__name__} is neither master data, readings nor a document", code=codes.EXPORT_IMPOSSIBLE
    )


def _operation_set(header: Header, data: MasterData, speech: Speech) -> WireMessage:
    """Return the request to carry out a set of operations; it is asked even of who is only told else."""
    is_event = _verb(data.verb, header.verb, speech.form, data.noun) in IMPERATIVES
    operations = exchange_sets.operations_from(
        data, edition=speech.edition, conventions=speech.conventions, verbs=PARTICIPLES if is_event else {}
    )
    own = _wire_header(header, "execute", exchange_sets.NOUN, speech)
    return WireMessage("request", own, "ExecuteOperationSet", payload=WirePayload(operation_set=operations))


def _several(header: Header, payload: Several, speech: Speech) -> WireMessage:
    """Return the request to carry out several messages; what is a set already does not go into another one."""
    operations = []
    for number, one in enumerate(payload.messages, 1):
        wire = outgoing(one, speech)
        if wire.header is None or len(wire.payload.parts) != 1:
            raise RejectedError("a set within a set", code=codes.EXPORT_IMPOSSIBLE, where=f"operation {number}")
        operations.append(Operation(number, wire.header.noun, wire.header.verb, wire.payload.parts[0]))
    own = _wire_header(header, "execute", exchange_sets.NOUN, speech)
    return WireMessage(
        "request", own, "ExecuteOperationSet", payload=WirePayload(operation_set=OperationSet(tuple(operations)))
    )


def _wire(header: Header, noun: str, verb: str, element: etree._Element, speech: Speech) -> WireMessage:
    """Return a request or event around a payload."""
    spoken = _verb(verb, header.verb, speech.form, noun)
    is_event = spoken in IMPERATIVES
    return WireMessage(
        "event" if is_event else "request",
        _wire_header(header, spoken, noun, speech),
        f"{spoken.capitalize()}{noun}",
        payload=WirePayload((element,)),
    )


def _wire_header(header: Header, verb: str, noun: str, speech: Speech) -> WireHeader:
    """Return the header of a message, its ids as UUIDs."""
    return WireHeader(
        verb=verb,
        noun=noun,
        message_id=_uuid(header.message_id, "cim-message"),
        correlation_id=_uuid(header.correlation_id or header.message_id, "cim-conversation"),
        timestamp=header.created_at,
        source=speech.sender,
        context=speech.context,
    )


def _verb(verb: str, sent: str, form: Form, noun: str) -> str:
    """Return the verb as a request or an event says it; readings are only ever told."""
    plain = IMPERATIVES.get(verb, verb)
    if plain not in PARTICIPLES:
        raise RejectedError(f"verb {verb!r} of {noun}", code=codes.EXPORT_IMPOSSIBLE, where="Header/Verb")
    is_event = sent in IMPERATIVES if form == "as_sent" else form == "event"
    return PARTICIPLES[plain] if is_event or noun == meter_readings.NOUN else plain


def _check_types(readings: Sequence[MeterReadings]) -> None:
    """Refuse a reading type that is not said in CIM's eighteen numbers: nobody but its source would understand it."""
    found = {one.reading_type for reading in readings for one in reading.registers}
    for code in found | {one.reading_type for reading in readings for one in reading.blocks}:
        try:
            reading_type_from_text(code)
        except ValueError as error:
            raise RejectedError(
                f"reading type {code!r}", code=codes.EXPORT_IMPOSSIBLE, where="MeterReadings/ReadingType"
            ) from error


def _reading_verb(verb: str) -> str:
    """Return how readings are told: as new unless they correct what was told; an answer tells what is new."""
    return "changed" if verb in ("change", "changed") else "created"


def _uuid(value: str, kind: str) -> str:
    """Return an id as a UUID: one that is none follows from it, the same in every run."""
    return value if _UUID.fullmatch(value) else mint(kind, value)


def _renamed(document: Document, edition: Edition) -> etree._Element:
    """Return a document's element in the namespace of an edition; what belongs to other namespaces is left as it is."""
    root = safe_xml.parse(document.body, where=document.noun)
    if local_name(root) != document.noun:
        raise RejectedError(
            f"{local_name(root)!r} in a document of {document.noun}", code=codes.EXPORT_IMPOSSIBLE, where="Payload"
        )
    namespace, wanted = etree.QName(root).namespace or "", edition.profile(document.noun)
    if namespace != wanted:
        for element in root.iter(etree.Element):
            if (etree.QName(element).namespace or "") == namespace:
                element.tag = f"{{{wanted}}}{local_name(element)}"
        etree.cleanup_namespaces(root)
    return root
