"""Spans of time: half-open, UTC inside; local days and months by IANA zone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A span of time: start included, end excluded, both aware and kept in UTC."""

    start: datetime
    """First instant."""

    end: datetime
    """First instant after the period."""

    def __post_init__(self) -> None:
        """Keep both instants in UTC.

        Raises:
            ValueError: an instant is naive, or the end is before the start.
        """
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError(f"naive instant in period {self.start} .. {self.end}")
        if self.start.tzinfo is not UTC:
            object.__setattr__(self, "start", self.start.astimezone(UTC))
        if self.end.tzinfo is not UTC:
            object.__setattr__(self, "end", self.end.astimezone(UTC))
        if self.end < self.start:
            raise ValueError(f"period ends before it starts: {self.start} .. {self.end}")

    def __contains__(self, instant: datetime) -> bool:
        """Return whether the instant lies inside (start included, end excluded)."""
        return self.start <= instant < self.end

    def overlaps(self, other: "Period") -> bool:
        """Return whether the two periods share an instant."""
        return self.start < other.end and other.start < self.end

    @property
    def minutes(self) -> int:
        """Elapsed minutes (92 quarter hours make a spring day)."""
        return int((self.end - self.start).total_seconds()) // 60


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of a local day, in UTC.

    Where local midnight does not exist (Cairo 2026-04-24), it is the first instant that does (domain 0.4); where it
    exists twice, the first one.
    """
    instant = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    # In a gap, fold=0 reads the wall time by the offset before the change: that is the change itself or after it.
    back = instant.astimezone(zone)
    if back.date() == day and (back.hour, back.minute) != (0, 0):
        # Inside the gap: walk back to the change, where the local date turns.
        while (instant - timedelta(minutes=1)).astimezone(zone).date() == day:
            instant -= timedelta(minutes=1)
    return instant


def local_day(day: date, zone: ZoneInfo) -> Period:
    """Return the whole local day: 23, 24 or 25 hours where clocks change by one."""
    return Period(start_of_day(day, zone), start_of_day(day + timedelta(days=1), zone))


def local_date(instant: datetime, zone: ZoneInfo) -> date:
    """Return the local calendar date of an instant."""
    return instant.astimezone(zone).date()


def local_days(period: Period, zone: ZoneInfo) -> Iterator[date]:
    """Yield the local calendar days that a period touches, in order."""
    day = local_date(period.start, zone)
    while start_of_day(day, zone) < period.end:
        yield day
        day += timedelta(days=1)


def count_days(period: Period, zone: ZoneInfo) -> int:
    """Return the number of local calendar days from start to end; clock changes never alter it (domain 4.6)."""
    return (local_date(period.end, zone) - local_date(period.start, zone)).days


def expected_intervals(period: Period, interval_minutes: int) -> int:
    """Return how many intervals of that length a period holds (92, 96 or 100 quarter hours a local day)."""
    return period.minutes // interval_minutes
