"""What a cumulative register counted between two instants: valid reads, rollovers, multiplier once (domain 4.6)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from canonical.metering import Installation, Register, RegisterReading
from canonical.quality import Quality
from canonical.reading_types import ReadingType, reading_type_from_text
from flows.unbilled.policy import Policy

ROLLOVER_FROM = Decimal("0.9")
"""A register may roll over only from above this share of its range (domain 2.5)."""

ROLLOVER_MOST = Decimal("0.5")
"""Largest share of its range that it may have counted between two reads with a rollover."""


@dataclass(frozen=True, slots=True)
class Read:
    """One valid read."""

    at: datetime
    value: Decimal
    """As the register showed it, or with the multiplier applied where the feed applies it."""

    scaled: Decimal
    """Multiplier applied."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What one register counted, multiplier applied."""

    quantity: Decimal
    begin: datetime
    end: datetime
    last: Read
    """The latest valid read."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Reads that cannot all be true."""

    text: str
    """Which, in plain words."""


@lru_cache(maxsize=4096)
def _kind(code: str) -> ReadingType:
    return reading_type_from_text(code)


def valid_reads(readings: Iterable[RegisterReading]) -> Mapping[tuple[str, str], Sequence[RegisterReading]]:
    """Return the snapshots on which something may rest, by meter and reading type, in order of time.

    Of two versions the later received one counts; an estimate is no read; UNUSABLE takes a read back. Demands and
    quantities of a period are no snapshots.
    """
    newest: dict[tuple[str, str], dict[tuple[datetime, str], RegisterReading]] = {}
    for reading in readings:
        kind = _kind(reading.reading_type)
        if reading.period is not None or kind.is_demand or kind.is_billing_quantity:
            continue
        if reading.quality is Quality.MISSING or reading.quality.is_estimate:
            continue
        mine = newest.setdefault((reading.meter, reading.reading_type), {})
        mine[reading.taken_at, reading.source] = reading
    return {
        name: sorted((r for r in found.values() if r.quality.is_usable), key=lambda r: r.taken_at)
        for name, found in newest.items()
    }


def read_of(reading: RegisterReading, installation: Installation, policy: Policy) -> Read:
    """Return a reading with the multiplier applied once."""
    scaled = reading.value if policy.is_applied(reading.source) else reading.value * installation.multiplier
    return Read(reading.taken_at, reading.value, scaled)


def count(
    reads: Sequence[Read],
    register: Register,
    multiplier: Decimal,
    *,
    start: Read | None = None,
    may_fall: bool = False,
    stop: Read | None = None,
) -> Counted | Contradiction | None:
    """Return what a register counted over `reads` (in order of time), or None where they do not span any time.

    `start` is a billed stop read that counts instead of whatever was read then; `may_fall` says that it was an
    estimate, so that the first read may lie below it. `stop` is the billed start read of the bill that follows.
    """
    chain = [*([start] if start is not None else []), *reads, *([stop] if stop is not None else [])]
    if len(chain) < 2:
        return None
    values = [read.scaled for read in chain]
    reach = Decimal(10) ** register.dials * multiplier if register.dials else None
    if reach is not None and max(values) >= reach:
        return Contradiction(f"register {register.register} has {register.dials} dials and shows more digits")
    fell = may_fall and values[1] < values[0] and not (reach is not None and _is_rollover(values[0], values[1], reach))
    went = _advance(values[1:] if fell else values, reach)
    if went is None:
        return Contradiction(f"register {register.register} went back from {max(values):f} to {values[-1]:f}")
    quantity = went + (values[1] - values[0] if fell else 0)
    return Counted(quantity, chain[0].at, chain[-1].at, chain[-1])


def _is_rollover(before: Decimal, after: Decimal, reach: Decimal) -> bool:
    return before > reach * ROLLOVER_FROM and after - before + reach <= reach * ROLLOVER_MOST


def _advance(values: Sequence[Decimal], reach: Decimal | None) -> Decimal | None:
    """Return how far a register went from the first value to the last, rollovers included; None where it went back.

    A value between others that lies below the one before it, and is no rollover, is set aside.
    """
    at, turns = values[0], 0
    for n, value in enumerate(values[1:], 1):
        if value < at:
            if reach is not None and _is_rollover(at, value, reach):
                turns += 1
            elif n == len(values) - 1:
                return None
            else:
                continue
        at = value
    return at - values[0] + (turns * reach if reach is not None else 0)
