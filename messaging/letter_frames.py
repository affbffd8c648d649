"""Letters as AMQP frames (AMQP 0-9-1, 4.2): what letters that go together share is encoded once.

pika encodes each letter anew, value by value; of most letters only the ids, the length and the body differ. What is
shared is still encoded by pika, from `properties_of`.
"""

import struct
from functools import lru_cache
from operator import attrgetter

from pika import BasicProperties, frame, spec

from messaging.letters import LONGEST_NAME, Letter, Priority
from messaging.properties import INSTANTS, TEXTS, properties_of

ENVELOPE = 8
"""Bytes of a frame around its payload."""

_END = bytes([spec.FRAME_END])
_LENGTHS = tuple(bytes([length]) for length in range(LONGEST_NAME + 1))
"""A short string begins with its length."""

_NAMES = ("content_type", "content_encoding", "reply_to", *TEXTS, *INSTANTS)
_shared_by = attrgetter(*_NAMES)
"""Everything of a letter that its properties tell, but its ids."""

_FRAME = struct.Struct(">BHI")
"""Type, channel, length of the payload."""

_CONTENT = struct.Struct(">HxxQ")
"""Class, length of the body."""


def letter_frames(channel: int, exchange: str, letter: Letter, *, largest: int) -> bytes:
    """Return a letter as the frames that publish it, mandatory; `largest` is what the broker takes in one frame."""
    body = letter.body
    head = _CONTENT.pack(BasicProperties.INDEX, len(body)) + properties_bytes(letter)
    start = _publishing(channel, exchange, letter.priority) + _FRAME.pack(spec.FRAME_HEADER, channel, len(head))
    room = largest - ENVELOPE
    if 0 < len(body) <= room:
        return b"".join((start, head, _END, _FRAME.pack(spec.FRAME_BODY, channel, len(body)), body, _END))
    parts = (frame.Body(channel, body[at : at + room]).marshal() for at in range(0, len(body), room))
    return b"".join((start, head, _END, *parts))


def properties_bytes(letter: Letter) -> bytes:
    """Return what `properties_of` says of a letter, as it stands in a content header: flags, then values."""
    message_id, talk = letter.message_id.encode(), letter.correlation_id.encode()
    before, between, after = _shared(bool(talk), *_shared_by(letter))
    if talk:
        before += _LENGTHS[len(talk)] + talk
    return b"".join((before, between, _LENGTHS[len(message_id)], message_id, after))


@lru_cache(maxsize=1024)
def _shared(has_talk: bool, *values: object) -> tuple[bytes, bytes, bytes]:
    """Return what stands before the correlation id, between it and the message id, and after."""
    told = properties_of(Letter(b"", "", **dict(zip(_NAMES, values, strict=True))))  # type: ignore[arg-type]
    told.correlation_id = "any" if has_talk else None
    flags = told.encode()[0]
    before = BasicProperties(
        content_type=told.content_type,
        content_encoding=told.content_encoding,
        headers=told.headers,
        delivery_mode=told.delivery_mode,
    )
    between = BasicProperties(reply_to=told.reply_to, expiration=told.expiration)
    return flags + _values(before), _values(between), _values(BasicProperties(timestamp=told.timestamp))


def _values(properties: BasicProperties) -> bytes:
    return b"".join(properties.encode()[1:])


@lru_cache(maxsize=64)
def _publishing(channel: int, exchange: str, priority: Priority) -> bytes:
    method = spec.Basic.Publish(exchange=exchange, routing_key=priority, mandatory=True)
    marshaled: bytes = frame.Method(channel, method).marshal()
    return marshaled
