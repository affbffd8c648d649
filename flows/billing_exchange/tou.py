"""Time-of-use calendars as runs of UTC: which bucket an instant falls into, by the calendar's own local clock."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from canonical.codes import billing as codes
from canonical.customers import TouCalendar, TouWindow
from canonical.errors import RejectedError
from canonical.periods import Period, local_date, local_day, local_days

TIERS = {1: "ON", 2: "MID", 3: "OFF", 4: "CRIT"}
"""Bucket of each time-of-use tier of a CIM reading type (field 12)."""

DAY_MINUTES = 1440


@lru_cache(maxsize=256)
def slot_runs(calendar: TouCalendar, period: Period, minutes: int) -> tuple[tuple[int, int, str], ...] | None:
    """Return the buckets of a period as runs (first slot, slot after the last, bucket) of `minutes` each.

    None when a window begins or ends inside an interval, so that its energy cannot be told apart.

    Raises:
        RejectedError: the calendar does not cover every minute of a day exactly once.
    """
    slots: list[tuple[int, int, str]] = []
    step = timedelta(minutes=minutes)
    for start, end, bucket in bucket_runs(calendar, period):
        if (start - period.start) % step or (end - period.start) % step:
            return None
        slots.append(((start - period.start) // step, (end - period.start) // step, bucket))
    return tuple(slots)


@lru_cache(maxsize=256)
def bucket_runs(calendar: TouCalendar, period: Period) -> tuple[tuple[datetime, datetime, str], ...]:
    """Return the buckets of a period as runs of UTC (start, end, bucket), in order and without gaps.

    Raises:
        RejectedError: the calendar does not cover every minute of a day exactly once.
    """
    runs: list[tuple[datetime, datetime, str]] = []
    for day in local_days(period, ZoneInfo(calendar.zone)):
        for run_start, run_end, bucket in day_runs(calendar, day):
            start, end = max(run_start, period.start), min(run_end, period.end)
            if start >= end:
                continue
            if runs and runs[-1][2] == bucket:
                runs[-1] = (runs[-1][0], end, bucket)
            else:
                runs.append((start, end, bucket))
    return tuple(runs)


@lru_cache(maxsize=2048)
def day_runs(calendar: TouCalendar, day: date) -> tuple[tuple[datetime, datetime, str], ...]:
    """Return the buckets of one local day as runs of UTC; clock changes are followed minute by minute."""
    zone = ZoneInfo(calendar.zone)
    whole = local_day(day, zone)
    windows = day_windows(calendar, day)
    if whole.minutes == DAY_MINUTES:
        return tuple(
            (whole.start + timedelta(minutes=begin), whole.start + timedelta(minutes=end), bucket)
            for begin, end, bucket in windows
        )
    buckets = [bucket for begin, end, bucket in windows for _ in range(begin, end)]
    runs: list[tuple[datetime, datetime, str]] = []
    for n in range(whole.minutes):
        start = whole.start + timedelta(minutes=n)
        wall = start.astimezone(zone)
        bucket = buckets[wall.hour * 60 + wall.minute]
        if runs and runs[-1][2] == bucket:
            runs[-1] = (runs[-1][0], start + timedelta(minutes=1), bucket)
        else:
            runs.append((start, start + timedelta(minutes=1), bucket))
    return tuple(runs)


def day_windows(calendar: TouCalendar, day: date) -> tuple[tuple[int, int, str], ...]:
    """Return the wall-clock windows of a day as (first minute, minute after the last, bucket), in order.

    Raises:
        RejectedError: they leave a minute out, or name one twice.
    """
    kinds = _kinds_of(calendar, day)
    windows = sorted(part for window in calendar.windows if window.days in kinds for part in _minutes(window))
    reached = 0
    for begin, end, _ in windows:
        if begin != reached:
            break
        reached = end
    if reached != DAY_MINUTES:
        raise RejectedError(
            f"calendar {calendar.calendar}/{calendar.version} has a hole or an overlap at minute {reached} of {day}",
            code=codes.CALENDAR_INCOMPLETE,
        )
    return tuple(windows)


def _kinds_of(calendar: TouCalendar, day: date) -> Sequence[str]:
    if day in calendar.holidays and any(w.days == "HOLIDAY" for w in calendar.windows):
        return ("HOLIDAY", "ALL")
    if day.weekday() < 5:
        return ("WEEKDAY", "ALL")
    return ("SATURDAY" if day.weekday() == 5 else "SUNDAY", "WEEKEND", "ALL")


def _minutes(window: TouWindow) -> Sequence[tuple[int, int, str]]:
    """Return a window's minutes; one that crosses midnight is two parts of the same kind of day."""
    begin = window.start.hour * 60 + window.start.minute
    end = window.end.hour * 60 + window.end.minute or DAY_MINUTES
    if begin < end:
        return ((begin, end, window.bucket),)
    return ((0, end, window.bucket), (begin, DAY_MINUTES, window.bucket))


def bucket_at(calendar: TouCalendar, instant: datetime) -> str:
    """Return the bucket into which an instant falls."""
    day = local_date(instant, ZoneInfo(calendar.zone))
    return next(bucket for start, end, bucket in day_runs(calendar, day) if start <= instant < end)
