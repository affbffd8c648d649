"""A call as nearly every sender writes it: what its Header says is read from the bytes by one expression.

The expression stands from the first byte to the end of the Header and takes no comment, no entity, no CDATA, and no
`>` but the one that ends a tag. It does not judge: a message is taken by it only where libxml2 has called the same
bytes well-formed and valid, which says that the names stand where they belong, and in which namespaces. Whatever is
written in another way is read from its tree (`soap_call`), and only that way refuses.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from lxml import etree

from iec61968 import validation
from iec61968.editions import EDITIONS, Edition
from iec61968.envelope import timestamp_of
from iec61968.services_spoken import SERVICES, Service
from iec61968.wire import WireHeader

_PREFIX = rb"(?:[\w.-]++:)?+"
_BLANKS = rb"[ \t\r\n]*+"
_TAG_ENDS = rb"(?:[ \t\r\n][^<>&]*+)?+(?<!/)>"
_TEXT = rb"[^<>&\r]*+"
_FLAG = rb"true|false|1|0"
_UUID = rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
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


_PLAIN = re.compile(
    b"".join(
        (
            rb"(?:<\?xml[ ][^<>&?]*+\?>[ \t\r\n]*+)?+",
            *map(_opened, (b"Envelope", b"Body", rb"\w++", b"Header")),
            _said(b"Verb", b"[a-z]++"),
            _said(b"Noun", rb"\w++"),
            _perhaps(b"Revision", _TEXT),
            _perhaps(b"Context", _TEXT),
            _said(b"Timestamp", _INSTANT),
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
"""Header parts in schema order, but for groups, properties and extensions."""


class Spoken(NamedTuple):
    """What the Header and SOAPAction of an operation must say."""

    operation: str
    verb: bytes
    nouns: tuple[bytes, bytes]
    action: str


@lru_cache(maxsize=1024)
def _spoken(service_name: str, edition_name: str) -> Mapping[str, Spoken]:
    """Return every operation that may be named at a service, by the tag of its message."""
    service, edition = SERVICES[service_name], EDITIONS[edition_name]
    nouns = (service.noun.encode(), service.message_noun.encode())
    return {
        f"{{{edition.typed_message(service.message_noun)}}}{name}": Spoken(
            name,
            name.removesuffix(service.noun).lower().encode(),
            nouns,
            edition.soap_action(service.message_noun, name),
        )
        for name in service.known_operations
    }


class PlainHeader(NamedTuple):
    """What the Header of a plain and valid message says; `wire` is made when somebody asks for the whole."""

    spoken: Spoken
    message_id: str
    correlation_id: str
    said: re.Match[bytes]

    def wire(self) -> WireHeader:
        """Return every part of the Header, as `message_codec.wire_header` reads it from the tree."""
        texts = {name: value.decode().strip() for name, value in self.said.groupdict(b"").items()}
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


_FLAGS = {"": None, "true": True, "1": True, "false": False, "0": False}


def plain_header(
    raw: bytes, root: etree._Element, *, service: Service, edition: Edition, action: str
) -> PlainHeader | None:
    """Return what the Header says of a typed message that is taken as it is; None where its tree has to be asked.

    `root` is the tree of `raw`; it is validated here. `action` is the SOAPAction, empty where none was sent.
    """
    said = _PLAIN.match(raw)
    if said is None or b"OperationSet" in raw or b"Compressed" in raw:
        return None
    spoken = _spoken(service.name, edition.name).get(root[0][0].tag)
    if spoken is None or (action and action != spoken.action):
        return None
    verb, noun, message_id, correlation_id = said.group("Verb", "Noun", "MessageID", "CorrelationID")
    if verb != spoken.verb or noun not in spoken.nouns or not validation.compiled(edition).validate(root):
        return None
    return PlainHeader(spoken, message_id.decode(), correlation_id.decode(), said)
