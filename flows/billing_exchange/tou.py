"""Time-of-use calendars as runs of UTC: which bucket an instant falls into, by the calendar's own local clock."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from canonical.codes import billing as codes
from canonical.customers import TouCalendar, TouWindow
from canonical.errors import RejectedError
from canonical.periods import Period, local_date, local_day, local_days

TIERS = {1: "ON", 2: "MID", 3: "OFF", 4: "CRIT"}
"""Bucket of each time-of-use tier of a CIM reading type (field 12)."""

DAY_MINUTES = 1440


class Tier(NamedTuple):
    """What a rate prices apart: a time-of-use bucket in a season."""

    bucket: str
    season: str = ""
    """Empty for a window of the whole year, and for a total."""


@lru_cache(maxsize=256)
def slot_runs(calendar: TouCalendar, period: Period, minutes: int) -> tuple[tuple[int, int, Tier], ...] | None:
    """Return the buckets of a period as runs (first slot, slot after the last, tier) of `minutes` each.

    None when a window begins or ends inside an interval, so that its energy cannot be told apart.

    Raises:
        RejectedError: the calendar does not cover every minute of a day exactly once.
    """
    slots: list[tuple[int, int, Tier]] = []
    step = timedelta(minutes=minutes)
    for start, end, tier in bucket_runs(calendar, period):
        if (start - period.start) % step or (end - period.start) % step:
            return None
        slots.append(((start - period.start) // step, (end - period.start) // step, tier))
    return tuple(slots)


@lru_cache(maxsize=256)
def bucket_runs(calendar: TouCalendar, period: Period) -> tuple[tuple[datetime, datetime, Tier], ...]:
    """Return the buckets of a period as runs of UTC (start, end, tier), in order and without gaps.

    Raises:
        RejectedError: the calendar does not cover every minute of a day exactly once.
    """
    runs: list[tuple[datetime, datetime, Tier]] = []
    for day in local_days(period, ZoneInfo(calendar.zone)):
        for run_start, run_end, tier in day_runs(calendar, day):
            start, end = max(run_start, period.start), min(run_end, period.end)
            if start >= end:
                continue
            if runs and runs[-1][2] == tier:
                runs[-1] = (runs[-1][0], end, tier)
            else:
                runs.append((start, end, tier))
    return tuple(runs)


@lru_cache(maxsize=2048)
def day_runs(calendar: TouCalendar, day: date) -> tuple[tuple[datetime, datetime, Tier], ...]:
    """Return the buckets of one local day as runs of UTC; clock changes are followed minute by minute."""
    zone = ZoneInfo(calendar.zone)
    whole = local_day(day, zone)
    windows = day_windows(calendar, day)
    if whole.minutes == DAY_MINUTES:
        return tuple(
            (whole.start + timedelta(minutes=begin), whole.start + timedelta(minutes=end), tier)
            for begin, end, tier in windows
        )
    tiers = [tier for begin, end, tier in windows for _ in range(begin, end)]
    runs: list[tuple[datetime, datetime, Tier]] = []
    for n in range(whole.minutes):
        start = whole.start + timedelta(minutes=n)
        wall = start.astimezone(zone)
        tier = tiers[wall.hour * 60 + wall.minute]
        if runs and runs[-1][2] == tier:
            runs[-1] = (runs[-1][0], start + timedelta(minutes=1), tier)
        else:
            runs.append((start, start + timedelta(minutes=1), tier))
    return tuple(runs)


def day_windows(calendar: TouCalendar, day: date) -> tuple[tuple[int, int, Tier], ...]:
    """Return the wall-clock windows of a day as (first minute, minute after the last, tier), in order.

    Raises:
        RejectedError: they leave a minute out, or name one twice.
    """
    kinds = _kinds_of(calendar, day)
    windows = sorted(
        part
        for window in calendar.windows
        if window.days in kinds and in_season(window, day)
        for part in _minutes(window)
    )
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


def in_season(window: TouWindow, day: date) -> bool:
    """Return whether a window counts on a day of the year: always without a season; first and last day included."""
    if not window.season:
        return True
    here = f"{day:%m-%d}"
    if window.first_day <= window.last_day:
        return window.first_day <= here <= window.last_day
    return here >= window.first_day or here <= window.last_day


def _kinds_of(calendar: TouCalendar, day: date) -> Sequence[str]:
    if day in calendar.holidays and any(w.days == "HOLIDAY" and in_season(w, day) for w in calendar.windows):
        return ("HOLIDAY", "ALL")
    if day.weekday() < 5:
        return ("WEEKDAY", "ALL")
    return ("SATURDAY" if day.weekday() == 5 else "SUNDAY", "WEEKEND", "ALL")


def _minutes(window: TouWindow) -> Sequence[tuple[int, int, Tier]]:
    """Return a window's minutes; one that crosses midnight is two parts of the same kind of day."""
    begin = window.start.hour * 60 + window.start.minute
    end = window.end.hour * 60 + window.end.minute or DAY_MINUTES
    tier = Tier(window.bucket, window.season)
    if begin < end:
        return ((begin, end, tier),)
    return ((0, end, tier), (begin, DAY_MINUTES, tier))


def bucket_at(calendar: TouCalendar, instant: datetime) -> str:
    """Return the bucket into which an instant falls."""
    day = local_date(instant, ZoneInfo(calendar.zone))
    return next(tier.bucket for start, end, tier in day_runs(calendar, day) if start <= instant < end)
