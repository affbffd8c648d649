"""Bare messages of IEC 61968-100 as parcels for a queue, and what their headers say of the letters that carry them."""

import gzip
from hashlib import sha256
from io import BytesIO
from typing import Any

from lxml import etree

from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.ids import mint
from canonical.messages import Message, Parcel
from iec61968 import safe_xml
from iec61968.canonical_nouns.bare_message import CAUSE, EFFECTIVE, EXPIRES, PRIORITY, bare_from_message, instant_of
from iec61968.canonical_nouns.outgoing import Speech
from iec61968.editions import Edition
from iec61968.message_codec import wire_header
from iec61968.wire import WireHeader

GZIP = b"\x1f\x8b"
"""First bytes of what was gzipped."""


def bare_parcel_of(message: Message[Any], speech: Speech, *, packed: bool = False) -> Parcel:
    """Return a message as a bare one, gzipped where `packed`; its id follows from the message's own.

    Raises:
        RejectedError: it cannot be said as a valid message of the edition.
    """
    raw = bare_from_message(message, mint("cim-event", message.header.message_id), speech)
    header = header_of(raw)
    body = pack(raw) if packed else raw
    return Parcel(
        name=f"{header.verb} {header.noun}",
        content_type="application/gzip" if packed else "application/xml",
        sha256=sha256(body).hexdigest(),
        size=len(body),
        body=body,
        key=message.header.message_id,
        confirm_name=header.correlation_id,
    )


def letter_facts(body: bytes, edition: Edition) -> dict[str, Any]:
    """Return what a message's header says as the properties of its letter, by their names; gzipped bodies stay so.

    Raises:
        RejectedError: it has no header.
    """
    plain = gzip.decompress(body) if body.startswith(GZIP) else body
    header = header_of(plain)
    return {
        "body": body,
        "message_id": header.message_id,
        "source": header.source,
        "correlation_id": header.correlation_id,
        "causation_id": header.property(CAUSE),
        "verb": header.verb,
        "noun": header.noun,
        "schema_version": edition.name,
        "created_at": header.timestamp,
        "effective_at": instant_of(header, EFFECTIVE),
        "expires_at": instant_of(header, EXPIRES),
        "priority": "high" if header.property(PRIORITY) == "high" else "normal",
        "content_encoding": "gzip" if plain is not body else "",
    }


def pack(raw: bytes) -> bytes:
    """Return a body gzipped; the same body gives the same bytes, because no time is written into it."""
    return gzip.compress(raw, compresslevel=6, mtime=0)


def header_of(raw: bytes) -> WireHeader:
    """Return the header of a message without reading what follows it.

    Raises:
        RejectedError: there is none.
    """
    for _, element in etree.iterparse(BytesIO(raw), tag="{*}Header", **safe_xml.PARSER_SETTINGS):
        return wire_header(element)
    raise RejectedError("no Header", code=codes.SCHEMA_INVALID, where="/")
