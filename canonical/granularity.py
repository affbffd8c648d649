"""How finely a system keeps time, and when two systems mean the same instant (ruling 7): by the coarser of both.

A system that keeps days holds a change at a local midnight: at the first of the day of change where that day belongs to
what begins, at the next one where it belongs to what ends.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from canonical.periods import local_date, start_of_day

Granularity = Literal["day", "minute", "second"]
DayBelongsTo = Literal["new", "old"]

_ORDER: tuple[Granularity, ...] = ("second", "minute", "day")
_TICK = timedelta(microseconds=1)
_LENGTH = {"second": timedelta(seconds=1), "minute": timedelta(minutes=1)}


@dataclass(frozen=True, slots=True)
class Grain:
    """How one system keeps time."""

    granularity: Granularity = "second"
    day_belongs_to: DayBelongsTo = "new"
    """With `day`: whether the day of a change belongs to what begins or to what ends."""

    zone: str = "UTC"
    """IANA zone of its days."""

    def is_finer_than(self, other: "Grain") -> bool:
        """Return whether it tells more of an instant than another does."""
        return _ORDER.index(self.granularity) < _ORDER.index(other.granularity)


SECOND = Grain()
"""How the hub keeps time itself."""


def held_by(at: datetime, grain: Grain) -> datetime:
    """Return the instant, UTC, that a system holds of something that happens at `at`."""
    utc = at.astimezone(UTC)
    if grain.granularity == "second":
        return utc.replace(microsecond=0)
    if grain.granularity == "minute":
        return utc.replace(second=0, microsecond=0)
    zone = ZoneInfo(grain.zone)
    first = start_of_day(local_date(utc, zone), zone)
    if grain.day_belongs_to == "new" or first == utc:
        return first
    return start_of_day(local_date(utc, zone) + timedelta(days=1), zone)


def same_time(one: datetime, other: datetime, *, one_grain: Grain, other_grain: Grain) -> bool:
    """Return whether two systems may mean one event by the instants that they hold.

    Each instant stands for the span of all events that its system holds there; they are the same when the spans meet.
    """
    first, first_end = _meant(one, one_grain)
    second, second_end = _meant(other, other_grain)
    return first < second_end and second < first_end


def coarser(one: Grain, other: Grain) -> Grain:
    """Return the grain of two by which both can be compared; of two that are alike, `one`."""
    return other if one.is_finer_than(other) else one


def comparable(at: datetime, *, own: Grain, by: Grain) -> datetime:
    """Return an instant that a system of grain `own` holds as one of grain `by`, not finer, would hold it.

    Equal instants give equal results, so that they may be hashed and compared. Between two systems that keep days and
    give the day of change to different sides, it is taken to have happened in the middle of that day.
    """
    held = held_by(at, own)
    if own.granularity != "day" or by.granularity != "day" or own.day_belongs_to == by.day_belongs_to:
        return held_by(held, by)
    first, end = _meant(held, own)
    return held_by(first + (end - first) / 2, by)


def _meant(at: datetime, grain: Grain) -> tuple[datetime, datetime]:
    """Return first and end (excluded) of the instants that a system holds at `at`."""
    held = held_by(at, grain)
    if grain.granularity != "day":
        return held, held + _LENGTH[grain.granularity]
    zone = ZoneInfo(grain.zone)
    day = local_date(held, zone)
    if grain.day_belongs_to == "new":
        return held, start_of_day(day + timedelta(days=1), zone)
    return start_of_day(day - timedelta(days=1), zone) + _TICK, held + _TICK
