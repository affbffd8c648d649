"""Messages of IEC 61968-100 from and to XML, typed and generic alike: strict when written, by policy when read."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple, cast

from lxml import etree

from canonical.codes import message as codes
from canonical.errors import RejectedError
from iec61968 import compression, safe_xml
from iec61968.compression import CompressionLimits
from iec61968.envelope import (
    child_text,
    local_name,
    reply_from_xml,
    require_ids,
    texts_of,
    timestamp_of,
    verb_of,
)
from iec61968.safe_xml import XmlLimits
from iec61968.wire import (
    IdKind,
    MessageKind,
    Operation,
    OperationSet,
    WireHeader,
    WireId,
    WireMessage,
    WirePayload,
    WireRequest,
)

_GENERIC: dict[str, MessageKind] = {
    "RequestMessage": "request",
    "ResponseMessage": "response",
    "EventMessage": "event",
    "FaultMessage": "fault",
}
_PARTICIPLES = ("created", "changed", "canceled", "closed", "deleted", "executed")
_PAYLOAD_OWN = ("OperationSet", "Compressed", "ID", "Format")
_REQUEST_OWN = ("StartTime", "EndTime", "Option", "ID")
_HEADER_OWN = frozenset(
    (
        *("Verb", "Noun", "Revision", "ReplayDetection", "Context", "Timestamp", "Source", "AsyncReplyFlag"),
        *("ReplyAddress", "AckRequired", "User", "MessageID", "CorrelationID", "Comment"),
    )
)
"""Children of a Header that come once; Property may come often, all else is an extension."""

_HEADER_GROUPS = ("ReplayDetection", "User")


def message_from_xml(
    root: etree._Element,
    *,
    strict: bool = True,
    limits: XmlLimits | None = None,
    compressed: CompressionLimits | None = None,
) -> WireMessage:
    """Return what a message element says; names are matched without namespace. A compressed XML payload is expanded.

    With `strict`, ids must be UUIDs and the timestamp an instant with an offset.

    Raises:
        RejectedError: no header, an unknown verb, a value that cannot be read, or a payload that cannot be expanded.
    """
    name = local_name(root)
    parts = {local_name(child): child for child in root}
    if "Header" not in parts:
        if "Reply" in parts:
            return WireMessage("fault", None, name, reply=reply_from_xml(parts["Reply"]))
        raise RejectedError("no Header", code=codes.SCHEMA_INVALID, where=f"/{name}")
    header = wire_header(parts["Header"], strict=strict)
    return WireMessage(
        kind_of(root, header.verb),
        header,
        name,
        _request(parts["Request"]) if "Request" in parts else None,
        reply_from_xml(parts["Reply"]) if "Reply" in parts else None,
        _payload(parts["Payload"], limits, compressed) if "Payload" in parts else WirePayload(),
    )


def kind_of(root: etree._Element, verb: str) -> MessageKind:
    """Return what a message is: by its own name where generic, else by its parts and its verb."""
    name = local_name(root)
    if name in _GENERIC:
        return _GENERIC[name]
    parts = {local_name(child) for child in root}
    if "Reply" in parts:
        return "response" if "Header" in parts else "fault"
    if "Request" in parts:
        return "request"
    return "event" if verb in _PARTICIPLES or verb == "reply" else "request"


class HeaderParts(NamedTuple):
    """What stands in a Header, in one look at it."""

    texts: dict[str, str]
    """Trimmed texts of its own children by local name, the first of each."""

    groups: dict[str, etree._Element]
    """ReplayDetection and User, whose texts are below them."""

    properties: list[etree._Element]
    extensions: list[etree._Element]
    """What else stands in it."""


def header_parts(element: etree._Element) -> HeaderParts:
    """Return what stands in a Header element."""
    texts: dict[str, str] = {}
    groups: dict[str, etree._Element] = {}
    properties: list[etree._Element] = []
    extensions: list[etree._Element] = []
    for child in element:
        tag = child.tag  # `local_name` written out: this is asked for every part of every header
        name = tag.rpartition("}")[2] if isinstance(tag, str) else ""
        if name in _HEADER_OWN:
            if name not in texts:
                texts[name] = (child.text or "").strip()
                if name in _HEADER_GROUPS:
                    groups[name] = child
        elif name == "Property":
            properties.append(child)
        else:
            extensions.append(child)
    return HeaderParts(texts, groups, properties, extensions)


def wire_header(element: etree._Element, *, strict: bool = True) -> WireHeader:
    """Return every part of a Header element.

    Raises:
        RejectedError: an unknown verb, a boolean that is none, or what `header_from_xml` refuses.
    """
    return wire_header_of(header_parts(element), strict=strict)


def wire_header_of(parts: HeaderParts, *, strict: bool = True) -> WireHeader:
    """Return every part of a Header whose parts are known; else as `wire_header`."""
    texts, groups = parts.texts, parts.groups
    if strict:
        require_ids(texts)
    said = texts.get
    replay = texts_of(groups["ReplayDetection"]) if "ReplayDetection" in groups else {}
    user = texts_of(groups["User"]) if "User" in groups else {}
    stated = said("Timestamp", "")
    return WireHeader(
        verb=verb_of(said("Verb", "")),
        noun=said("Noun", ""),
        message_id=said("MessageID", ""),
        correlation_id=said("CorrelationID", ""),
        timestamp=timestamp_of(stated, strict=strict),
        timestamp_text=stated,
        source=said("Source", ""),
        revision=said("Revision", ""),
        nonce=replay.get("Nonce", ""),
        nonce_created=_instant(replay, "Created") if replay else None,
        context=said("Context", ""),
        async_reply=_boolean(texts, "AsyncReplyFlag"),
        reply_address=said("ReplyAddress", ""),
        ack_required=_boolean(texts, "AckRequired"),
        user=user.get("UserID", ""),
        organization=user.get("Organization", ""),
        comment=said("Comment", ""),
        properties=_pairs(parts.properties, "Name", "Value") if parts.properties else (),
        extensions=tuple(parts.extensions),
    )


def _request(element: etree._Element) -> WireRequest:
    """Return what a Request element says."""
    texts = texts_of(element)
    return WireRequest(
        _instant(texts, "StartTime"),
        _instant(texts, "EndTime"),
        _pairs([child for child in element if local_name(child) == "Option"], "name", "value"),
        _ids(element),
        tuple(child for child in element if local_name(child) not in _REQUEST_OWN),
    )


def _payload(element: etree._Element, limits: XmlLimits | None, compressed: CompressionLimits | None) -> WirePayload:
    """Return what a Payload element holds; compressed XML becomes its element."""
    parts = tuple(child for child in element if local_name(child) not in _PAYLOAD_OWN)
    packed = _child(element, "Compressed")
    data: bytes | None = None
    form = child_text(element, "Format")
    if packed is not None:
        data = compression.expand(packed.text or "", limits=compressed)
        if form.upper() in ("", "XML"):
            found = safe_xml.parse(data, limits=limits, where="Payload/Compressed")
            # A typed payload must hold its profile, so that an empty one may stand beside what is compressed.
            parts, data = (*(one for one in parts if len(one) or one.tag != found.tag), found), None
    several = _child(element, "OperationSet")
    return WirePayload(parts, _operations(several) if several is not None else None, data, _ids(element), form)


def _operations(element: etree._Element) -> OperationSet:
    """Return the operations of a set, in the order in which they are to be done.

    Raises:
        RejectedError: an id is no number or comes twice, or a verb is unknown.
    """
    found = []
    for child in element:
        if local_name(child) != "Operation":
            continue
        said = texts_of(child)
        text = said.get("operationId", "")
        if not text.isascii() or not text.isdigit():
            raise RejectedError(f"{text!r} is no number", code=codes.BAD_XML_VALUE, where="Operation/operationId")
        own = ("operationId", "noun", "verb", "elementOperation")
        body = next((part for part in child if local_name(part) not in own), None)
        found.append(
            Operation(
                int(text),
                said.get("noun", ""),
                verb_of(said.get("verb", ""), where="Operation/verb"),
                body,
                bool(_boolean(said, "elementOperation")),
            )
        )
    if len({one.operation_id for one in found}) != len(found):
        raise RejectedError("an operationId comes twice", code=codes.BAD_XML_VALUE, where="OperationSet")
    rules = texts_of(element)
    in_sequence = bool(_boolean(rules, "enforceMsgSequence"))
    if in_sequence:
        found.sort(key=lambda one: one.operation_id)
    return OperationSet(tuple(found), in_sequence, bool(_boolean(rules, "enforceTransactionalIntegrity")))


def _child(element: etree._Element, name: str) -> etree._Element | None:
    return next((child for child in element if local_name(child) == name), None)


def _pairs(elements: Iterable[etree._Element], key: str, value: str) -> tuple[tuple[str, str], ...]:
    """Return the two texts that each element holds."""
    return tuple((child_text(one, key), child_text(one, value)) for one in elements)


def _ids(element: etree._Element) -> tuple[WireId, ...]:
    return tuple(
        WireId(
            (child.text or "").strip(),
            cast("IdKind", child.get("kind", "")),
            child.get("objectType", ""),
            child.get("idType", ""),
            child.get("idAuthority", ""),
        )
        for child in element
        if local_name(child) == "ID"
    )


def _boolean(texts: Mapping[str, str], name: str) -> bool | None:
    """Return a boolean child, None where there is none.

    Raises:
        RejectedError: it is neither true nor false.
    """
    text = texts.get(name, "")
    if text in ("true", "1"):
        return True
    if text in ("false", "0"):
        return False
    if text:
        raise RejectedError(f"{text!r} is neither true nor false", code=codes.BAD_XML_VALUE, where=name)
    return None


def _instant(texts: Mapping[str, str], name: str) -> datetime | None:
    """Return an instant child in UTC, None where there is none.

    Raises:
        RejectedError: it is no instant with an offset.
    """
    text = texts.get(name, "")
    if not text:
        return None
    try:
        instant = datetime.fromisoformat(text)
        found = instant.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise RejectedError(f"{text!r} is no instant", code=codes.BAD_XML_VALUE, where=name) from error
    if instant.tzinfo is None:
        raise RejectedError(f"{text!r} has no offset", code=codes.BAD_XML_VALUE, where=name)
    return found
