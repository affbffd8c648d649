"""Where systems believed different things of one thing at one instant, as finely as both keep time (ruling 7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from canonical.granularity import SECOND, Grain, coarser
from canonical.names import normal_serial
from canonical.periods import local_date, start_of_day
from flows.history.evidence import Belief

THERE = "*"
"""Stands among disputed fields for whether the thing is there at all."""

HOLDS, HOLDS_NOT = "holds", "holds_not"


@dataclass(frozen=True, slots=True)
class Side:
    """What one system believed of one thing at the known instant."""

    system: str
    texts: Mapping[str, str]
    """Values at the valid instant; under THERE whether it is there."""

    beliefs: Sequence[Belief]
    """Of all valid time."""

    grain: Grain = SECOND

    def near(self, name: str, start: datetime, end: datetime) -> set[str]:
        """Return the values that it believed between two valid instants, both included."""
        found = {compared(name, self.texts[name])} if name in self.texts else set()
        for one in self.beliefs:
            begins = one.valid_from is None or one.valid_from <= end
            if not begins or (one.valid_to is not None and one.valid_to <= start):
                continue
            if name == THERE and not one.part:
                found.add(HOLDS_NOT if one.facts is None else HOLDS)
            elif one.facts is not None and name in one.facts:
                found.add(compared(name, one.facts[name].text))
        return found


def disputed(sides: Sequence[Side], at: datetime) -> dict[str, frozenset[str]]:
    """Return, by system, the fields of which another system believed another value at a valid instant.

    Of a system that keeps days, whatever it believed on the day counts: nobody can tell more finely.
    """
    found: dict[str, set[str]] = {one.system: set() for one in sides}
    for place, one in enumerate(sides):
        for other in sides[place + 1 :]:
            for name in one.texts.keys() & other.texts.keys():
                differ = compared(name, one.texts[name]) != compared(name, other.texts[name])
                if differ and not _may_agree(one, other, name, at):
                    found[one.system].add(name)
                    found[other.system].add(name)
    return {system: frozenset(names) for system, names in found.items()}


def compared(name: str, text: str) -> str:
    """Return a value as systems compare it: serials and makers are written in many ways."""
    return normal_serial(text) if name in ("serial", "manufacturer") else text


def finest(one: Grain, other: Grain) -> timedelta:
    """Return the time below which two systems cannot be told apart; none for two that keep seconds."""
    return {"second": timedelta(0), "minute": timedelta(minutes=1), "day": timedelta(hours=25)}[
        coarser(one, other).granularity
    ]


def _may_agree(one: Side, other: Side, name: str, at: datetime) -> bool:
    """Return whether two systems may mean the same by instants that one of them keeps more coarsely."""
    grain = coarser(one.grain, other.grain)
    if grain.granularity == "second":
        return False
    start, end = _around(at, grain)
    return not one.near(name, start, end).isdisjoint(other.near(name, start, end))


def _around(at: datetime, grain: Grain) -> tuple[datetime, datetime]:
    """Return first and last of the instants that a grain does not tell from `at`; a day's end may belong to it."""
    if grain.granularity == "minute":
        first = at.replace(second=0, microsecond=0)
        return first, first + timedelta(minutes=1)
    zone = ZoneInfo(grain.zone)
    day = local_date(at, zone)
    return start_of_day(day, zone), start_of_day(day + timedelta(days=1), zone)
