"""Reading a file by its layout as a stream: header, business items with what hangs below them, trailer.

A bad line makes a Rejection of its item. What makes the whole file doubtful raises: no header or trailer, another
layout, a record out of place, counts or totals that differ, data after the trailer.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, BinaryIO

from canonical.codes import file as codes
from canonical.errors import ErrorCode, RejectedError
from canonical.messages import Rejection
from sftp.layout import Form, Layout
from sftp.layout_lines import CONTROL, Lines
from sftp.layout_record import CompiledRecord, Fault, compile_record
from sftp.layout_tally import Tally, agrees
from sftp.layout_values import is_zone

Row = tuple[str, int, list[Any]]
"""Tag, line and values of one record."""


@dataclass(slots=True)
class Group:
    """One business item: its first record and those below it."""

    tag: str
    """Tag of its first record."""

    line: int
    """Line on which it starts."""

    rows: list[Row]
    """Its records; the first one's values are empty where it could not be read."""

    raw: str
    """Its first line as it came."""

    key: str
    """First field of its first record."""

    rejection: Rejection | None = None
    """Why the item cannot be taken: its first bad line."""

    @property
    def values(self) -> list[Any]:
        """Values of its first record."""
        return self.rows[0][2]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A layout ready to read or write in one form."""

    layout: Layout
    form: Form
    records: dict[str, CompiledRecord]
    ranks: dict[str, int]
    """Place of each tag in the layout: children of one parent never step back."""

    children: dict[str, frozenset[str]]
    """Tags that may stand below each tag, at any depth."""

    header: str
    trailer: str


@cache
def _compiled(key: int, form: Form) -> Compiled:
    layout = _KNOWN[key]
    below = {r.tag: frozenset(_descendants(layout, r.tag)) for r in layout.records}
    return Compiled(
        layout,
        form,
        {r.tag: compile_record(r, layout, form) for r in layout.records},
        {r.tag: rank for rank, r in enumerate(layout.records)},
        below,
        layout.of_scope("header")[0].tag,
        layout.of_scope("trailer")[0].tag,
    )


_KNOWN: dict[int, Layout] = {}


def compiled(layout: Layout, form: Form | None = None) -> Compiled:
    """Return the layout compiled for a form (its own unless stated); compiled once for each."""
    _KNOWN[id(layout)] = layout
    return _compiled(id(layout), form or layout.form)


def _descendants(layout: Layout, tag: str) -> Iterator[str]:
    """Yield the tags that stand below a tag, at any depth."""
    for record in layout.records:
        if record.parent == tag:
            yield record.tag
            yield from _descendants(layout, record.tag)


def form_of(stream: BinaryIO, layout: Layout) -> Form:
    """Return the form in which a seekable stream is written, by its first line; leaves it at its start."""
    start = stream.read(64)
    stream.seek(0)
    tag = layout.of_scope("header")[0].tag.encode()
    return "fixed" if start[len(tag) : len(tag) + 1] not in (b"|", layout.separator.encode()) else "delimited"


@dataclass(slots=True)
class Reading:
    """One pass over one file."""

    compiled: Compiled
    lines: Lines
    where: str
    tally: Tally

    def groups(self) -> Iterator[Group]:
        """Yield the header as a group of its own, then every business item; check the trailer at the end.

        Raises:
            RejectedError: the file must be refused whole.
        """
        stream = iter(self.lines)
        yield self._header(next(stream, None))
        group: Group | None = None
        records, children, trailer = self.compiled.records, self.compiled.children, self.compiled.trailer
        below: frozenset[str] = frozenset()
        for line in stream:
            tag = self._tag(line)
            record = records.get(tag)
            if record is None or self.lines.fault is not None:
                group, done = self._stray(group, line)
                below = frozenset() if group is None else children[group.tag]
                yield from done
            elif group is not None and tag in below:
                self._below(group, record, line, record.read(line))
            else:
                if group is not None:
                    yield group
                if tag == trailer:
                    self._end(line, record, next_line=lambda: next(stream, None))
                    return
                if record.record.parent or tag == self.compiled.header:
                    raise self._refusal(codes.RECORD_OUT_OF_PLACE, f"{tag} stands where it cannot")
                group = self._first(record, line, record.read(line))
                below = children[tag]
        raise self._refusal(codes.TRAILER_MISSING, f"no {trailer} at the end")

    def _end(self, line: str, record: CompiledRecord, *, next_line: Callable[[], str | None]) -> None:
        """Check the trailer, and that nothing follows it."""
        self._trailer(line, record)
        if next_line() is not None:
            raise self._refusal(codes.DATA_AFTER_TRAILER, "data after the trailer")

    def _tag(self, line: str) -> str:
        """Return the record type that a line claims to be."""
        if self.compiled.form == "delimited":
            return line.partition(self.compiled.layout.separator)[0]
        return line[: self.compiled.layout.tag_width].rstrip(" ")

    def _header(self, line: str | None) -> Group:
        """Return the header, which must be the first line and say this layout and version."""
        if line is None:
            raise RejectedError("the file is empty", code=codes.HEADER_MISSING, where=self.where)
        if self.lines.fault is not None:
            raise self._refusal(self.lines.fault, self.lines.fault.meaning)
        if self._tag(line) != self.compiled.header:
            raise self._refusal(codes.HEADER_MISSING, f"the file starts with {line[:20]!r}")
        record = self.compiled.records[self.compiled.header]
        values = record.read(line)
        if isinstance(values, Fault):
            layout = self.compiled.layout
            named = [t for f, t in zip(record.record.fields, record.texts(line), strict=False) if f.constant]
            if named[:2] != [layout.layout_id, str(layout.version)]:
                reason = f"layout {'/'.join(named[:2])} instead of {layout.layout_id}/{layout.version}"
                raise self._refusal(codes.UNKNOWN_LAYOUT, reason)
            raise self._refusal(values.code, values.reason, values.column, line)
        self._check_zone(record, values, line)
        self.tally.add(self.compiled.header, values)
        return Group(self.compiled.header, 1, [(self.compiled.header, 1, values)], line, str(values[0]))

    def _check_zone(self, record: CompiledRecord, values: list[Any], line: str) -> None:
        """Refuse a file whose header names a zone that does not exist."""
        named = dict(zip(record.record.names, values, strict=True))
        if not is_zone(named.get("zone", "UTC")):
            raise self._refusal(codes.BAD_FIELD, f"zone: {named['zone']!r} is no IANA zone", 1, line)

    def _first(self, record: CompiledRecord, line: str, values: list[Any] | Fault) -> Group:
        """Return a new item from its first line."""
        tag = record.record.tag
        if isinstance(values, Fault):
            texts = record.texts(line)
            self.tally.add_unread(tag, texts)
            key = texts[0] if texts else ""
            return self._bad_group(tag, line, key, values)
        self.tally.add(tag, values)
        number = self.lines.number
        return Group(tag, number, [(tag, number, values)], line, str(values[0]))

    def _bad_group(self, tag: str, line: str, key: str, fault: Fault) -> Group:
        """Return an item whose first line cannot be read."""
        number = self.lines.number
        return Group(tag, number, [(tag, number, [])], line, key, self._rejection(fault, line, key))

    def _below(self, group: Group, record: CompiledRecord, line: str, values: list[Any] | Fault) -> None:
        """Hang a record below its item; a bad one rejects the item."""
        tag = record.record.tag
        if isinstance(values, Fault):
            self.tally.add_unread(tag, record.texts(line))
            group.rejection = group.rejection or self._rejection(values, line, group.key)
            return
        self.tally.add(tag, values)
        last = group.rows[-1][0]
        if tag != last and self._steps_back(tag, last):
            fault = Fault(codes.RECORD_OUT_OF_PLACE, f"{tag} after {last}", 1)
            group.rejection = group.rejection or self._rejection(fault, line, group.key)
        group.rows.append((tag, self.lines.number, values))

    def _steps_back(self, tag: str, last: str) -> bool:
        """Whether a record stands after one that the layout puts behind it."""
        ranks = self.compiled.ranks
        return ranks[tag] < ranks[last] and tag not in self.compiled.children[last]

    def _stray(self, group: Group | None, line: str) -> tuple[Group | None, list[Group]]:
        """Account for a line that is no record: it rejects the item that it may belong to, or stands alone.

        A line whose bytes are wrong still counts as the record that its tag says.
        """
        tag = self._tag(line)
        code = self.lines.fault or codes.UNKNOWN_RECORD
        found = CONTROL.search(line) if code is codes.CONTROL_CHARACTER else None
        column = 1 if found is None else found.start() + 1
        fault = Fault(code, code.meaning if self.lines.fault else f"no record type {tag[:20]!r}", column)
        record = self.compiled.records.get(tag)
        if tag in (self.compiled.header, self.compiled.trailer):
            raise self._refusal(code, fault.reason, column, line)
        texts = [] if record is None else record.texts(line.rstrip("\r"))
        if record is not None:
            self.tally.add_unread(tag, texts)
        inside = group is not None and (
            bool(self.compiled.children[group.tag]) if record is None else tag in self.compiled.children[group.tag]
        )
        if group is not None and inside:
            group.rejection = group.rejection or self._rejection(fault, line, group.key)
            return group, []
        key = texts[0] if texts else ""
        alone = self._bad_group(tag, line, key, fault)
        done = [] if group is None else [group]
        if record is None:
            return None, [*done, alone]
        return alone, done

    def _trailer(self, line: str, record: CompiledRecord) -> None:
        """Check the trailer against what was read."""
        values = record.read(line)
        if isinstance(values, Fault):
            raise self._refusal(values.code, f"trailer: {values.reason}", values.column, line)
        self.tally.records[self.compiled.trailer] += 1
        for f, stated, counted in zip(record.record.fields, values, self.tally.trailer(), strict=True):
            if f.total is None or not self.tally.is_checkable(f.total) or agrees(f.total, stated, counted):
                continue
            raise self._refusal(codes.TRAILER_MISMATCH, f"{f.name}: the trailer says {stated}, the file has {counted}")

    def _rejection(self, fault: Fault, line: str, key: str) -> Rejection:
        """Return the rejection of the line that was read last."""
        offset = self.lines.offset + len(line[: fault.column - 1].encode())
        return Rejection(self.lines.number, str(fault.code), fault.reason, key=key, raw=line[:4000], byte_offset=offset)

    def _refusal(self, code: ErrorCode, reason: str, column: int = 1, line: str = "") -> RejectedError:
        """Return the error that refuses the whole file, with line and byte."""
        place = f"line {self.lines.number}"
        if self.lines.number:
            place += f", byte {self.lines.offset + len(line[: column - 1].encode())}"
        return RejectedError(reason, code=code, where=f"{self.where}, {place}" if self.where else place)


def read(layout: Layout, stream: BinaryIO, *, form: Form | None = None, where: str = "") -> Reading:
    """Return a pass over a stream by a layout; its `groups()` read, its `tally` counts."""
    return Reading(compiled(layout, form), Lines(stream), where, Tally(layout))
