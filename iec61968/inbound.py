"""An inbound message in whatever binding and edition, brought to the one form that the hub's services work on."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256

from lxml import etree

from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.ids import mint
from iec61968 import validation
from iec61968.bindings import Carried, wrap
from iec61968.editions import EDITIONS, Edition
from iec61968.envelope import local_name, verb_of
from iec61968.message_codec import message_from_xml
from iec61968.message_writer import message_to_xml
from iec61968.safe_xml import XmlLimits
from iec61968.services_spoken import SERVICES, Service
from iec61968.validation import Finding, Policy
from iec61968.wire import WireHeader, WireMessage, WirePayload, WireRequest

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_FAMILY = re.compile(r"https?://(?:www\.)?iec\.ch/TC57/(?:CIM-)?[^#]*#?")
"""Namespaces that may stand for one of ours where the endpoint is tolerant."""

LATE_ANSWER = ("reply", "CreatedMeterReadings")
"""Verb and operation of an answer to a question of ours that comes by itself: other systems call it so."""

PARTICIPLES = ("created", "changed", "canceled", "closed", "deleted", "executed", "reply")
"""Verbs of events and answers."""


@dataclass(frozen=True, slots=True)
class Inbound:
    """A message in the typed form of the endpoint's edition."""

    service: Service
    raw: bytes
    """SOAP envelope around the typed message."""

    header: WireHeader
    reported: tuple[Finding, ...] = ()
    """Where it broke the schema of its own edition, with policy `report`."""


def edition_of(carried: Carried, *, expected: Edition, policy: Policy) -> Edition:
    """Return the edition that a message is written in: the endpoint's own, a known one, or the nearest if tolerant.

    Raises:
        RejectedError: none of them (WRONG_NAMESPACE).
    """
    namespace = etree.QName(carried.message).namespace or ""
    for edition in (expected, *EDITIONS.values()):
        is_typed = namespace.startswith(f"{edition.typed}/") and namespace.endswith("Message")
        if is_typed if carried.binding == "typed" else namespace == edition.message:
            return edition
    if policy != "strict" and (not namespace or _FAMILY.fullmatch(namespace)):
        return expected
    raise RejectedError(
        f"{namespace!r} is no edition of {expected.name} and the like",
        code=codes.WRONG_NAMESPACE,
        where=f"/{local_name(carried.message)}",
    )


def normalized(
    carried: Carried,
    *,
    expected: Edition,
    policy: Policy,
    limits: XmlLimits | None = None,
    received_at: datetime | None = None,
) -> Inbound:
    """Return the message in the typed form of the endpoint's edition; its own schema is asked first.

    `received_at` stands in for a timestamp that is missing or has no offset.

    Raises:
        RejectedError: another namespace, invalid by its own schema, or a noun or verb that no service has.
    """
    spoken = edition_of(carried, expected=expected, policy=policy)
    found = () if policy == "off" else tuple(validation.findings(carried.message, spoken))
    if found and policy == "strict":
        raise validation.invalid(found)
    message = message_from_xml(carried.message, strict=policy == "strict", limits=limits)
    if message.header is None:
        raise RejectedError("no Header", code=codes.SCHEMA_INVALID, where=f"/{local_name(carried.message)}")
    header = replace(message.header, verb=_verb(carried, message.header))
    service = service_for(header.verb, header.noun)
    typed = WireMessage(
        message.kind,
        _complete(header, service, carried.message, received_at),
        operation_name(header.verb, service),
        _request(message, expected, policy),
        None if (header.verb, operation_name(header.verb, service)) == LATE_ANSWER else message.reply,
        WirePayload(
            tuple(_renamed(part, expected, policy) for part in _filled(message.payload.parts) if not _is_query(part)),
            message.payload.operation_set,
            message.payload.compressed,
            message.payload.ids,
        ),
    )
    root = message_to_xml(typed, edition=expected, typed=service.message_noun)
    return Inbound(service, wrap(root, "typed"), header, found)


def is_packed(message: etree._Element) -> bool:
    """Return whether a message carries its payload compressed."""
    return message.find("{*}Payload/{*}Compressed") is not None


def _verb(carried: Carried, header: WireHeader) -> str:
    """Return the verb of a message: that of its header, and of its own name where it is typed.

    Raises:
        RejectedError: the two contradict each other (UNKNOWN_VERB).
    """
    if carried.binding != "typed":
        return header.verb
    name = local_name(carried.message)
    named = verb_of(name.removesuffix(header.noun.removeprefix("Get")).lower(), where=f"/{name}")
    # One platform tells late answers as events, under the verb of the answer that they are.
    if named != header.verb and not (header.verb == "reply" and named in PARTICIPLES):
        raise RejectedError(f"verb {header.verb!r} in {name}", code=codes.UNKNOWN_VERB, where="/Header/Verb")
    return named


def _filled(parts: Sequence[etree._Element]) -> Sequence[etree._Element]:
    """Return the parts of a payload; a typed message has an empty one beside what it carries compressed."""
    return [one for one in parts if len(parts) == 1 or len(one)]


def service_for(verb: str, noun: str) -> Service:
    """Return the service that takes a verb and noun.

    Raises:
        RejectedError: no such noun (UNKNOWN_NOUN), or no service takes the verb of it (NOT_SUPPORTED_HERE).
    """
    plain = noun.removeprefix("Get")
    wanted = ("Get",) if verb == "get" else ("Receive",) if verb in PARTICIPLES else ("Execute", "Receive")
    for kind in wanted:
        if f"{kind}{plain}" in SERVICES:
            return SERVICES[f"{kind}{plain}"]
    if any(service.noun == plain for service in SERVICES.values()):
        raise RejectedError(f"nothing takes {verb} {noun}", code=codes.NOT_SUPPORTED_HERE, where="Header/Verb")
    raise RejectedError(f"noun {noun!r}", code=codes.UNKNOWN_NOUN, where="Header/Noun")


def operation_name(verb: str, service: Service) -> str:
    """Return the name of the body element of a verb, such as `CreatedMeterReadings`."""
    if (verb, f"Created{service.noun}") == LATE_ANSWER:
        return LATE_ANSWER[1]
    return service.name if verb == "get" and service.kind == "Get" else f"{verb.capitalize()}{service.noun}"


def _complete(
    header: WireHeader, service: Service, message: etree._Element, received_at: datetime | None
) -> WireHeader:
    """Return a header that can be written in the strict form; only tolerant endpoints let others come this far.

    A message without an id has one made of its content, so that a repeat is known and another message is another.
    """
    told = header.message_id or sha256(etree.tostring(message, method="c14n")).hexdigest()
    message_id, correlation_id = (
        value if _UUID.fullmatch(value) else mint("foreign-id", header.source, value)
        for value in (told, header.correlation_id or told)
    )
    stamp = header.timestamp or received_at or datetime(1970, 1, 1, tzinfo=UTC)
    return replace(
        header,
        noun=service.noun,
        timestamp=stamp,
        extensions=(),
        message_id=message_id,
        correlation_id=correlation_id,
    )


def _is_query(part: etree._Element) -> bool:
    return local_name(part).startswith("Get")


def _request(message: WireMessage, edition: Edition, policy: Policy) -> WireRequest | None:
    """Return the Request; a query that stands in the Payload, as some senders have it, belongs here."""
    asked = [_renamed(part, edition, policy) for part in message.payload.parts if _is_query(part)]
    own = message.request
    if own is None:
        return WireRequest(parts=tuple(asked)) if asked else None
    parts = tuple(_renamed(part, edition, policy) for part in own.parts)
    return WireRequest(own.start, own.end, own.options, own.ids, parts + tuple(asked))


def _renamed(part: etree._Element, edition: Edition, policy: Policy) -> etree._Element:
    """Return a profile in the namespace that the endpoint speaks, where it is in another of the same family.

    A strict endpoint leaves it as it is, and refuses it by its namespace.
    """
    namespace, wanted = etree.QName(part).namespace or "", edition.profile(local_name(part))
    if policy == "strict" or namespace == wanted or not (not namespace or _FAMILY.fullmatch(namespace)):
        return part
    for element in part.iter():
        if isinstance(element.tag, str) and (etree.QName(element).namespace or "") == namespace:
            element.tag = f"{{{wanted}}}{local_name(element)}"
    return part
