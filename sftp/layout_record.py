"""One record type compiled: its `%` format writes a line, its one regular expression reads it.

A fixed-width line is cut into its fields first and then matched by the same expression as a delimited one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from canonical.codes import file as codes
from canonical.errors import ErrorCode, RejectedError
from sftp.layout import Field, Form, Layout, Record
from sftp.layout_lines import CONTROL
from sftp.layout_values import Read, Render, pattern, reading, rendering

INNER = "\x1f"
"""Joins the cut fields of a fixed-width line; no text may contain it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a line is not the record that its tag says."""

    code: ErrorCode
    reason: str
    column: int
    """First character of the bad field, 1 for the first of the line."""


@dataclass(frozen=True, slots=True)
class CompiledRecord:
    """How lines of one record type are written and read in one form."""

    record: Record
    form: Form
    separator: str
    template: str
    """`%` format of a whole line without LF, one `%s` for each field."""

    expression: re.Pattern[str]
    """One group for each field."""

    cut: re.Pattern[str] | None
    """Cuts a fixed-width line into padded fields."""

    length: int
    """Characters of a fixed-width line."""

    reads: tuple[tuple[int, Read], ...]
    """Position and function of every field whose value is not its text."""

    tag_width: int
    renderers: dict[str, tuple[Render, ...]] = field(default_factory=dict)

    def renders(self, zone: str) -> tuple[Render, ...]:
        """Return one function from value to text for each field, local times in `zone`."""
        known = self.renderers.get(zone)
        if known is None:
            known = tuple(rendering(f, ZoneInfo(zone)) for f in self.record.fields)
            self.renderers[zone] = known
        return known

    def line(self, texts: tuple[str, ...]) -> str:
        """Return the line of field texts; `sftp.layout_write.chunks` looks for what would break it.

        Raises:
            RejectedError: a text is wider than its field.
        """
        if self.cut is None:
            return self.template % texts
        line = self.template % self._filled(texts)
        if len(line) != self.length:
            raise self.unwritable(texts)
        return line

    def _filled(self, texts: tuple[str, ...]) -> tuple[str, ...]:
        """Return the texts with zero-padded numbers filled up."""
        return tuple(
            text.zfill(f.width) if f.pad == "0" and text else text
            for f, text in zip(self.record.fields, texts, strict=True)
        )

    def unwritable(self, texts: Sequence[str]) -> RejectedError:
        """Return the error that names the first text that cannot stand in its field."""
        for f, text in zip(self.record.fields, texts, strict=True):
            where = f"{self.record.tag}.{f.name}"
            if CONTROL.search(text) or "\n" in text or (self.form == "delimited" and self.separator in text):
                return RejectedError(f"{text!r} would break the line", code=codes.UNWRITABLE_VALUE, where=where)
            if self.form == "fixed" and len(text) > f.width:
                reason = f"{text!r} is wider than {f.width}"
                return RejectedError(reason, code=codes.VALUE_TOO_WIDE, where=where)
        return RejectedError("the line cannot be written", code=codes.UNWRITABLE_VALUE, where=self.record.tag)

    def read(self, line: str) -> list[Any] | Fault:
        """Return the values of one line in the order of the fields, or why it cannot be read."""
        text = line if self.cut is None else self._joined(line)
        match = None if text is None else self.expression.fullmatch(text)
        if match is None:
            return self.fault(line)
        values: list[Any] = list(match.groups())
        try:
            for index, read in self.reads:
                values[index] = read(values[index])
        except ValueError:
            return self.fault(line)
        return values

    def texts(self, line: str) -> list[str]:
        """Return the fields of a line as text, tag left out, as far as it can be taken apart."""
        if self.cut is None:
            return line.split(self.separator)[1:]
        joined = self._joined(line)
        return [] if joined is None else joined.split(INNER)[1:]

    def _joined(self, line: str) -> str | None:
        """Return a fixed-width line as its fields joined, padding taken off; None where the length is wrong."""
        match = self.cut.fullmatch(line) if self.cut is not None else None
        if match is None or INNER in line:
            return None
        return self.record.tag + INNER + INNER.join([piece.strip(" ") for piece in match.groups()])

    def fault(self, line: str) -> Fault:
        """Return what is wrong with a line that does not match."""
        texts = self.texts(line)
        if self.cut is not None and len(line) != self.length:
            return Fault(codes.LINE_WIDTH, f"{len(line)} characters instead of {self.length}", 1)
        if len(texts) != len(self.record.fields):
            if '"' in line:
                return Fault(codes.QUOTED_FIELD, "fields are never quoted", line.index('"') + 1)
            return Fault(codes.FIELD_COUNT, f"{len(texts)} fields instead of {len(self.record.fields)}", 1)
        column = (len(self.record.tag) if self.cut is None else self.tag_width) + 1
        for f, text in zip(self.record.fields, texts, strict=True):
            start = column + (1 if self.cut is None else 0)
            found = field_fault(f, text, "" if self.cut is not None else self.separator)
            if found is not None:
                return Fault(found[0], f"{f.name}: {found[1]}", start)
            column = start + (len(text) if self.cut is None else f.width)
        return Fault(codes.BAD_FIELD, "the line cannot be read", 1)


def field_pattern(f: Field, separator: str) -> re.Pattern[str]:
    """Return the expression of one field's text alone."""
    return re.compile(pattern(f, separator))


def field_fault(f: Field, text: str, separator: str) -> tuple[ErrorCode, str] | None:
    """Return code and reason where the text of one field is wrong, else None."""
    if field_pattern(f, separator or INNER).fullmatch(text) is not None:
        try:
            read = reading(f)
            if read is not None:
                read(text)
        except ValueError as error:
            return codes.BAD_FIELD, f"{text!r} is none: {error}"
        return None
    return _named_fault(f, text)


def _named_fault(f: Field, text: str) -> tuple[ErrorCode, str]:
    """Return the code that names best what is wrong with a text."""
    if not text:
        return codes.FIELD_MISSING, "mandatory, but empty"
    if re.search(r"[\x00-\x1f\x7f]", text):
        return codes.CONTROL_CHARACTER, f"control character in {text!r}"
    if text.startswith('"'):
        return codes.QUOTED_FIELD, f"{text!r} is quoted"
    if f.kind in ("decimal", "int"):
        if re.fullmatch(r"-?[0-9]{1,3}([,' ][0-9]{3})+(\.[0-9]+)?", text):
            return codes.THOUSANDS_SEPARATOR, f"{text!r}"
        if re.fullmatch(r"-?[0-9.]*,[0-9]+", text):
            return codes.DECIMAL_COMMA, f"{text!r}"
        if re.fullmatch(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+", text):
            return codes.EXPONENT, f"{text!r}"
    if f.kind == "code":
        return codes.UNKNOWN_VALUE, f"{text!r} is none of {' '.join(sorted(f.codes.values()))}"
    if f.constant:
        return codes.UNKNOWN_VALUE, f"{text!r} instead of {f.constant!r}"
    return codes.BAD_FIELD, f"{text!r} is no {f.kind}"


def compile_record(record: Record, layout: Layout, form: Form) -> CompiledRecord:
    """Return how lines of a record are written and read in a form."""
    separator = layout.separator if form == "delimited" else INNER
    groups = (f"({pattern(f, separator)})" for f in record.fields)
    expression = re.compile(re.escape(record.tag) + "".join(re.escape(separator) + g for g in groups))
    template = record.tag.replace("%", "%%")
    if form == "delimited":
        template += (layout.separator + "%s") * len(record.fields)
        cut, length = None, 0
    else:
        template = template.ljust(layout.tag_width)
        template += "".join(f"%{'-' if f.align == 'left' else ''}{f.width}s" for f in record.fields)
        cut = re.compile(f".{{{layout.tag_width}}}" + "".join(f"(.{{{f.width}}})" for f in record.fields))
        length = layout.tag_width + sum(f.width for f in record.fields)
    reads = tuple((i, read) for i, f in enumerate(record.fields) if (read := reading(f)) is not None)
    return CompiledRecord(record, form, layout.separator, template, expression, cut, length, reads, layout.tag_width)
