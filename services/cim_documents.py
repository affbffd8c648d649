"""Messages that are only passed on, as documents: whole, and by single objects so that they can be split."""

from collections.abc import Sequence
from copy import deepcopy

from lxml import etree

from canonical.codes import message as codes
from canonical.documents import Document
from canonical.errors import RejectedError
from canonical.messages import Message
from flows.routing import Parts
from iec61968.envelope import child_text, local_name
from iec61968.spoken_nouns import NOUNS
from iec61968.wire import WireMessage

_USAGE_POINTS = ("UsagePoint", "UsagePoints")
_METERS = ("Meter", "Meters", "EndDevice", "EndDevices", "OldMeter")


def parts_from_wire(wire: WireMessage, *, source: str) -> Message[Parts]:
    """Return a message to be passed on, with the usage points and meters that each of its objects names.

    Raises:
        RejectedError: there is no header, or not exactly one element of the noun (SCHEMA_INVALID).
    """
    header = wire.header
    found = [part for part in wire.payload.parts if header is not None and local_name(part) == header.noun]
    if header is None or len(found) != 1:
        raise RejectedError("not exactly one element of the noun", code=codes.SCHEMA_INVALID, where="Payload")
    root = found[0]
    objects = [child for child in root if local_name(child) in NOUNS[header.noun].objects]
    whole = _document(header.noun, root, objects)
    parts = tuple(_document(header.noun, _only(root, objects, {n}), [one]) for n, one in enumerate(objects))

    def join(chosen: Sequence[Document]) -> Document:
        kept = {place for place, part in enumerate(parts) if part in chosen}
        return _document(header.noun, _only(root, objects, kept), [objects[place] for place in sorted(kept)])

    return Message(header.canonical(source=source), Parts(whole, parts or (whole,), join))


def _only(root: etree._Element, objects: Sequence[etree._Element], kept: set[int]) -> etree._Element:
    """Return the element with some of its objects; what they refer to stays."""
    found = deepcopy(root)
    places = [root.index(one) for one in objects]
    for number in reversed(range(len(objects))):
        if number not in kept:
            found.remove(found[places[number]])
    return found


def _document(noun: str, root: etree._Element, objects: Sequence[etree._Element]) -> Document:
    """Return an element as a document, with what its objects name."""
    body = etree.tostring(root, encoding="UTF-8", with_tail=False)
    return Document(noun, body, _named(objects, _USAGE_POINTS), _named(objects, _METERS))


def _named(objects: Sequence[etree._Element], kinds: Sequence[str]) -> tuple[str, ...]:
    """Return what the objects call things of some kinds: the mRID, else the first Name; each once, in order."""
    found: dict[str, None] = {}
    for one in objects:
        for element in one.iter(etree.Element):
            if local_name(element) not in kinds:
                continue
            names = [child_text(child, "name") for child in element if local_name(child) == "Names"]
            word = child_text(element, "mRID") or next(iter(names), "")
            if word:
                found.setdefault(word)
    return tuple(found)
