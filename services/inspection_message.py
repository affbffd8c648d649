"""What a message says of itself, in whatever binding and edition it came."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, BinaryIO, Literal

from lxml import etree

from canonical.codes import message as codes
from canonical.errors import RejectedError
from iec61968 import compression, safe_xml, validation
from iec61968.editions import EDITIONS, SOAP_11, Edition
from iec61968.envelope import VERBS, child_text, local_name
from iec61968.nouns.shape import Extension, Scalar, slots
from iec61968.services_spoken import EVENT_VERBS
from iec61968.spoken_nouns import NOUNS
from iec61968.tolerance import likely_noun, noun_of
from services.cim_validation import edition_of
from services.inspection_facts import MessageFacts
from services.message_unwrapping import in_body, unwrapped

_CHUNK = 65_536
_HEAD_BYTES = 1_048_576
_ALIKE = 0.85
_TOLERATED = 20
"""Places where a message breaks the standard that are listed; the rest is counted."""

_OFFSET = re.compile(r"[+-]\d\d:?\d\d$")
_HOLDERS = ("Payload", "Request", "Operation")
"""Elements in which payloads stand."""

Kind = Literal["request", "response", "event", "fault", "payload"]


@dataclass(frozen=True, slots=True)
class Begun:
    """What the beginning of a message shows, up to its payload."""

    facts: MessageFacts | None = None
    payload: str = ""
    """Noun of the payload, empty where there is none within the first megabyte."""

    edition: Edition = EDITIONS["2011"]


@dataclass(frozen=True, slots=True)
class ReadMessage:
    """A message that is held whole."""

    root: etree._Element
    """The message's own element, out of whatever carried it."""

    facts: MessageFacts


def message_begun(stream: BinaryIO) -> Begun:
    """Return what the beginning of a message shows, nothing if it cannot be read; the stream is left where it was."""
    parser = etree.XMLPullParser(("start",), **safe_xml.PARSER_SETTINGS)
    root: Any = None
    read = 0
    try:
        while read < _HEAD_BYTES and (chunk := stream.read(_CHUNK)):
            if not read:
                safe_xml.check_prolog(chunk)
            read += len(chunk)
            parser.feed(chunk)
            events: Any = parser.read_events()
            for _, element in events:
                root = element if root is None else root
                if noun_of(element) in NOUNS:
                    return Begun(facts_of(root), noun_of(element), edition_of(root))
    except (etree.XMLSyntaxError, RejectedError):
        return Begun()
    finally:
        stream.seek(0)
    return Begun()


def read_message(raw: bytes) -> ReadMessage:
    """Return what a whole message says, unwrapped from SOAP and from a string inside it.

    Raises:
        RejectedError: not XML, beyond a limit, or neither a message nor a known payload.
    """
    root = unwrapped(safe_xml.parse(raw))
    return ReadMessage(root, facts_of(root))


def facts_of(root: etree._Element) -> MessageFacts:
    """Return what a message, or as much of it as has been read, says of itself.

    Raises:
        RejectedError: it is neither a message nor a known payload.
    """
    root = in_body(root)
    if noun_of(root):
        return MessageFacts("payload", noun=noun_of(root))
    header = next((child for child in root if local_name(child) == "Header"), None)
    if header is None:
        if likely_noun(root):
            return MessageFacts("payload", noun=likely_noun(root))
        if local_name(root).endswith("Fault") or local_name(root).endswith("FaultMessage"):
            return MessageFacts("fault")
        raise RejectedError("neither a message nor a payload", code=codes.UNKNOWN_NOUN, where=f"/{local_name(root)}")
    said = {name: child_text(header, name) or None for name in ("Verb", "Noun", "MessageID", "CorrelationID")}
    kind = _kind(root, said["Verb"] or "")
    return MessageFacts(kind, said["Verb"], said["Noun"], said["MessageID"], said["CorrelationID"])


def _kind(root: etree._Element, verb: str) -> Kind:
    """Return what a message is: by its name, else by its parts and its verb."""
    name = local_name(root)
    named: tuple[tuple[str, Kind], ...] = (
        ("ResponseMessage", "response"),
        ("FaultMessage", "fault"),
        ("EventMessage", "event"),
        ("RequestMessage", "request"),
    )
    for ending, kind in named:
        if name.endswith(ending):
            return kind
    if name.startswith(EVENT_VERBS):
        return "event"
    if any(local_name(child) == "Reply" for child in root):
        return "response"
    return "event" if verb.capitalize() in (*EVENT_VERBS, "Executed", "Cancelled") else "request"


def payloads_of(message: ReadMessage) -> tuple[etree._Element, ...]:
    """Return the outermost payloads of known nouns, unpacked where they came compressed.

    Raises:
        RejectedError: a payload of a noun that is not known, or one that cannot be unpacked within the limits.
    """
    unpacked = _unpacked(message.root)
    roots = (message.root,) if unpacked is None else (message.root, unpacked)
    found = tuple(payload for root in roots for payload in _payloads(root))
    if not found:
        found = tuple(payload for root in roots for payload in _likely_payloads(root))
    unknown = [noun_of(element) for root in roots for element in root.iter(etree.Element) if noun_of(element)]
    if unknown and not found:
        reason = f"noun {unknown[0]!r} is not known"
        raise RejectedError(reason, code=codes.UNKNOWN_NOUN, where=local_name(message.root))
    return found


def _unpacked(root: etree._Element) -> etree._Element | None:
    """Return the root of a compressed payload, None where there is none or it is no XML."""
    packed = [one for one in root.iterfind(".//{*}Payload/{*}Compressed")]
    if not packed:
        return None
    where = "Payload/Compressed"
    if len(packed) > 1:
        raise RejectedError("more than one", code=codes.COMPRESSED_REFUSED, where=where)
    data = compression.expand(packed[0].text or "", where=where)
    return safe_xml.parse(data, where=where) if data.lstrip().startswith(b"<") else None


def _payloads(element: etree._Element) -> Iterator[etree._Element]:
    """Yield the outermost payloads of known nouns."""
    if noun_of(element) in NOUNS:
        yield element
        return
    for child in element.iterchildren(etree.Element):
        yield from _payloads(child)


def _likely_payloads(root: etree._Element) -> Iterator[etree._Element]:
    """Yield what stands where a payload is expected and is named like a noun, in another namespace than its own."""
    if likely_noun(root) and not any(local_name(one) == "Header" for one in root):
        yield root
        return
    for holder in root.iter(*(f"{{*}}{name}" for name in _HOLDERS)):
        yield from (child for child in holder.iterchildren(etree.Element) if likely_noun(child))


def broken_rules(message: ReadMessage) -> list[str]:
    """Return sentences about where a message breaks the standard: its schema, older words, a missing offset."""
    root, said = message.root, []
    if message.facts.kind == "payload" or not len(root):
        return []
    header = next((child for child in root if local_name(child) == "Header"), None)
    verb = child_text(header, "Verb") if header is not None else ""
    if verb and verb not in VERBS:
        said.append(f"Header/Verb: {verb!r} is not a verb of the standard")
    stamp = child_text(header, "Timestamp") if header is not None else ""
    if stamp and not stamp.upper().endswith("Z") and not _OFFSET.search(stamp):
        said.append("Header/Timestamp: an instant without an offset")
    if message.facts.kind == "event" and any(local_name(child) == "Reply" for child in root):
        said.append("Reply: an event has none")
    if etree.QName(root).namespace == SOAP_11:
        return said
    found = [str(one) for one in validation.findings(root, edition_of(root))]
    more = [f"and {len(found) - _TOLERATED} more places"] if len(found) > _TOLERATED else []
    return [*said, *found[:_TOLERATED], *more]


def objects_in(payload: etree._Element) -> int:
    """Return how many objects of what its noun is about a payload holds."""
    wanted = NOUNS[noun_of(payload)].objects
    return sum(1 for child in payload.iterchildren(etree.Element) if local_name(child) in wanted)


def misspelled(noun: str, extensions: Sequence[Extension]) -> str:
    """Return the place of an extension whose name nearly is one of the profile's, empty when there is none."""
    names = _names(NOUNS[noun].type)
    for extension in extensions:
        name = extension.path.rpartition("/")[2]
        if name not in names and get_close_matches(name, names, n=1, cutoff=_ALIKE):
            return extension.path
    return ""


def mistaken_name(path: str) -> RejectedError:
    """Return the refusal of an element whose name is nearly right."""
    name = path.rpartition("/")[2]
    return RejectedError(f"Element {name!r}: nearly an element of the profile", code=codes.SCHEMA_INVALID, where=path)


def _names(cls: type) -> set[str]:
    """Return the names of all elements of a class and below."""
    found: set[str] = set()
    for slot in slots(cls):
        for choice in slot.choices:
            found.add(choice.element)
            if not isinstance(choice.type, Scalar):
                found |= _names(choice.type)
    return found
