"""The records of NEM12 and NEM13 files (AEMO MDFF), as read and as written."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal, Inexact
from typing import Literal

from canonical.errors import ErrorCode
from canonical.metering import MISSING

EXACT = Context(prec=200, traps=[Inexact])
"""Decimal arithmetic that cannot round: the default context would, beyond 28 digits."""

Version = Literal["NEM12", "NEM13"]
DAY_MINUTES = 1440
"""A NEM day always has 1440 minutes: the feed's clock never changes (MDFF: AEST all year)."""


@dataclass(frozen=True, slots=True)
class Header:
    """Record 100: what the file is and who made it."""

    version: Version
    created: str
    """`ccyymmddhhmm` in the feed's clock."""

    sender: str
    receiver: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class Channel:
    """Record 200: one data stream of one NMI, for the days that follow."""

    nmi: str
    configuration: str
    """Suffixes of the NMI, such as `E1B1Q1`."""

    register: str
    suffix: str
    stream: str
    """MDM data stream identifier."""

    serial: str
    unit: str
    """As written; compare it without regard to case."""

    interval_minutes: int
    next_read: str = ""
    """`ccyymmdd`, or empty."""

    line: int = 0

    @property
    def intervals(self) -> int:
        """Values of one day."""
        return DAY_MINUTES // self.interval_minutes


@dataclass(frozen=True, slots=True)
class QualityRun:
    """Quality of consecutive intervals: the whole day, or one record 400."""

    count: int
    quality: str
    """Flag and method, such as `A` or `S14`."""

    reason: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Transaction:
    """Record 500 (NEM12) or one half of a 550 (NEM13): why somebody was at the meter."""

    code: str
    """A alteration, C reconfiguration, D de-energize, E estimate, G re-energize, N normal, O other, R removal,
    S special."""

    order: str = ""
    read_at: str = ""
    index: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """Record 300 with its 400s and 500s: the values of one channel on one day, interval 1 starting at midnight."""

    channel: Channel
    day: date
    exponent: int
    """Each value counts 10**exponent of the channel's unit."""

    values: Sequence[int]
    """array('q') wherever 64 bits hold every value, else a tuple; MISSING for a null (quality N) without text."""

    quality: str
    """As the 300 states it: `V` when 400 records follow."""

    runs: tuple[QualityRun, ...]
    """Qualities in order; together they cover every value."""

    updated: str = ""
    loaded: str = ""
    transactions: tuple[Transaction, ...] = ()
    line: int = 0

    @property
    def total(self) -> Decimal:
        """Exact sum of the values as written, in the channel's unit."""
        total = sum(self.values) - MISSING * self.values.count(MISSING)
        return EXACT.scaleb(Decimal(total), self.exponent)


@dataclass(frozen=True, slots=True)
class IndexRead:
    """One end of a record 250: an index read with its quality."""

    read: str
    """As written, leading zeros included; empty when not given."""

    read_at: str
    """`ccyymmddhhmmss` in the feed's clock."""

    quality: str
    reason: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Accumulation:
    """Record 250 with its 550s: what one register accumulated between two index reads. The quantity governs."""

    nmi: str
    configuration: str
    register: str
    suffix: str
    stream: str
    serial: str
    direction: str
    """`E` export: delivered to the customer; `I` import: received from the customer (opposite to common usage)."""

    previous: IndexRead
    current: IndexRead
    quantity: Decimal
    """In `unit`, signed, exact, with the decimals as written."""

    unit: str
    next_read: str = ""
    updated: str = ""
    loaded: str = ""
    transactions: tuple[tuple[Transaction, Transaction], ...] = ()
    """(previous, current) of each 550."""

    line: int = 0


@dataclass(frozen=True, slots=True)
class End:
    """Record 900: the file is whole."""

    line: int = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """Something for which the file must be refused."""

    code: ErrorCode
    line: int
    """1 for the first line."""

    reason: str


Record = Header | Channel | Day | Accumulation | End


def pack(values: list[int]) -> Sequence[int]:
    """Return the values as array('q'), or as a tuple when one of them needs more than 64 bits."""
    try:
        return array("q", values)
    except OverflowError:
        return tuple(values)
