"""A file layout as data: its record types, their fields, who stands below whom, what the trailer totals.

A layout is a TOML file; docs/layouts.md says how to write one. The same layout is delimited or of fixed width.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from canonical.codes import configuration as codes
from canonical.errors import MisconfiguredError

Kind = Literal["text", "int", "decimal", "instant", "date", "time", "code", "bool"]
Form = Literal["delimited", "fixed"]
Scope = Literal[
    "header", "determinant", "meter", "register", "quantity", "demand", "remark", "closing", "item", "trailer"
]


@dataclass(frozen=True, slots=True)
class Total:
    """What a trailer field adds up while a file is written or read."""

    kind: Literal["count", "sum", "sums", "hash"]
    """`sums` is `key=sum` joined by `;`, sorted by key; `hash` is sha256 (hex) of values, each followed by LF."""

    record: str
    """Tag of the records that count; `*` means every record between header and trailer."""

    of: str = ""
    """Field that is summed or hashed; for `*` it is the first business field."""

    by: tuple[str, ...] = ()
    """Fields whose values, joined by a point, make the key of one sum."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record."""

    name: str
    kind: Kind = "text"
    width: int = 0
    """Characters in the fixed-width form."""

    mandatory: bool = False
    scale: int = 6
    """Most digits after the decimal point."""

    implied: bool = False
    """Whether the decimal point is left out: `scale` digits stand behind it (fixed width only)."""

    align: Literal["left", "right"] = "left"
    pad: Literal[" ", "0"] = " "
    """`0` fills a number on its left; an empty field is always blanks, never zeros."""

    codes: Mapping[str, str] = field(default_factory=dict)
    """Canonical word to the word of the wire."""

    constant: str = ""
    """The only value that the field may have."""

    format: str = ""
    """strftime pattern of a date or time; empty for ISO 8601."""

    takes: str = ""
    """Canonical attribute, such as `register.stop_read`."""

    empty: int | None = None
    """What an empty count is read as, where the canonical word has no "not given". Quantities have none."""

    total: Total | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One record type."""

    tag: str
    """First field of its lines."""

    scope: Scope
    """Whose attributes its fields take, and how often it is written: once for each."""

    fields: tuple[Field, ...]
    parent: str = ""
    """Tag of the record above it; empty for header, trailer and business items."""

    @property
    def names(self) -> tuple[str, ...]:
        """Field names in order."""
        return tuple(f.name for f in self.fields)


@dataclass(frozen=True, slots=True)
class Layout:
    """All record types of one kind of file, in the order in which children of one parent stand."""

    layout_id: str
    version: int
    title: str
    records: tuple[Record, ...]
    separator: str = "|"
    form: Form = "delimited"
    """Form of its own; a caller may ask for the other one."""

    def record(self, tag: str) -> Record:
        """Return the record type with that tag; KeyError for none."""
        return {r.tag: r for r in self.records}[tag]

    def of_scope(self, scope: Scope) -> tuple[Record, ...]:
        """Return the record types of one scope."""
        return tuple(r for r in self.records if r.scope == scope)

    @property
    def tag_width(self) -> int:
        """Characters of the record type in the fixed-width form."""
        return max(len(r.tag) for r in self.records)


STANDARD = Path(__file__).parent / "formats" / "layouts"
"""Folder of the hub's own layouts."""


@cache
def standard_layout(layout_id: str) -> Layout:
    """Return one of the hub's own layouts, such as `billing_drop`."""
    return read_layout(STANDARD / f"{layout_id}.toml")


def read_layout(path: Path) -> Layout:
    """Return the layout that a TOML file describes.

    Raises:
        MisconfiguredError: the file is missing, or does not describe a layout; the reason names record and field.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise MisconfiguredError(str(error), code=codes.BAD_LAYOUT, where=str(path)) from error
    try:
        layout = _layout(data)
        _check(layout)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MisconfiguredError(f"not a layout: {error}", code=codes.BAD_LAYOUT, where=str(path)) from error
    return layout


def _layout(data: Mapping[str, Any]) -> Layout:
    """Return the layout of parsed TOML."""
    return Layout(
        layout_id=data["id"],
        version=data["version"],
        title=data["title"],
        records=tuple(_record(r) for r in data["record"]),
        separator=data.get("separator", "|"),
        form=data.get("form", "delimited"),
    )


def _record(data: Mapping[str, Any]) -> Record:
    """Return one record type; fields without `takes` take the scope's attribute of their own name."""
    scope = data["scope"]
    fields = tuple(_field(f, scope) for f in data["fields"])
    return Record(data["tag"], scope, fields, data.get("parent", ""))


def _field(data: Mapping[str, Any], scope: str) -> Field:
    """Return one field; a list of codes maps each word to itself."""
    values = dict(data)
    values["kind"] = values.pop("type", "text")
    given = values.get("codes", {})
    values["codes"] = {word: word for word in given} if isinstance(given, list) else dict(given)
    total = values.pop("total", None)
    if total is not None:
        record, _, of = str(values.pop("of")).partition(".")
        values["total"] = Total(total, record, of, tuple(values.pop("by", ())))
    values.setdefault("takes", f"{scope}.{values['name']}")
    return Field(**values)


def _check(layout: Layout) -> None:
    """Raise ValueError where record types or fields contradict each other."""
    tags = [r.tag for r in layout.records]
    if len(set(tags)) != len(tags):
        raise ValueError("two records have one tag")
    for scope in ("header", "trailer"):
        if sum(r.scope == scope for r in layout.records) != 1:
            raise ValueError(f"a layout has exactly one record of scope {scope}")
    for record in layout.records:
        if record.scope not in get_args(Scope):
            raise ValueError(f"record {record.tag}: no scope {record.scope!r}")
        if record.parent and record.parent not in tags:
            raise ValueError(f"record {record.tag}: no record {record.parent!r} to stand below")
        for f in record.fields:
            _check_field(record, f, layout)


def _check_field(record: Record, f: Field, layout: Layout) -> None:
    """Raise ValueError where a field is not one."""
    place = f"record {record.tag}, field {f.name}"
    if f.kind not in get_args(Kind):
        raise ValueError(f"{place}: no type {f.kind!r}")
    if f.kind == "code" and not f.codes:
        raise ValueError(f"{place}: a code needs its list of codes")
    if f.width <= 0 and layout.form == "fixed":
        raise ValueError(f"{place}: no width")
    if f.total is not None and record.scope != "trailer":
        raise ValueError(f"{place}: only a trailer has totals")
