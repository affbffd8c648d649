"""What a message says of itself, in whatever binding and edition it came."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, BinaryIO, Literal

from lxml import etree

from canonical.codes import message as codes
from canonical.errors import RejectedError
from iec61968 import safe_xml
from iec61968.editions import EDITIONS, Edition
from iec61968.envelope import child_text, local_name
from iec61968.nouns.shape import Extension, Scalar, slots
from iec61968.services_spoken import EVENT_VERBS
from iec61968.spoken_nouns import NOUNS
from iec61968.tolerance import noun_of
from services.cim_validation import edition_of
from services.inspection_facts import MessageFacts

_CHUNK = 65_536
_HEAD_BYTES = 1_048_576
_ALIKE = 0.85
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

    facts: MessageFacts
    payloads: tuple[etree._Element, ...]


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
    facts = facts_of(root)
    payloads = tuple(_payloads(root))
    unknown = [noun for noun in _unknown_nouns(root) if noun]
    if unknown and not payloads:
        raise RejectedError(f"noun {unknown[0]!r} is not known", code=codes.UNKNOWN_NOUN, where=local_name(root))
    return ReadMessage(facts, payloads)


def unwrapped(root: etree._Element) -> etree._Element:
    """Return the message inside a SOAP envelope of either version, also when it travels as a text."""
    if local_name(root) == "Envelope":
        body = next((child for child in root if local_name(child) == "Body"), None)
        root = body[0] if body is not None and len(body) else root
    for element in root.iter(etree.Element):
        text = (element.text or "").strip()
        if not len(element) and text.startswith("<"):
            return safe_xml.parse(text.encode())
    return root


def facts_of(root: etree._Element) -> MessageFacts:
    """Return what a message, or as much of it as has been read, says of itself.

    Raises:
        RejectedError: it is neither a message nor a known payload.
    """
    if local_name(root) == "Envelope":
        body = next((child for child in root if local_name(child) == "Body"), None)
        root = body[0] if body is not None and len(body) else root
    if noun_of(root):
        return MessageFacts("payload", noun=noun_of(root))
    header = next((child for child in root if local_name(child) == "Header"), None)
    if header is None:
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


def _payloads(element: etree._Element) -> Iterator[etree._Element]:
    """Yield the outermost payloads of known nouns."""
    if noun_of(element) in NOUNS:
        yield element
        return
    for child in element.iterchildren(etree.Element):
        yield from _payloads(child)


def _unknown_nouns(root: etree._Element) -> Iterator[str]:
    """Yield the nouns of payloads that are not known."""
    yield from (noun_of(element) for element in root.iter(etree.Element))


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
