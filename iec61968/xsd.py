"""The XML Schema of a noun, from its classes: the same source that reading and writing follow."""

from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from iec61968.nouns.shape import Choice, Scalar, Slot, slots

_BASES = {
    str: "string",
    bool: "boolean",
    int: "integer",
    Decimal: "float",
    datetime: "dateTime",
    date: "date",
    time: "time",
}


def schema_text(noun: type, namespace: str, *, tolerant: bool = False) -> str:
    """Return the schema of the noun that a class describes; `namespace` is that of its profile.

    The tolerant one is not published: what some partners leave out is optional in it, and enumerations are open.
    """
    classes = list(dict.fromkeys(_classes(noun)))
    scalars = dict.fromkeys(s for cls in classes for s in _scalars(cls) if s.name)
    parts = [_complex(cls, tolerant) for cls in classes] + [
        _simple(s, tolerant) for s in sorted(scalars, key=lambda s: s.name)
    ]
    name = noun.__name__
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<!-- {name} profile of IEC 61968-9:2013, made from the classes of this project. -->\n"
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:m="{namespace}"\n'
        f'           targetNamespace="{namespace}"\n'
        '           elementFormDefault="qualified" attributeFormDefault="unqualified">\n'
        f'  <xs:element name="{name}" type="m:{name}"/>\n\n' + "\n".join(parts) + "</xs:schema>\n"
    )


def _classes(cls: type) -> Iterator[type]:
    """Yield a class and all that it holds."""
    yield cls
    for slot in slots(cls):
        for choice in slot.choices:
            if not isinstance(choice.type, Scalar):
                yield from _classes(choice.type)


def _scalars(cls: type) -> Iterator[Scalar]:
    """Yield the types of values of a class."""
    for slot in slots(cls):
        yield from (choice.type for choice in slot.choices if isinstance(choice.type, Scalar))


def _complex(cls: type, tolerant: bool) -> str:
    """Return the complex type of a class."""
    elements = [line for slot in slots(cls) if not slot.attribute for line in _place(slot, tolerant)]
    sequence = ["    <xs:sequence>", *elements, "    </xs:sequence>"] if elements else []
    attributes = [f'    <xs:attribute name="{s.field}" type="xs:string"/>' for s in slots(cls) if s.attribute]
    lines = [f'  <xs:complexType name="{cls.__name__}">', *sequence, *attributes, "  </xs:complexType>"]
    return "\n".join(lines) + "\n"


def _place(slot: Slot, tolerant: bool) -> list[str]:
    """Return the lines of one place."""
    occurs = ("" if (slot.required if tolerant else slot.expected) else ' minOccurs="0"') + (
        ' maxOccurs="unbounded"' if slot.many else ""
    )
    if len(slot.choices) == 1:
        return [f"      {_element(slot.choices[0], occurs)}"]
    inside = [f"        {_element(choice, '')}" for choice in slot.choices]
    return [f"      <xs:choice{occurs}>", *inside, "      </xs:choice>"]


def _element(choice: Choice, occurs: str) -> str:
    return f'<xs:element name="{choice.element}" type="{_type_name(choice.type)}"{occurs}/>'


def _type_name(kind: Any) -> str:
    """Return the name of a type in the schema."""
    if not isinstance(kind, Scalar):
        return f"m:{kind.__name__}"
    return f"m:{kind.name}" if kind.name else f"xs:{_BASES[kind.python]}"


def _simple(scalar: Scalar, tolerant: bool) -> str:
    """Return the simple type of a quantity or an enumeration."""
    words = "".join(f'      <xs:enumeration value="{word}"/>\n' for word in scalar.words if not tolerant)
    base = f'base="xs:{_BASES[scalar.python]}"'
    restriction = (
        f"    <xs:restriction {base}>\n{words}    </xs:restriction>\n" if words else f"    <xs:restriction {base}/>\n"
    )
    return f'  <xs:simpleType name="{scalar.name}">\n{restriction}  </xs:simpleType>\n'
