"""A bill period cut by its meters: who measured from when to when, and which exchanges lie inside (domain 2.5)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Literal

from canonical.billing import MeterInPeriod
from canonical.ids import mint
from canonical.metering import FAR_FUTURE, Installation
from canonical.periods import Period
from canonical.reading_types import Commodity

Role = Literal["NORMAL", "OUT", "IN"]


@dataclass(frozen=True, slots=True)
class Segment:
    """The part of a bill period in which one meter measured."""

    installation: Installation
    period: Period
    """Life of the meter at the usage point, clipped to the bill period; empty if it came and went at once."""

    role: Role
    """OUT and IN are the two sides of an exchange; a meter that came and went inside the period is IN."""

    exchange_pair_id: str
    """Minted from usage point, removed meter, installed meter and instant; empty for NORMAL."""

    @property
    def begins_with_installation(self) -> bool:
        """Whether the meter came inside the period, so that its start read is that of its installation."""
        return self.installation.installed_at == self.period.start

    @property
    def ends_with_removal(self) -> bool:
        """Whether the meter went inside the period, so that its stop read is that of its removal."""
        return self.installation.removed_at == self.period.end

    @property
    def is_empty(self) -> bool:
        """Whether the meter hung for no time at all: it measured nothing and needs no reads."""
        return self.period.start == self.period.end


def segments_of(installations: Iterable[Installation], period: Period, commodity: Commodity) -> tuple[Segment, ...]:
    """Return the segments of a bill period in order of time, exchange pairs named.

    A meter that was removed when the period began, or installed when it ended, has no part in it.
    """
    hung = sorted(
        (i for i in installations if i.commodity == commodity and _touches(i, period)),
        key=lambda i: (i.installed_at, i.removed_at or FAR_FUTURE),
    )
    pairs = ["", *(_pair(out, new) for out, new in pairwise(hung)), ""]
    segments = []
    for each, came, goes in zip(hung, pairs, pairs[1:], strict=False):
        role: Role = "IN" if came else "OUT" if goes else "NORMAL"
        segments.append(Segment(each, _clip(each, period), role, came or goes))
    return tuple(segments)


def _pair(out: Installation, new: Installation) -> str:
    """Return the id of an exchange; a meter that goes on under another multiplier was not exchanged."""
    if out.meter == new.meter:
        return ""
    return mint("exchange", out.usage_point, out.meter, new.meter, new.installed_at)


def _touches(installation: Installation, period: Period) -> bool:
    life = installation.active
    if life.start == life.end:
        return life.start in period
    return life.overlaps(period)


def _clip(installation: Installation, period: Period) -> Period:
    life = installation.active
    return Period(max(life.start, period.start), min(life.end, period.end))


def gaps_of(segments: Sequence[Segment], period: Period) -> tuple[Period, ...]:
    """Return the spans of the period in which no meter hung, in order."""
    gaps, reached = [], period.start
    for segment in segments:
        if segment.period.start > reached:
            gaps.append(Period(reached, segment.period.start))
        reached = max(reached, segment.period.end)
    if reached < period.end:
        gaps.append(Period(reached, period.end))
    return tuple(gaps)


def overlaps_of(segments: Sequence[Segment]) -> tuple[tuple[Segment, Segment], ...]:
    """Return neighbouring segments that measure at the same time, which invariant I1 forbids."""
    return tuple((one, other) for one, other in pairwise(segments) if other.period.start < one.period.end)


def changes_inside_interval(segments: Sequence[Segment], period: Period) -> tuple[tuple[Segment, Segment], ...]:
    """Return where one meter's settings changed inside one of its intervals, whose energy has then two multipliers."""
    return tuple(
        (before, after)
        for before, after in pairwise(segments)
        if before.installation.meter == after.installation.meter
        and any(
            r.interval_minutes and (after.period.start - period.start) % timedelta(minutes=r.interval_minutes)
            for r in after.installation.registers
        )
    )


def meter_in_period(segment: Segment) -> MeterInPeriod:
    """Return the segment's meter as a determinant names it: quantities carry the multiplier, reads do not."""
    installation = segment.installation
    totals = [r for r in installation.registers if not r.is_demand] or list(installation.registers)
    return MeterInPeriod(
        meter=installation.meter,
        manufacturer=installation.manufacturer,
        serial=installation.serial,
        installed_at=installation.installed_at,
        removed_at=installation.removed_at,
        role=segment.role,
        exchange_pair_id=segment.exchange_pair_id,
        multiplier=installation.multiplier,
        multiplier_applied=True,
        dials=totals[0].dials if totals else 0,
        decimals=totals[0].decimals if totals else 0,
    )
