"""How a noun is written down: dataclasses whose fields are its elements, in document order.

    x: T                     exactly one element
    x: T | None = None       at most one
    x: tuple[T, ...] = ()    any number
    x: tuple[T, ...]         at least one
    x: Expected[T] = None    one by the standard; some partners leave it out, we never do
    x: A | B | None = None   one of several elements, each named by its class
    x: Attribute = None      an attribute

A field is named as its element in snake case: `created_date_time` is `createdDateTime`. As in CIM, an element with
an object in it is written with a capital (`end_device_event_type` is `EndDeviceEventType`), one that holds a value or a
compound of values is not (`time_period` is `timePeriod`). Reading, writing and the XSD follow from this alone.
"""

import dataclasses
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union, cast, dataclass_transform, get_args, get_origin
from typing import get_type_hints as hints_of

_T = TypeVar("_T")
_Class = TypeVar("_Class", bound=type)

_EXPECTED, _ATTRIBUTE = "expected", "attribute"
_COMPOUND, _ELEMENT = "_is_compound", "_element"
Expected = Annotated[_T | None, _EXPECTED]
"""One by the standard; None where a partner left it out."""

Attribute = Annotated[str | None, _ATTRIBUTE]


_ODD_NAMES = {"mrid": "mRID", "system_id": "systemId"}


class TypeName(NamedTuple):
    """Name that the schema gives to a type of values, such as `Voltage`."""

    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class Extension:
    """What arrived and is not part of the profile: kept as it came, never written."""

    path: str
    """Element names from the payload's root."""

    xml: str


@dataclass_transform(frozen_default=True, kw_only_default=True)
def part(cls: _Class) -> _Class:
    """Make a class of the profile: its elements are written with a capital."""
    return cast("_Class", dataclasses.dataclass(frozen=True, slots=True, kw_only=True)(cls))


@dataclass_transform(frozen_default=True, kw_only_default=True)
def compound(cls: _Class) -> _Class:
    """Make a compound of values: its elements are written in lower case, like values."""
    setattr(cls, _COMPOUND, True)
    return cast("_Class", dataclasses.dataclass(frozen=True, slots=True, kw_only=True)(cls))


def chosen_as(name: str) -> Callable[[_Class], _Class]:
    """Name the element of a class that is one of several; without it, the element has the class's name."""

    def mark(cls: _Class) -> _Class:
        setattr(cls, _ELEMENT, name)
        return cls

    return mark


class Scalar(NamedTuple):
    """A type of values."""

    python: type
    name: str = ""
    """Name in the schema; empty: the XSD type of `python`."""

    words: tuple[str, ...] = ()
    """The values of an enumeration."""


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    """One element that may stand in a slot."""

    element: str
    type: Any
    """A Scalar or a class of the profile."""


@dataclasses.dataclass(frozen=True, slots=True)
class Slot:
    """One place in the sequence of a class: one element, or one of several."""

    field: str
    choices: tuple[Choice, ...]
    required: bool
    """Whether reading refuses without it."""

    expected: bool
    """Whether the standard demands it: writing refuses without it."""

    many: bool
    attribute: bool = False


@cache
def slots(cls: Any) -> tuple[Slot, ...]:
    """Return the places of a class, in document order."""
    hints = hints_of(cls, include_extras=True)
    fields = [field for field in dataclasses.fields(cls) if field.name != "extensions"]
    return tuple(_slot(field, hints[field.name]) for field in fields)


def _slot(field: "dataclasses.Field[Any]", hint: Any) -> Slot:
    """Return the place that a field describes."""
    has_default = field.default is not dataclasses.MISSING
    marks = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    if _EXPECTED in marks or _ATTRIBUTE in marks:
        hint = get_args(hint)[0]
    many = get_origin(hint) is tuple
    if many:
        hint = get_args(hint)[0]
    union = get_origin(hint) in (Union, UnionType)
    types = [one for one in get_args(hint) if one is not type(None)] if union else [hint]
    if len(types) == 1:
        choices: tuple[Choice, ...] = (_choice(field.name, types[0]),)
    else:
        choices = tuple(Choice(getattr(one, _ELEMENT, one.__name__), one) for one in types)
    required = not has_default
    return Slot(field.name, choices, required, required or _EXPECTED in marks, many, _ATTRIBUTE in marks)


def _choice(field: str, hint: Any) -> Choice:
    """Return the one element that a field stands for."""
    if dataclasses.is_dataclass(hint):
        return Choice(element_name(field, capital=not hasattr(hint, _COMPOUND)), hint)
    return Choice(element_name(field, capital=False), _scalar(hint))


def _scalar(hint: Any) -> Scalar:
    """Return the type of values that an annotation names."""
    if get_origin(hint) is Annotated:
        inner, *marks = get_args(hint)
        name = next((mark.name for mark in marks if isinstance(mark, TypeName)), "")
        return _scalar(inner)._replace(name=name)
    if get_origin(hint) is Literal:
        return Scalar(str, "", get_args(hint))
    if hint in (str, bool, int, Decimal, datetime, date, time):
        return Scalar(hint)
    raise TypeError(f"{hint!r} is not a type of values")


def element_name(field: str, *, capital: bool) -> str:
    """Return the element that a field is named after: `issuer_id` is issuerID, `mrid` is mRID."""
    if field in _ODD_NAMES:
        return _ODD_NAMES[field]
    first, *rest = field.split("_")
    words = [first.capitalize() if capital else first]
    words += ["ID" if word == "id" else word.capitalize() for word in rest]
    return "".join(words)
