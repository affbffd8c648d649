"""A call as nearly every sender writes it: what its Header says is read from the bytes by two expressions.

They stand from the first byte to the end of the Header and take no comment, no entity, no CDATA, and no `>` but the one
that ends a tag. They do not judge: a message is taken by them only where libxml2 has called the same bytes well-formed
and valid, which says that the names stand where they belong, and in which namespaces. Whatever is written in another
way is read from its tree (`soap_call`), and only that way refuses.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from lxml import etree

from iec61968 import safe_xml, validation
from iec61968.editions import EDITIONS, Edition
from iec61968.envelope import timestamp_of
from iec61968.services_spoken import SERVICES, Service
from iec61968.wire import WireHeader

_PREFIX = rb"(?:[\w.-]++:)?+"
_BLANKS = rb"[ \t\r\n]*+"
_TAG_ENDS = rb"(?:[ \t\r\n][^<>&]*+)?+(?<!/)>"
_TEXT = rb"[^<>&\r]*+"
_FLAG = rb"true|false|1|0"
_UUID = rb"[0-9a-fA-F-]{36}"
"""A UUID, as the schema says where its dashes are."""

_INSTANT = rb"[12]\d{3}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-](?:0\d|1[0-3]):\d\d)"
"""An instant whose day the schema checks; years in which no offset leads out of the calendar."""


def _opened(name: bytes) -> bytes:
    """Return the expression of a start tag and the blanks behind it."""
    return b"<" + _PREFIX + name + _TAG_ENDS + _BLANKS


def _said(name: bytes, value: bytes) -> bytes:
    """Return the expression of an element with its text in a group of its name; that its end is its own is known."""
    return b"<" + _PREFIX + name + _TAG_ENDS + b"(?P<" + name + b">" + value + rb")</[^<>]++>" + _BLANKS


def _perhaps(name: bytes, value: bytes) -> bytes:
    """Return the expression of an element that may be missing."""
    return b"(?:" + _said(name, value) + b")?+"


_BEGINNING = re.compile(
    b"".join(
        (
            rb"(?:<\?xml[ ][^<>&?]*+\?>[ \t\r\n]*+)?+",
            *map(_opened, (b"Envelope", b"Body", rb"(?P<message>\w++)", b"Header")),
            _said(b"Verb", b"[a-z]++"),
            _said(b"Noun", rb"\w++"),
            _perhaps(b"Revision", _TEXT),
            _perhaps(b"Context", _TEXT),
            b"<" + _PREFIX,
        )
    )
)
"""From the first byte to the name of the Timestamp: the same in all messages of a sender about one thing."""

_REST = re.compile(
    b"".join(
        (
            _said(b"Timestamp", _INSTANT).removeprefix(b"<" + _PREFIX),
            _perhaps(b"Source", _TEXT),
            _perhaps(b"AsyncReplyFlag", _FLAG),
            _perhaps(b"ReplyAddress", _TEXT),
            _perhaps(b"AckRequired", _FLAG),
            _said(b"MessageID", _UUID),
            _said(b"CorrelationID", _UUID),
            _perhaps(b"Comment", _TEXT),
            rb"</[^<>]++>",
        )
    )
)
"""From there to the end of the Header; what may be in it beside these is groups, properties and extensions."""

_BEGINNING_BYTES = 2048
"""Longer beginnings are read from their tree."""


class Begun(NamedTuple):
    """What the beginning of a message says, where it says nothing wrong."""

    size: int
    """Bytes of the beginning."""

    operation: str
    action: str
    """The only SOAPAction that fits."""

    texts: Mapping[str, str]
    """Of the Header, down to its Timestamp."""


@lru_cache(maxsize=512)
def _begun(beginning: bytes, service_name: str, edition_name: str) -> Begun | None:
    """Return what a beginning says at a service; None where it is no plain one, or names another verb or noun."""
    said = _BEGINNING.fullmatch(beginning)
    if said is None or not safe_xml.is_plain_beginning(beginning):
        return None
    service, edition = SERVICES[service_name], EDITIONS[edition_name]
    texts = {name: value.decode().strip() for name, value in said.groupdict(b"").items()}
    operation, noun = texts.pop("message"), texts["Noun"]
    fits = texts["Verb"] == operation.removesuffix(service.noun).lower()
    if operation not in service.known_operations or not fits or noun not in (service.noun, service.message_noun):
        return None
    opened = beginning[: beginning.index(b">", said.end("message")) + 1]
    if _tag_of_last(opened) != f"{{{edition.typed_message(service.message_noun)}}}{operation}":
        return None
    return Begun(len(beginning), operation, edition.soap_action(service.message_noun, operation), texts)


def _tag_of_last(opened: bytes) -> str:
    """Return name and namespace of the last of some start tags; empty where they are not well-formed."""
    parser: Any = etree.XMLPullParser(("start",), **safe_xml.PARSER_SETTINGS)
    tag = ""
    try:
        parser.feed(opened)
        for _, element in parser.read_events():
            tag = element.tag
    except etree.XMLSyntaxError:
        return ""
    return tag


class PlainHeader(NamedTuple):
    """What the Header of a plain and valid message says; `wire` is made when somebody asks for the whole."""

    begun: Begun
    message_id: str
    correlation_id: str
    said: re.Match[bytes]

    def wire(self) -> WireHeader:
        """Return every part of the Header, as `message_codec.wire_header` reads it from the tree."""
        rest = {name: value.decode().strip() for name, value in self.said.groupdict(b"").items()}
        texts = {**self.begun.texts, **rest}
        return WireHeader(
            verb=texts["Verb"],
            noun=texts["Noun"],
            message_id=self.message_id,
            correlation_id=self.correlation_id,
            timestamp=timestamp_of(texts["Timestamp"], strict=True),
            timestamp_text=texts["Timestamp"],
            source=texts["Source"],
            revision=texts["Revision"],
            context=texts["Context"],
            async_reply=_FLAGS[texts["AsyncReplyFlag"]],
            reply_address=texts["ReplyAddress"],
            ack_required=_FLAGS[texts["AckRequired"]],
            comment=texts["Comment"],
        )


def _is_packed(raw: bytes, at: int) -> bool:
    """Return whether a message may hold a set of operations or a compressed payload; both are parts of a Payload."""
    return raw.find(b"Payload", at) >= 0 and (b"OperationSet" in raw or b"Compressed" in raw)


_FLAGS = {"": None, "true": True, "1": True, "false": False, "0": False}


def begun(raw: bytes, *, service: Service, edition: Edition, action: str) -> Begun | None:
    """Return what the beginning of a typed message says; None where its tree has to be asked.

    `action` is the SOAPAction, empty where none was sent.
    """
    at = raw.find(b"Timestamp", 0, _BEGINNING_BYTES)
    found = _begun(raw[:at], service.name, edition.name) if at > 0 else None
    return found if found is not None and action in ("", found.action) else None


def plain_header(raw: bytes, root: etree._Element, begun: Begun, edition: Edition) -> PlainHeader | None:
    """Return what the Header says of a typed message that is taken as it is; None where its tree has to be asked.

    `root` is the tree of `raw`; it is validated here.
    """
    said = _REST.match(raw, begun.size)
    if said is None or _is_packed(raw, said.end()) or not validation.compiled(edition).validate(root):
        return None
    message_id, correlation_id = said.group("MessageID", "CorrelationID")
    return PlainHeader(begun, message_id.decode(), correlation_id.decode(), said)
