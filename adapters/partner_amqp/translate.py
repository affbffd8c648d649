"""Canonical messages as bare messages of IEC 61968-100, and the letters that carry them (docs/messaging.md)."""

import gzip
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any, Literal

from lxml import etree

from canonical.codes import message as codes
from canonical.documents import Document
from canonical.errors import RejectedError
from canonical.ids import mint
from canonical.messages import Header, Message
from iec61968 import safe_xml
from iec61968.canonical_nouns.bare_message import (
    CAUSE,
    EFFECTIVE,
    EXPIRES,
    PRIORITY,
    bare_from_message,
    instant_of,
    message_from_bare,
)
from iec61968.canonical_nouns.conventions import MasterDataReading
from iec61968.canonical_nouns.outgoing import Form, Speech
from iec61968.editions import EDITIONS, Edition
from iec61968.message_codec import wire_header
from iec61968.wire import WireHeader
from messaging.letters import Letter

GZIP = b"\x1f\x8b"
"""First bytes of what was gzipped."""


def event_from_message(message: Message[Any], *, edition: Edition, sender: str, form: Form = "event") -> bytes:
    """Return the bare message that says a canonical one: readings, master data or a document.

    Raises:
        RejectedError: it cannot be said as a valid message of the edition.
    """
    identity = mint("cim-event", message.header.message_id)
    return bare_from_message(message, identity, Speech(edition, sender, MasterDataReading(), form))


def letter_from_wire(body: bytes, *, edition: Edition, reply_to: str = "") -> Letter:
    """Return the letter that carries a message, with what its header says as properties; gzipped bodies stay so."""
    plain = gzip.decompress(body) if body.startswith(GZIP) else body
    header = _header_of(plain)
    return Letter(
        body=body,
        message_id=header.message_id,
        source=header.source,
        correlation_id=header.correlation_id,
        causation_id=header.property(CAUSE),
        verb=header.verb,
        noun=header.noun,
        schema_version=edition.name,
        created_at=header.timestamp,
        effective_at=instant_of(header, EFFECTIVE),
        expires_at=instant_of(header, EXPIRES),
        priority="high" if header.property(PRIORITY) == "high" else "normal",
        reply_to=reply_to,
        content_encoding="gzip" if plain is not body else "",
    )


def packed(raw: bytes) -> bytes:
    """Return a body gzipped; the same body gives the same bytes, because no time is written into it."""
    return gzip.compress(raw, compresslevel=6, mtime=0)


def _header_of(raw: bytes) -> WireHeader:
    """Return the header of a message without reading what follows it.

    Raises:
        RejectedError: there is none.
    """
    for _, element in etree.iterparse(BytesIO(raw), tag="{*}Header", **safe_xml.PARSER_SETTINGS):
        return wire_header(element)
    raise RejectedError("no Header", code=codes.SCHEMA_INVALID, where="/")


@dataclass(frozen=True, slots=True)
class Meant:
    """What a sample message means."""

    message_id: str
    verb: str
    source: str
    created_at: datetime | None
    effective_at: datetime | None
    expires_at: datetime | None
    causation_id: str
    priority: Literal["high", "normal"]
    noun: str
    body: str
    """The payload as XML."""


def golden_read(wire: bytes, name: str) -> Meant:
    """Return what a sample message means; `name` is the file's."""
    message = message_from_bare(wire, source="AMIHUB")
    header, document = message.header, message.payload
    return Meant(
        header.message_id,
        header.verb,
        header.source,
        header.created_at,
        header.effective_at,
        header.expires_at,
        header.causation_id,
        header.priority,
        document.noun,
        document.body.decode(),
    )


def golden_write(meant: Meant, _name: str = "") -> bytes:
    """Return the message that means this, under the id of the sample."""
    header = Header(
        meant.message_id,
        meant.source,
        meant.verb,
        meant.noun,
        causation_id=meant.causation_id,
        created_at=meant.created_at,
        effective_at=meant.effective_at,
        expires_at=meant.expires_at,
        priority=meant.priority,
    )
    message = Message(header, Document(meant.noun, meant.body.encode()))
    return bare_from_message(
        message, meant.message_id, Speech(EDITIONS["2011"], meant.source, MasterDataReading(), "as_sent")
    )
