"""How many intervals a bill should have, has, and lacks: the counts that a determinant states."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from canonical.periods import expected_intervals
from flows.billing_exchange.context import BillContext, Missing
from flows.billing_exchange.intervals import Channel


@dataclass(frozen=True, slots=True)
class Counts:
    """Interval counts of one item; a slot counts once, whatever number of channels measured it."""

    expected: int = 0
    estimated: int = 0
    """Of the expected ones, those in which some channel's value is an estimate."""

    missing: int = 0
    longest_minutes: int = 0
    """Longest run of missing intervals."""

    minutes: int = 0
    """Length of an interval; 0 for an item without interval values."""


def interval_counts(channels: Sequence[Channel]) -> Counts:
    """Return the counts of an item of which every interval is there."""
    if not channels:
        return Counts()
    if len(channels) == 1:
        only = channels[0]
        return Counts(len(only.values), only.estimated_count, minutes=only.minutes)
    expected: set[tuple[int, int]] = set()
    estimated: set[tuple[int, int]] = set()
    for channel in channels:
        slots = range(channel.first, channel.first + len(channel.values))
        expected.update((channel.minutes, slot) for slot in slots)
        if channel.estimated_count:
            estimated.update((channel.minutes, slot) for slot in slots if channel.is_estimated(slot))
    return Counts(len(expected), len(estimated), minutes=min(channel.minutes for channel in channels))


def gap_counts(context: BillContext, missing: Sequence[Missing]) -> Counts:
    """Return the counts of an item of which intervals are missing, as its last calculation listed them."""
    lengths = {
        (installation.meter, register.register): register.interval_minutes
        for installation in context.installations
        for register in installation.registers
        if register.interval_minutes
    }
    gaps = [
        (gap.period, lengths[gap.meter, gap.register])
        for gap in missing
        if gap.period is not None and (gap.meter, gap.register) in lengths
    ]
    if not gaps:
        return Counts()
    minutes = min(length for _, length in gaps)
    step, origin = timedelta(minutes=minutes), context.item.period.start
    absent = {slot for span, _ in gaps for slot in range((span.start - origin) // step, (span.end - origin) // step)}
    longest = max(span.minutes for span, _ in gaps)
    return Counts(
        expected_intervals(context.item.period, minutes), missing=len(absent), longest_minutes=longest, minutes=minutes
    )
