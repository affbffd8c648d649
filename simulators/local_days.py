"""Local days of the city: midnights in its zone as UTC instants, and the day numbers by which truth is kept."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

ZONE_NAME = "America/Toronto"
ZONE = ZoneInfo(ZONE_NAME)
DAY_ZERO = date(2026, 9, 1)
"""Local date of day number 0: nothing is known of the city before it."""

DAYS = 128
"""Number of local days for which the city has a truth."""

HOLIDAYS = frozenset({date(2026, 10, 12), date(2026, 11, 11)})
"""Local dates on which the time-of-use calendar is off-peak all day."""


@lru_cache(maxsize=4096)
def midnight(day: date) -> datetime:
    """Return the first instant of a local date, in UTC."""
    return datetime.combine(day, time(), ZONE).astimezone(UTC)


def day_number(day: date) -> int:
    """Return the number of a local date, 0 for `DAY_ZERO`."""
    return (day - DAY_ZERO).days


def day_of(number: int) -> date:
    """Return the local date of a day number."""
    return DAY_ZERO + timedelta(days=number)


@lru_cache(maxsize=4096)
def place(instant: datetime) -> tuple[int, int, int]:
    """Return (day number, minutes since its midnight, minutes that the day has) of an instant."""
    day = instant.astimezone(ZONE).date()
    start, end = midnight(day), midnight(day + timedelta(days=1))
    return (
        day_number(day),
        int((instant - start).total_seconds()) // 60,
        int((end - start).total_seconds()) // 60,
    )


@lru_cache(maxsize=4096)
def is_working_day(day: date) -> bool:
    """Return whether on and mid peak exist on a local date: neither weekend nor holiday."""
    return day.weekday() < 5 and day not in HOLIDAYS


def local_text(instant: datetime) -> str:
    """Return an instant as local ISO 8601 with offset, as the flat files write it."""
    return instant.astimezone(ZONE).isoformat(timespec="seconds")


def utc_text(instant: datetime) -> str:
    """Return an instant as `2026-11-01T04:00:00Z`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def at_local(day: date, hour: int, minute: int = 0) -> datetime:
    """Return the instant of a local wall time, in UTC (no wall time of the demo lies in a changed hour)."""
    return datetime.combine(day, time(hour, minute), ZONE).astimezone(UTC)
