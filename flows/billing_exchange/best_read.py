"""Which read answers for an instant: window, order of preference, rules of exchanges (domain 4.1, 4.3)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from canonical.metering import RegisterReading
from canonical.periods import local_date, local_day
from canonical.quality import Quality
from flows.billing_exchange.policy import Policy
from flows.billing_exchange.segments import Segment


@dataclass(frozen=True, slots=True)
class Boundary:
    """An instant at which a read is wanted, and the reads that may answer for it."""

    at: datetime
    earliest: datetime
    """First instant at which such a read may have been taken."""

    latest: datetime
    """Last instant, included: a read on the removal instant belongs to the removed meter (invariant I4)."""

    prefer: Literal["nearest", "earliest", "latest"]
    """Reason 08 (installation) takes the earliest read of its day, 22 (removal) the latest, all others the nearest."""


def start_boundary(segment: Segment, policy: Policy, *, zone: ZoneInfo) -> Boundary:
    """Return where the start read of a segment is looked for; never at or after the segment's end."""
    at, life = segment.period.start, segment.installation.active
    before_end = segment.period.end - timedelta(microseconds=1)
    if segment.begins_with_installation:
        day_end = local_day(local_date(at, zone), zone).end - timedelta(microseconds=1)
        return Boundary(at, at, min(day_end, before_end), "earliest")
    lag, lead = timedelta(minutes=policy.read_lag_minutes), timedelta(minutes=policy.read_lead_minutes)
    return Boundary(at, max(at - lag, life.start), min(at + lead, before_end), "nearest")


def stop_boundary(segment: Segment, policy: Policy, *, zone: ZoneInfo) -> Boundary:
    """Return where the stop read of a segment is looked for; never at or before the segment's start."""
    at, life = segment.period.end, segment.installation.active
    after_start = segment.period.start + timedelta(microseconds=1)
    if segment.ends_with_removal:
        day_start = local_day(local_date(at, zone), zone).start
        return Boundary(at, max(day_start, after_start), at, "latest")
    lag, lead = timedelta(minutes=policy.read_lag_minutes), timedelta(minutes=policy.read_lead_minutes)
    return Boundary(at, max(at - lag, after_start), min(at + lead, life.end), "nearest")


def best_read(
    readings: Sequence[RegisterReading], boundary: Boundary, policy: Policy, *, allow_estimates: bool
) -> RegisterReading | None:
    """Return the read that answers for a boundary, or None.

    Order of preference: actual of AMI, actual taken by hand, edited, questionable, customer's, estimate; among equals
    the one that the boundary prefers; of two versions of one read the one received later. `readings` are of one
    register, in order of receipt, oldest first.
    """
    inside = [r for r in readings if boundary.earliest <= r.taken_at <= boundary.latest]
    if len(inside) > 1:
        inside = _newest(inside)
    inside = [r for r in inside if r.quality.is_usable and (allow_estimates or not r.quality.is_estimate)]
    return min(inside, key=lambda r: (rank(r, policy), _distance(r, boundary)), default=None)


def rank(reading: RegisterReading, policy: Policy) -> int:
    """Return how far back a read stands in the order of preference: 0 is best."""
    if reading.quality.is_estimate:
        return 5
    if reading.quality in _RANKS:
        return _RANKS[reading.quality]
    return 1 if reading.source in policy.manual_sources else 0


_RANKS = {Quality.EDITED: 2, Quality.QUESTIONABLE: 3, Quality.CUSTOMER: 4}


def _newest(readings: Iterable[RegisterReading]) -> list[RegisterReading]:
    """Return the latest received version of each read.

    An estimate never replaces what was measured, MISSING nothing at all; UNUSABLE takes the read back.
    """
    newest: dict[tuple[datetime, str], RegisterReading] = {}
    for reading in readings:
        if reading.quality is Quality.MISSING:
            continue
        key = (reading.taken_at, reading.source)
        known = newest.get(key)
        if known is None or known.quality.is_estimate or not reading.quality.is_estimate:
            newest.pop(key, None)
            newest[key] = reading
    # Last received first, so that `min` takes it among equals.
    return list(reversed(newest.values()))


def _distance(reading: RegisterReading, boundary: Boundary) -> timedelta:
    if boundary.prefer == "earliest":
        return reading.taken_at - boundary.earliest
    if boundary.prefer == "latest":
        return boundary.latest - reading.taken_at
    return abs(reading.taken_at - boundary.at)
