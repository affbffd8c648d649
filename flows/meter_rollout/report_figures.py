"""What the report of a rollout says: figures of one instant, without anybody's name or address."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from store.rows import Row

AGES: tuple[str, ...] = ("same day", "1-3", "4-7", "8-30", ">30")
"""Days since a deviation stood in front of a person first."""

_UPPER = (1, 4, 8, 31)


def age_of(days: int) -> int:
    """Return the place in `AGES` of so many whole days."""
    return sum(days >= upper for upper in _UPPER)


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One local day; its sums over all days are the figures of the report."""

    day: str
    """ISO 8601."""

    planned: int = 0
    """Listed orders whose planned day it is, as the plan is now."""

    done: int = 0
    """Listed exchanges whose work was done on it, of whatever planned day."""

    unplanned: int = 0
    """Exchanges outside of every wave."""

    in_vain: int = 0
    """Visits that could not be completed."""

    certified: int = 0
    raised: int = 0
    """Deviations that became a person's work."""

    remaining: int | None = None
    """Burn-down: listed exchanges that are not done at the end of it; None: the day is not over yet."""

    remaining_by_plan: int = 0


@dataclass(frozen=True, slots=True)
class Deviation:
    """One code, over everything that became work under it."""

    code: str
    raised: int
    open: int
    ages: tuple[int, ...]
    """Open ones by `AGES`."""

    oldest: datetime | None
    """When the oldest open one was first seen."""


@dataclass(frozen=True, slots=True)
class Group:
    """One district, route or reporter: exchanges that were done, deviations that were raised."""

    name: str
    done: int
    raised: int
    open: int


@dataclass(frozen=True, slots=True)
class Duration:
    """How long exchanges took from the work in the field until they were certified; nearest rank, whole minutes."""

    number: int
    p50_minutes: int | None
    p95_minutes: int | None


@dataclass(frozen=True, slots=True)
class Unbilled:
    """What the register of unbilled revenue holds of usage points under way, for one reason and unit."""

    reason: str
    unit: str
    entries: int
    quantity_micro: int
    money_minor: int
    unpriced: int
    """Entries without a rate; their money is in no sum."""


@dataclass(frozen=True, slots=True)
class RolloutReport:
    """How one wave, or the whole rollout, stood at one instant."""

    wave: str
    """Empty: every wave, and what was done outside of them."""

    day: date
    until: datetime
    """What the hub knew until then is counted."""

    states: Mapping[str, int]
    """Orders of waves by state."""

    listed: int
    """Orders of waves that are to be done, or are: not excluded, cancelled or reversed."""

    done: int
    unplanned: int
    certified: int
    closed: int
    judged: int
    """Exchanges whose completion was looked at."""

    first_time: int
    """Of them, those that were believed when they were first looked at."""

    awaited: int
    """Believed exchanges with a new meter that hangs longer than a site waits for its first sign."""

    silent: int
    """Of them, those that were not heard."""

    to_certified: Duration
    days: tuple[DayFigures, ...]
    """Every day on which something was planned, done or raised, oldest first."""

    reasons: Mapping[str, int]
    """Visits in vain by reason."""

    deviations: tuple[Deviation, ...]
    """Most open ones first."""

    trend: Mapping[tuple[str, str], int]
    """Deviations that were raised, by day and code."""

    groups: Mapping[str, tuple[Group, ...]]
    """By `district`, `route` and `reporter`: those with most deviations."""

    blocked: tuple[Row, ...]
    """Shipped meters that are blocked now, by shipment, lot and code; of the whole site."""

    unbilled: tuple[Unbilled, ...]
    unbilled_run: Row | None
    """Day, currency and digits of the register; None: it was never counted."""

    @property
    def today(self) -> DayFigures:
        """Return the figures of the report's day."""
        name = self.day.isoformat()
        return next((one for one in self.days if one.day == name), DayFigures(name))

    @property
    def open_deviations(self) -> int:
        """Return how many deviations are open."""
        return sum(one.open for one in self.deviations)

    @property
    def in_vain(self) -> int:
        """Return how many visits could not be completed."""
        return sum(self.reasons.values())


def percent(part: int, whole: int) -> str:
    """Return a share with one digit, a dash where there is nothing to share."""
    return f"{100 * part / whole:.1f} %" if whole else "-"
