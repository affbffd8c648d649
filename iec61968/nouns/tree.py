"""A noun from its payload element and back, by the shape of its classes (see shape.py)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any, Protocol, TypeVar, cast

from lxml import etree

from canonical.codes import message as codes
from canonical.errors import RejectedError
from iec61968.editions import EDITIONS, Edition, default_namespace
from iec61968.nouns.scalars import instant, microseconds
from iec61968.nouns.shape import Choice, Extension, Scalar, Slot, slots

Noun_co = TypeVar("Noun_co", covariant=True)
Noun_contra = TypeVar("Noun_contra", contravariant=True)
_T = TypeVar("_T")

_INTEGER = re.compile(r"[+-]?[0-9]{1,4000}", re.ASCII)
_FLOAT = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,6})?|-?INF|NaN", re.ASCII)
_ZONE = re.compile(r"(Z|[+-][0-9]{2}:[0-9]{2})$", re.ASCII)
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


class FromXml(Protocol[Noun_co]):
    """Reads a noun. Elements are matched by local name, in any order; what is not of the profile is kept.

    With `strict` a word outside its enumeration is refused, otherwise it stays as it came. An instant without an offset
    is taken in `zone`, and refused if there is none.

    Raises:
        RejectedError: something that must be there is missing, or a value cannot be read.
    """

    def __call__(self, element: etree._Element, *, strict: bool = True, zone: tzinfo | None = None) -> Noun_co:
        """Return the noun that the payload element holds."""


class ToXml(Protocol[Noun_contra]):
    """Writes a noun in schema order, without extensions.

    Raises:
        RejectedError: something that the standard demands is missing.
    """

    def __call__(self, noun: Noun_contra, *, edition: Edition = EDITIONS["2011"]) -> etree._Element:
        """Return the payload element of the noun."""


def pair(cls: type[_T]) -> tuple[FromXml[_T], ToXml[_T]]:
    """Return the reader and the writer of the noun that a class describes."""

    def from_xml(element: etree._Element, *, strict: bool = True, zone: tzinfo | None = None) -> _T:
        return read(cls, element, strict=strict, zone=zone)

    def to_xml(noun: _T, *, edition: Edition = EDITIONS["2011"]) -> etree._Element:
        return write(noun, edition=edition)

    return from_xml, to_xml


@dataclass(slots=True)
class _Reading:
    """What reading one payload needs and finds."""

    strict: bool
    zone: tzinfo | None
    kept: list[Extension] = field(default_factory=list)


def read(cls: type[_T], element: etree._Element, *, strict: bool = True, zone: tzinfo | None = None) -> _T:
    """Return the noun in a payload element; its `extensions` list what is not of the profile.

    Raises:
        RejectedError: see `FromXml`.
    """
    name = etree.QName(element).localname
    if name != cls.__name__:
        raise RejectedError(f"{name!r} is not {cls.__name__}", code=codes.UNKNOWN_NOUN, where=name)
    reading = _Reading(strict, zone)
    noun: Any = _object(cls, element, name, reading)
    return cast("_T", replace(noun, extensions=tuple(reading.kept)))


def read_part(cls: type[_T], element: etree._Element, *, strict: bool = True, zone: tzinfo | None = None) -> _T:
    """Return one object of a profile that stands by itself, such as an event inside a MeterReading.

    Raises:
        RejectedError: see `FromXml`.
    """
    return cast("_T", _object(cls, element, etree.QName(element).localname, _Reading(strict, zone)))


def _object(cls: type, element: etree._Element, path: str, reading: _Reading) -> Any:
    """Return one object of the profile."""
    places = {choice.element: (slot, choice) for slot in slots(cls) if not slot.attribute for choice in slot.choices}
    namespace = etree.QName(element).namespace
    found: dict[str, Any] = {
        slot.field: element.get(slot.field)
        for slot in slots(cls)
        if slot.attribute and element.get(slot.field) is not None
    }
    for child in element.iterchildren(etree.Element):
        name = etree.QName(child)
        place = places.get(name.localname) if name.namespace == namespace else None
        where = f"{path}/{name.localname}"
        if place is None or (place[0].field in found and not place[0].many):
            xml = etree.tostring(child, encoding="unicode", with_tail=False)
            reading.kept.append(Extension(where, xml))
            continue
        slot, choice = place
        value = _value(choice, child, where, reading)
        if slot.many:
            found.setdefault(slot.field, []).append(value)
        else:
            found[slot.field] = value
    for slot in slots(cls):
        if slot.required and slot.field not in found:
            names = " or ".join(choice.element for choice in slot.choices)
            raise RejectedError(f"{names} is missing", code=codes.SCHEMA_INVALID, where=path)
    return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in found.items()})


def _value(choice: Choice, element: etree._Element, path: str, reading: _Reading) -> Any:
    """Return an element's object or value."""
    if not isinstance(choice.type, Scalar):
        return _object(choice.type, element, path, reading)
    scalar, text = choice.type, (element.text or "").strip()
    if scalar.words and text not in scalar.words and reading.strict:
        raise RejectedError(
            f"{text[:60]!r} is not one of {', '.join(scalar.words)}", code=codes.BAD_XML_VALUE, where=path
        )
    try:
        return value_of(scalar.python, text, zone=reading.zone)
    except ValueError as error:
        reason = f"{text[:60]!r} is not a {scalar.python.__name__}"
        raise RejectedError(reason, code=codes.BAD_XML_VALUE, where=path) from error


def value_of(kind: type, text: str, *, zone: tzinfo | None = None) -> Any:
    """Return the value of a trimmed text; instants keep their offset.

    Raises:
        ValueError: the text is no such value.
    """
    if kind is str:
        return text
    if kind is bool and text in _BOOLEANS:
        return _BOOLEANS[text]
    if kind is int and _INTEGER.fullmatch(text):
        return int(text)
    if kind is Decimal and _FLOAT.fullmatch(text):
        return Decimal(text.replace("INF", "Infinity"))
    if kind is datetime:
        return _instant(text, zone)
    if kind is date:
        return date.fromisoformat(_ZONE.sub("", text))
    if kind is time:
        return time.fromisoformat("00:00:00" if text.startswith("24:00:00") else _ZONE.sub("", text))
    raise ValueError(text)


def _instant(text: str, zone: tzinfo | None) -> datetime:
    """Return an instant with the offset that it was written with."""
    offset = _ZONE.search(text)
    if offset is None:
        if zone is None:
            raise ValueError(text)
        return datetime.fromisoformat(text).replace(tzinfo=zone)
    written = UTC if offset[1] == "Z" else _fixed(offset[1])
    try:
        return instant(microseconds(text)).astimezone(written)
    except OverflowError as error:
        raise ValueError(text) from error


def _fixed(offset: str) -> timezone:
    """Return the zone of an offset such as `+08:00`."""
    minutes = int(offset[1:3]) * 60 + int(offset[4:6])
    return timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))


def write(noun: Any, *, edition: Edition = EDITIONS["2011"]) -> etree._Element:
    """Return the payload element of a noun, named by its class.

    Raises:
        RejectedError: something that the standard demands is missing, or a text that XML cannot hold.
    """
    name = type(noun).__name__
    namespace = edition.profile(name)
    root = etree.Element(f"{{{namespace}}}{name}", nsmap=default_namespace(namespace))
    _fill(root, noun, f"{{{namespace}}}", name)
    return root


def _fill(element: etree._Element, thing: Any, prefix: str, path: str) -> None:
    """Append an object's elements in document order."""
    kind: type = type(thing)
    for slot in slots(kind):
        value = getattr(thing, slot.field)
        if slot.attribute:
            if value is not None:
                element.set(slot.field, value)
            continue
        values = value if slot.many else () if value is None else (value,)
        if slot.expected and not values:
            name = slot.choices[0].element
            raise RejectedError(f"{name} is missing", code=codes.EXPORT_IMPOSSIBLE, where=path)
        _append(element, slot, values, prefix, path)


def _append(element: etree._Element, slot: Slot, values: Iterable[Any], prefix: str, path: str) -> None:
    """Append the elements of one place."""
    for value in values:
        choice = next((one for one in slot.choices if one.type is type(value)), slot.choices[0])
        child = etree.SubElement(element, f"{prefix}{choice.element}")
        if not isinstance(choice.type, Scalar):
            _fill(child, value, prefix, f"{path}/{choice.element}")
            continue
        try:
            child.text = text_of(value)
        except ValueError as error:
            reason = f"{value!r} cannot stand in XML"
            raise RejectedError(reason, code=codes.EXPORT_IMPOSSIBLE, where=f"{path}/{choice.element}") from error


def text_of(value: Any) -> str:
    """Return a value as XML writes it.

    Raises:
        ValueError: an instant without an offset.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(value)
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value).replace("Infinity", "INF") if isinstance(value, Decimal) else str(value)
