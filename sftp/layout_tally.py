"""Control totals of a file: counted, summed and hashed while its records pass, in writing and in reading alike."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal, InvalidOperation
from hashlib import sha256
from typing import Any

from sftp.layout import Layout, Record, Total

_EXACT = Context(prec=100)
"""Sums never round: a hundred digits hold more kWh than any grid."""

_ZERO = Decimal(0)

Count = Callable[[Sequence[Any]], None]


@dataclass(slots=True)
class Tally:
    """What the trailer of one file must say, as far as it was read or written."""

    layout: Layout
    records: dict[str, int] = field(default_factory=dict)
    """Record count by tag, header and trailer included."""

    sums: dict[tuple[str, str], dict[str, Decimal]] = field(default_factory=dict)
    """(tag, field) to the sums of that field by key; the key is empty where there is one sum."""

    unreadable: set[tuple[str, str]] = field(default_factory=set)
    """Sums that cannot be checked, because a line that is part of them could not be read."""

    hashes: dict[str, Any] = field(default_factory=dict)
    counts: dict[str, tuple[Count, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Prepare what every record type adds to."""
        totals = [f.total for r in self.layout.records for f in r.fields if f.total is not None]
        self.records = {r.tag: 0 for r in self.layout.records}
        for total in totals:
            if total.kind == "hash":
                self.hashes[total.record] = sha256()
            elif total.kind in ("sum", "sums"):
                self.sums[total.record, total.of] = {}
        for record in self.layout.records:
            if record.scope in ("header", "trailer"):
                self.counts[record.tag] = ()
            else:
                self.counts[record.tag] = tuple(self._count(record, t) for t in totals if _counts(t, record))

    def add(self, tag: str, values: Sequence[Any]) -> None:
        """Count one record by the values of its fields."""
        self.records[tag] += 1
        for count in self.counts[tag]:
            count(values)

    def add_unread(self, tag: str, texts: Sequence[str]) -> None:
        """Count one record that could not be read: its id still counts, its unreadable number makes a sum unknown."""
        self.records[tag] += 1
        record = self.layout.record(tag)
        for f in record.fields:
            for total in (f.total for r in self.layout.of_scope("trailer") for f in r.fields):
                if total is None or not _counts(total, record) or total.kind == "count":
                    continue
                self._add_text(total, record, f.name, texts)

    def _add_text(self, total: Total, record: Record, name: str, texts: Sequence[str]) -> None:
        """Add one field of an unreadable record to one total, where it can be."""
        index = record.names.index(name)
        if total.kind == "hash" and index == _hashed(total, record):
            if index < len(texts):
                self.hashes[total.record].update(f"{texts[index]}\n".encode())
        elif total.kind in ("sum", "sums") and name == total.of:
            self.unreadable.add((total.record, total.of))

    def _count(self, record: Record, total: Total) -> Count:
        """Return the function that adds one record's values to one total."""
        if total.kind == "hash":
            index = _hashed(total, record)
            digest = self.hashes[total.record]
            return lambda values: digest.update(f"{values[index]}\n".encode())
        index = record.names.index(total.of)
        sums = self.sums[total.record, total.of]
        add = _EXACT.add
        by = [record.names.index(name) for name in total.by]

        def count(values: Sequence[Any]) -> None:
            value = values[index]
            if value is not None:
                key = ".".join([values[i] for i in by]) if by else ""
                sums[key] = add(sums.get(key, _ZERO), value)

        return count

    def trailer(self) -> list[Any]:
        """Return the values that the trailer's fields must have."""
        record = self.layout.of_scope("trailer")[0]
        return [None if f.total is None else self._value(f.total) for f in record.fields]

    def _value(self, total: Total) -> int | Decimal | str:
        """Return what one total stands at."""
        if total.kind == "count":
            return self.records[total.record]
        if total.kind == "hash":
            return str(self.hashes[total.record].hexdigest())
        sums = self.sums[total.record, total.of]
        if total.kind == "sum":
            return sums.get("", _ZERO)
        return ";".join(f"{key}={value:f}" for key, value in sorted(sums.items()))

    def is_checkable(self, total: Total) -> bool:
        """Whether every part of a total could be read."""
        return (total.record, total.of) not in self.unreadable

    @property
    def totals(self) -> Mapping[str, Decimal]:
        """Return the sums by name, as a control file states them: `DET.KWH_TOTAL.kWh`, `REG`."""
        return {
            f"{tag}.{key}" if key else tag: value
            for (tag, _), sums in sorted(self.sums.items())
            for key, value in sorted(sums.items())
        }


def _counts(total: Total, record: Record) -> bool:
    """Whether a record type is part of a total that is not a plain count."""
    if record.scope in ("header", "trailer") or total.kind == "count":
        return False
    return total.record in ("*", record.tag)


def _hashed(total: Total, record: Record) -> int:
    """Return the index of the field that goes into a hash."""
    return record.names.index(total.of) if total.of else 0


def agrees(total: Total, stated: Any, counted: Any) -> bool:
    """Whether the trailer states what was counted; sums compare as numbers."""
    if total.kind != "sums" or stated == counted:
        return bool(stated == counted)
    try:
        return _sums(stated or "") == _sums(counted)
    except (ValueError, InvalidOperation):
        return False


def _sums(text: str) -> dict[str, Decimal]:
    """Return `key=sum` pairs joined by `;` as a dict."""
    pairs = [pair.split("=") for pair in text.split(";") if pair]
    return {key: Decimal(value) for key, value in pairs}
