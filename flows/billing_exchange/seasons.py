"""Seasons of a time-of-use calendar: where a bill period changes them, and in which of them a bucket lies."""

from functools import lru_cache
from zoneinfo import ZoneInfo

from canonical.customers import TouCalendar
from canonical.periods import Period, local_day, local_days
from flows.billing_exchange.tou import bucket_runs, in_season


def seasons_of(calendar: TouCalendar | None, period: Period, bucket: str) -> frozenset[str]:
    """Return the seasons in which a bucket occurs in a period; `""` alone where the calendar names none for it.

    Raises:
        RejectedError: the calendar does not cover every minute of a day exactly once.
    """
    if calendar is None or not bucket or not any(window.season for window in calendar.windows):
        return frozenset({""})
    found = {tier.season for _, _, tier in bucket_runs(calendar, period) if tier.bucket == bucket}
    return frozenset(found or {""})


@lru_cache(maxsize=256)
def season_spans(calendar: TouCalendar, period: Period) -> tuple[Period, ...]:
    """Return the period cut at every local midnight at which the calendar's seasons change; the whole if none does."""
    zone = ZoneInfo(calendar.zone)
    cuts = [period.start]
    before = None
    for day in local_days(period, zone):
        now = {window.season for window in calendar.windows if window.season and in_season(window, day)}
        if before is not None and now != before:
            cuts.append(max(local_day(day, zone).start, period.start))
        before = now
    return tuple(Period(start, end) for start, end in zip(cuts, [*cuts[1:], period.end], strict=True))
