"""Days of capacity, filled route after route in the order of the walk."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a day."""

    day: date
    place: int
    """From 1, in the order in which the day is walked."""


@dataclass(slots=True)
class Packer:
    """Gives places in days; no day gets more than its capacity, and the same calls give the same places."""

    days: Sequence[date]
    """Working days, in order."""

    capacity: int
    taken: dict[date, int] = field(default_factory=dict)
    """Places that are given; days that others filled before begin with theirs."""

    _first: dict[Collection[date], int] = field(default_factory=dict)
    """For each set of closed days, before which working day nothing is left."""

    def place(
        self, closed: frozenset[date], also_closed: frozenset[date] = frozenset(), *, after: date | None = None
    ) -> Slot | None:
        """Return the next place on the earliest day that is open, or None where none is left.

        `closed` are the days closed for many (a bill cycle), `also_closed` those for one; `after`: only later days.
        """
        start = self._open_from(closed)
        for day in self.days[start:]:
            if (after is not None and day <= after) or day in closed or day in also_closed:
                continue
            if self.taken.get(day, 0) < self.capacity:
                self.taken[day] = self.taken.get(day, 0) + 1
                return Slot(day, self.taken[day])
        return None

    def _open_from(self, closed: frozenset[date]) -> int:
        """Return the place of the first working day that is open and has room, looking at no day twice."""
        at = self._first.get(closed, 0)
        while at < len(self.days) and (self.days[at] in closed or self.taken.get(self.days[at], 0) >= self.capacity):
            at += 1
        self._first[closed] = at
        return at


def days_filled(orders: Mapping[tuple[str, str], int], states: Collection[str]) -> dict[date, int]:
    """Return how many places of each day orders in some states hold, from their numbers by planned day and state."""
    filled: dict[date, int] = {}
    for (day, state), number in orders.items():
        if day and state in states:
            filled[date.fromisoformat(day)] = filled.get(date.fromisoformat(day), 0) + number
    return filled
