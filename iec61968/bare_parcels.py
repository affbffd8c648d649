"""Bare messages of IEC 61968-100 as parcels for a queue, and what their headers say of the letters that carry them."""

import gzip
import re
from datetime import datetime
from functools import lru_cache
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
from iec61968.envelope import timestamp_of, verb_of
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
    told = _usual_facts(plain)
    if told is None:
        told = _told_by(header_of(plain))
    packed = "gzip" if plain is not body else ""
    return {"body": body, **told, "schema_version": edition.name, "content_encoding": packed}


def _told_by(header: WireHeader) -> dict[str, Any]:
    """Return what a header says of its letter."""
    return {
        "message_id": header.message_id,
        "source": header.source,
        "correlation_id": header.correlation_id,
        "causation_id": header.property(CAUSE),
        "verb": header.verb,
        "noun": header.noun,
        "created_at": header.timestamp,
        "effective_at": instant_of(header, EFFECTIVE),
        "expires_at": instant_of(header, EXPIRES),
        "priority": "high" if header.property(PRIORITY) == "high" else "normal",
    }


def _usual_facts(raw: bytes) -> dict[str, Any] | None:
    """Return what the header of a message as we write them says of its letter; None for any other.

    A relay looks at the header of whatever it carries, so this is a hot path: messages that go together differ in
    their ids and instants, and the rest of their headers is read once.
    """
    start = raw.find(b"<Header>", 0, _HEADER_WITHIN)
    end = raw.find(_HEADER_END, start, start + _HEADER_BYTES)
    found = _OWN_PARTS.fullmatch(raw, start, end + len(_HEADER_END)) if 0 <= start < end else None
    if found is None:
        return None
    before, timestamp, between, message_id, middle, correlation_id, after = found.groups()
    shared = _shared_facts(before + _ANY_INSTANT + between + middle + after)
    if shared is None:
        return None
    own = {"message_id": message_id.decode(), "correlation_id": correlation_id.decode()}
    return {**shared, **own, "created_at": _timestamp(timestamp)}


@lru_cache(maxsize=1024)
def _shared_facts(header: bytes) -> dict[str, Any] | None:
    """Return what a header says of its letter; None for one that a parser has to read."""
    told = _plain_header(header)
    return None if told is None else _told_by(told)


@lru_cache(maxsize=1024)
def _timestamp(text: bytes) -> datetime | None:
    return timestamp_of(text.decode(), strict=True)


def _plain_header(raw: bytes) -> WireHeader | None:
    """Return the header of a message as we write them: leaves and Property pairs, without attributes or entities.

    None for any other: a parser reads it.
    """
    start = raw.find(b"<Header>", 0, _HEADER_WITHIN)
    end = raw.find(_HEADER_END, start, start + _HEADER_BYTES)
    if start < 0 or end < 0:
        return None
    region = raw[start + len(b"<Header>") : end]
    leaves = _LEAF.findall(region)
    if region.count(b"<") != 2 * len(leaves) + 2 * region.count(b"<Property>"):
        return None
    texts = {name: value.decode() for name, value in leaves}
    names = [value.decode() for name, value in leaves if name == b"Name"]
    values = [value.decode() for name, value in leaves if name == b"Value"]
    once = len(texts) - len({b"Name", b"Value"} & texts.keys()) + len(names) + len(values)
    if len(names) != len(values) or once != len(leaves) or not _NEEDED <= texts.keys() <= _KNOWN:
        return None
    said = texts.get
    return WireHeader(
        verb=verb_of(said(b"Verb", "")),
        noun=said(b"Noun", ""),
        message_id=said(b"MessageID", ""),
        correlation_id=said(b"CorrelationID", ""),
        timestamp=timestamp_of(said(b"Timestamp", ""), strict=True),
        timestamp_text=said(b"Timestamp", ""),
        source=said(b"Source", ""),
        properties=tuple(zip(names, values, strict=True)),
    )


_HEADER_WITHIN, _HEADER_BYTES = 512, 4096
"""Bytes within which a header begins, and ends."""

_HEADER_END = b"</Header>"

_LEAF = re.compile(rb"<(\w+)>([^<>&\r]*)</\w+>")
_OWN_PARTS = re.compile(
    rb"(<Header>.*?<Timestamp>)([^<>&\r]*)(</Timestamp>.*?<MessageID>)([^<>&\r]*)"
    rb"(</MessageID>.*?<CorrelationID>)([^<>&\r]*)(</CorrelationID>.*?</Header>)",
    re.DOTALL,
)
"""A header, cut around what each message has of its own; whether the rest is a usual header is asked of the rest."""

_ANY_INSTANT = b"2000-01-01T00:00:00Z"
_NEEDED = frozenset((b"Verb", b"Noun", b"MessageID", b"CorrelationID", b"Timestamp"))
_KNOWN = _NEEDED | {b"Source", b"Name", b"Value"}
"""Parts of a header that are read so; one with others is read by a parser."""


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
