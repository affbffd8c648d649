"""Meter readings as columns: one entry a reading in each, exact, every quality beside its reading."""

from array import array
from dataclasses import dataclass, field
from typing import NamedTuple

NO_VALUE = -(2**63)
"""Entry of a column of integers where the wire states nothing."""


class QualityMark(NamedTuple):
    """One quality of one reading."""

    ref: str
    """`system.category.index` (IEC 61968-9:2013, Annex D)."""

    comment: str = ""


class Name(NamedTuple):
    """A CIM Name with its type and the authority that gives it."""

    value: str
    type: str = ""
    """NameType, such as `serial`."""

    authority: str = ""
    """NameTypeAuthority: for a serial, the manufacturer."""


class Span(NamedTuple):
    """A timePeriod in microseconds since 1970 UTC; NO_VALUE where an end is not stated."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Identity:
    """What names a meter or a usage point."""

    mrid: str = ""
    names: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class Readings:
    """The `Readings` of one MeterReading in document order; all columns have the same length."""

    stamps: "array[int]" = field(default_factory=lambda: array("q"))
    """timeStamp in microseconds since 1970 UTC; NO_VALUE where there is none."""

    values: "array[int]" = field(default_factory=lambda: array("q"))
    """Each value counts 10**exponent; NO_VALUE where there is none."""

    exponent: int = 0
    qualities: tuple[tuple[QualityMark, ...], ...] = ()
    reading_types: tuple[str, ...] = ()
    """CIM reading type code of each reading."""

    periods: tuple[Span | None, ...] = ()
    """timePeriod of each reading; empty when none has one."""

    reasons: tuple[str, ...] = ()
    """ReadingReasonKind of each reading; empty when none has one."""


@dataclass(frozen=True, slots=True)
class Block:
    """One IntervalBlock in document order; all columns have the same length."""

    reading_type: str
    stamps: "array[int]" = field(default_factory=lambda: array("q"))
    """END of each interval in microseconds since 1970 UTC, as CIM stamps it; NO_VALUE where there is none."""

    values: "array[int]" = field(default_factory=lambda: array("q"))
    exponent: int = 0
    qualities: tuple[tuple[QualityMark, ...], ...] = ()
    periods: tuple[Span | None, ...] = ()


@dataclass(frozen=True, slots=True)
class MeterReadingColumns:
    """One MeterReading: what is said of one meter or usage point."""

    meter: Identity = Identity()
    usage_point: Identity = Identity()
    blocks: tuple[Block, ...] = ()
    readings: Readings = field(default_factory=Readings)
    events: tuple[bytes, ...] = ()
    """Its EndDeviceEvents as they came, each an element by itself; readers of events take them from here."""
