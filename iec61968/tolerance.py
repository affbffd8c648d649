"""A partner's payload as we understand it: extensions set aside, namespaces of any edition, times without offset."""

import re
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from threading import Lock
from typing import Any

from lxml import etree

from iec61968 import xsd
from iec61968.editions import EDITIONS
from iec61968.nouns.shape import Extension, Scalar, slots
from iec61968.spoken_nouns import NOUNS
from iec61968.validation import Finding, place_of, plain

_PROFILE = re.compile(r".*/(\w+)#")
_FAMILY = re.compile(r"(?:https?://(?:www\.)?iec\.ch/TC57/.*)?")
"""Namespaces that may stand for a profile's own: anything of the committee, and none at all."""

_LOOSE_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d(?:\.\d+)?)?(?:(Z)|([+-]\d\d):?(\d\d))?", re.ASCII | re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Understood:
    """A payload that could be read as one of a known noun."""

    payload: etree._Element
    """In the namespaces of 2011, without what the profile lacks."""

    noun: str
    extensions: tuple[Extension, ...]
    tolerated: tuple[str, ...]
    """Sentences about what was read although the standard does not allow it."""


def noun_of(element: etree._Element) -> str:
    """Return the noun whose payload an element is, whatever edition its namespace is of; empty for anything else."""
    name = etree.QName(element)
    match = _PROFILE.fullmatch(name.namespace or "")
    return name.localname if match and match[1] == name.localname else ""


def likely_noun(element: etree._Element) -> str:
    """Return the known noun that an element is named after, in a namespace that others write it in; else empty.

    Typed messages bear such names too: ask only where a payload is expected.
    """
    name = etree.QName(element)
    return name.localname if name.localname in NOUNS and _FAMILY.fullmatch(name.namespace or "") else ""


def understood(payload: etree._Element) -> Understood:
    """Return a payload of a known noun as far as its profile goes; the element itself is left as it is."""
    copy, noun = deepcopy(payload), noun_of(payload) or likely_noun(payload)
    profile = EDITIONS["2011"].profile(noun)
    pruning = _Pruning(profile)
    theirs = etree.QName(payload).namespace or ""
    if theirs != profile:
        pruning.note(f"namespace {theirs!r} is read as {profile!r}", noun)
    pruning.prune(copy, NOUNS[noun].type, noun)
    return Understood(copy, noun, tuple(pruning.extensions), pruning.sentences())


@dataclass(slots=True)
class _Pruning:
    """One walk through a payload."""

    namespace: str
    extensions: list[Extension] = field(default_factory=list)
    notes: dict[str, list[str]] = field(default_factory=dict)

    def note(self, what: str, path: str) -> None:
        self.notes.setdefault(what, []).append(path)

    def sentences(self) -> tuple[str, ...]:
        """Return what was noted, each kind once with the place where it first stands."""
        return tuple(
            f"{places[0]}: {what}" + (f" ({len(places)} times)" if len(places) > 1 else "")
            for what, places in self.notes.items()
        )

    def prune(self, element: etree._Element, cls: type, path: str) -> None:
        """Take out of an element what its class does not have, and rename it and all below."""
        places = {choice.element: choice for slot in slots(cls) if not slot.attribute for choice in slot.choices}
        theirs = etree.QName(element).namespace
        for child in element.iterchildren(etree.Element):
            name = etree.QName(child)
            below = f"{path}/{name.localname}"
            # Some write the payload's root with a prefix and leave all below it in no namespace.
            choice = places.get(name.localname) if name.namespace in (theirs, self.namespace, None) else None
            if choice is None:
                xml = etree.tostring(child, encoding="unicode", with_tail=False)
                self.extensions.append(Extension(below, xml))
                element.remove(child)
                continue
            if name.namespace != theirs:
                self.note("in another namespace than what it stands in", below)
            if isinstance(choice.type, Scalar):
                self._read(child, choice.type.python, below)
            else:
                self.prune(child, choice.type, below)
            child.tag = f"{{{self.namespace}}}{name.localname}"
        element.tag = f"{{{self.namespace}}}{etree.QName(element).localname}"

    def _read(self, element: etree._Element, kind: type, path: str) -> None:
        """Rewrite a value that is clear although it is not written as its type demands."""
        text = (element.text or "").strip()
        if kind is bool and text in ("True", "False", "TRUE", "FALSE"):
            element.text = text.lower()
            self.note("a boolean is written in small letters", path)
        found = _LOOSE_INSTANT.fullmatch(text) if kind is datetime else None
        if found is None:
            return
        day, minute, second, utc, hours, minutes = found.groups()
        offset = "Z" if utc or not hours else f"{hours}:{minutes}"
        element.text = f"{day}T{minute}{second or ':00'}{offset}"
        if not utc and not hours:
            self.note("an instant without an offset is read as UTC", path)
        elif element.text != text:
            self.note("an instant is not written as xs:dateTime", path)


_ASKING = Lock()
"""Whoever validates next empties the schema's log of errors: one thread at a time asks, and reads its answer."""


@cache
def _tolerant(noun: str) -> etree.XMLSchema:
    """Return the schema of a noun as partners follow it: what some leave out is optional, enumerations are open."""
    text = xsd.schema_text(NOUNS[noun].type, EDITIONS["2011"].profile(noun), tolerant=True)
    return etree.XMLSchema(etree.fromstring(text.encode()))


def findings(payload: etree._Element) -> tuple[Finding, ...]:
    """Return where a payload breaks even the tolerant schema; it must be one that was understood."""
    with _ASKING:
        schema = _tolerant(noun_of(payload))
        if schema.validate(payload):
            return ()
        log: Any = schema.error_log
        return tuple(Finding(entry.line, place_of(payload, entry), plain(entry.message)) for entry in log)
