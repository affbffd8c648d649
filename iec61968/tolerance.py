"""A partner's payload as we understand it: extensions set aside, namespaces of any edition."""

import re
from copy import deepcopy
from functools import cache
from typing import Any

from lxml import etree

from iec61968 import xsd
from iec61968.editions import EDITIONS
from iec61968.nouns.shape import Extension, Scalar, slots
from iec61968.spoken_nouns import NOUNS
from iec61968.validation import Finding, named_path, plain

_PROFILE = re.compile(r".*/(\w+)#")


def noun_of(element: etree._Element) -> str:
    """Return the noun whose payload an element is, whatever edition its namespace is of; empty for anything else."""
    name = etree.QName(element)
    match = _PROFILE.fullmatch(name.namespace or "")
    return name.localname if match and match[1] == name.localname else ""


def pruned(payload: etree._Element) -> tuple[etree._Element, tuple[Extension, ...]]:
    """Return a copy of a known noun's payload in the namespaces of 2011, and the extensions that it lacks."""
    copy = deepcopy(payload)
    name = noun_of(copy)
    kept: list[Extension] = []
    _prune(copy, NOUNS[name].type, name, EDITIONS["2011"].profile(name), kept)
    return copy, tuple(kept)


def _prune(element: etree._Element, cls: type, path: str, namespace: str, kept: list[Extension]) -> None:
    """Take out of an element what its class does not have, and rename it and all below."""
    places = {choice.element: choice for slot in slots(cls) if not slot.attribute for choice in slot.choices}
    theirs = etree.QName(element).namespace
    for child in element.iterchildren(etree.Element):
        name = etree.QName(child)
        choice = places.get(name.localname) if name.namespace == theirs else None
        if choice is None:
            xml = etree.tostring(child, encoding="unicode", with_tail=False)
            kept.append(Extension(f"{path}/{name.localname}", xml))
            element.remove(child)
        elif isinstance(choice.type, Scalar):
            child.tag = f"{{{namespace}}}{name.localname}"
        else:
            _prune(child, choice.type, f"{path}/{name.localname}", namespace, kept)
    element.tag = f"{{{namespace}}}{etree.QName(element).localname}"


@cache
def _tolerant(noun: str) -> etree.XMLSchema:
    """Return the schema of a noun as partners follow it: what some leave out is optional, enumerations are open."""
    text = xsd.schema_text(NOUNS[noun].type, EDITIONS["2011"].profile(noun), tolerant=True)
    return etree.XMLSchema(etree.fromstring(text.encode()))


def findings(payload: etree._Element) -> tuple[Finding, ...]:
    """Return where a pruned payload breaks even the tolerant schema."""
    schema = _tolerant(noun_of(payload))
    if schema.validate(payload):
        return ()
    found = []
    log: Any = schema.error_log
    for entry in log:
        places = payload.getroottree().xpath(entry.path) if entry.path else []
        where = named_path(places[0]) if isinstance(places, list) and places else f"/{noun_of(payload)}"
        found.append(Finding(entry.line, where, plain(entry.message)))
    return tuple(found)
