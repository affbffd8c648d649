"""Canonical messages as bare messages of IEC 61968-100, and the letters that carry them (docs/messaging.md)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from canonical.documents import Document
from canonical.messages import Header, Message
from iec61968.bare_parcels import letter_facts
from iec61968.canonical_nouns.bare_message import bare_from_message, message_from_bare
from iec61968.canonical_nouns.conventions import MasterDataReading
from iec61968.canonical_nouns.outgoing import Speech
from iec61968.editions import EDITIONS, Edition
from messaging.letters import Letter


def letter_from_wire(body: bytes, *, edition: Edition, reply_to: str = "") -> Letter:
    """Return the letter that carries a message, with what its header says as properties; gzipped bodies stay so."""
    return Letter(**letter_facts(body, edition), reply_to=reply_to)


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
