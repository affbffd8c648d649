"""What an interval channel counted between two instants, and of which time its values are there."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from canonical.metering import MISSING, Installation, IntervalBlock, Register
from canonical.periods import Period
from canonical.quality import Quality
from flows.multipliers import in_one_state
from flows.unbilled.policy import Policy

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Summed:
    """Interval values of one channel over one stretch."""

    quantity: Decimal
    """Multiplier applied."""

    covered: tuple[Period, ...]
    """Time of which values are there, in order."""


def interval_sum(
    blocks: Sequence[IntervalBlock],
    installation: Installation,
    register: Register,
    period: Period,
    *,
    policy: Policy,
) -> Summed | None:
    """Return the sum of the intervals that begin in a period, or None where there is none.

    The interval in which the meter was installed counts as its own. `blocks` stand in order of receipt; estimates do
    not count, UNUSABLE takes a value back. A block beside the register's grid is left out: it is no interval of it.
    """
    minutes = register.interval_minutes
    first = _slot(period.start, minutes, up=installation.installed_at != period.start)
    after = _slot(period.end, minutes, up=True)
    mine: Sequence[IntervalBlock] = [
        block
        for block in blocks
        if block.meter == installation.meter
        and block.reading_type == register.reading_type
        and block.interval_minutes == minutes
        and not _minute(block.start) % minutes
    ]
    if not mine or after <= first:
        return None
    mine, factor = in_one_state(mine, installation.multiplier, policy.multipliers)
    exponent = min(block.exponent for block in mine)
    values, there = array("q", bytes(8 * (after - first))), bytearray(after - first)
    for block in mine:
        _lay(block, _minute(block.start) // minutes - first, values, there, exponent)
    if not any(there):
        return None
    quantity = Decimal(sum(values)).scaleb(exponent) * factor
    covered = tuple(
        Period(_instant((first + a) * minutes), _instant((first + b) * minutes)) for a, b in _runs(bytes(there))
    )
    return Summed(quantity, covered)


def _lay(block: IntervalBlock, begin: int, values: "array[int]", there: bytearray, exponent: int) -> None:
    """Lay the valid values of one block on slots; what a source takes back is taken off."""
    at, factor = 0, 10 ** (block.exponent - exponent)
    for size, quality, _ in block.qualities:
        a, b = max(begin + at, 0), min(begin + at + size, len(values))
        offset, at = begin, at + size
        if a >= b or quality is Quality.MISSING or quality.is_estimate:
            continue
        if quality is Quality.UNUSABLE:
            values[a:b], there[a:b] = array("q", bytes(8 * (b - a))), bytes(b - a)
            continue
        told = block.values[a - offset : b - offset]
        if factor != 1 or MISSING in told:
            for n, value in enumerate(told, a):
                if value != MISSING:
                    values[n], there[n] = value * factor, 1
        else:
            values[a:b], there[a:b] = told, b"\1" * (b - a)


def _runs(there: bytes) -> Iterator[tuple[int, int]]:
    """Yield the runs of slots that have a value, as (first, after the last)."""
    at = there.find(1)
    while at >= 0:
        end = there.find(0, at)
        end = len(there) if end < 0 else end
        yield at, end
        at = there.find(1, end)


def _minute(instant: datetime) -> int:
    """Return the whole minutes since 1970."""
    return int((instant - _EPOCH).total_seconds()) // 60


def _slot(instant: datetime, minutes: int, *, up: bool) -> int:
    """Return the slot that begins at an instant, or the next (`up`) or the one around it."""
    seconds, length = int((instant - _EPOCH).total_seconds()), minutes * 60
    return -(-seconds // length) if up else seconds // length


def _instant(minute: int) -> datetime:
    return _EPOCH + timedelta(minutes=minute)
