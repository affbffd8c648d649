"""Canonical messages as files of one bare message of IEC 61968-100 each, what such files are called, and back."""

import re
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from lxml import etree

from canonical.codes.file import UNKNOWN_NAME
from canonical.documents import Document
from canonical.errors import RejectedError
from canonical.ids import mint
from canonical.messages import FileFacts, FileIdentity, Header, Message
from iec61968 import safe_xml
from iec61968.canonical_nouns.bare_message import bare_from_message, message_from_bare
from iec61968.canonical_nouns.conventions import MasterDataReading
from iec61968.canonical_nouns.outgoing import Form, Speech
from iec61968.editions import EDITIONS, Edition

_PACKED = re.compile(r"(\.(?:gz|zip|pgp|gpg))+$", re.IGNORECASE)


def identity_from_name(name: str, *, names: re.Pattern[str]) -> FileIdentity:
    """Return what a name says: that it is a message; who sent it is proven by the folder, and said in the message.

    Raises:
        RejectedError: it does not follow the pattern (UNKNOWN_NAME).
    """
    if names.fullmatch(_PACKED.sub("", name)) is None:
        raise RejectedError(f"{name[:80]!r} does not follow {names.pattern!r}", code=UNKNOWN_NAME, where=name)
    return FileIdentity("message", "")


def facts_from_file(stream: BinaryIO, *, where: str) -> FileFacts:
    """Read a file to its end, in bounded memory, and say that it is one message; what it means is its receiver's.

    Raises:
        RejectedError: it is not well-formed XML, or cut short: it may still grow.
    """
    safe_xml.check_prolog(stream.read(safe_xml.PROLOG_BYTES), where=where)
    stream.seek(0)
    try:
        for _, element in etree.iterparse(stream, **safe_xml.PARSER_SETTINGS):
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    except etree.XMLSyntaxError as error:
        raise safe_xml.not_well_formed(error, where=where) from error
    return FileFacts({}, {"Message": 1}, {}, 1, 0)


def file_from_message(message: Message[Any], *, edition: Edition, sender: str, form: Form) -> tuple[str, str, bytes]:
    """Return id, name and content of the file that says a canonical message: readings, master data or a document.

    Raises:
        RejectedError: it cannot be said as a valid message of the edition.
    """
    identity = mint("cim-event", message.header.message_id)
    body = bare_from_message(message, identity, Speech(edition, sender, MasterDataReading(), form))
    root = etree.fromstring(body)
    verb, noun = (root.findtext(f"{{*}}Header/{{*}}{name}", "") for name in ("Verb", "Noun"))
    return identity, f"{verb}_{noun}_{identity}.xml", body


@dataclass(frozen=True, slots=True)
class Meant:
    """What a sample file means."""

    header: Header
    noun: str
    body: str
    """The payload as XML."""


def golden_read(wire: bytes, _name: str = "") -> Meant:
    """Return what a sample file means."""
    message = message_from_bare(wire, source="AMIHUB")
    return Meant(message.header, message.payload.noun, message.payload.body.decode())


def golden_write(meant: Meant, _name: str = "") -> bytes:
    """Return the file that means this, under the id of the sample."""
    header = replace(meant.header, correlation_id="")
    speech = Speech(EDITIONS["2011"], header.source, MasterDataReading(), "as_sent")
    return bare_from_message(Message(header, Document(meant.noun, meant.body.encode())), header.message_id, speech)
