"""Counting for the report of a rollout: one row after another, nothing kept but the counts."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from flows.meter_rollout.report_figures import AGES, DayFigures, Deviation, Duration, Group, age_of
from store.rows import Row

OUT = ("EXCLUDED", "CANCELLED", "REVERSED")
"""States in which an order is not to be done."""

DayOf = Callable[[str, datetime], date]
"""Local day of an instant, by the name of a wave."""

KINDS = ("district", "route", "reporter")


@dataclass(slots=True)
class Tally:
    """The counts of one report."""

    day_of: DayOf
    until: datetime
    silence: timedelta
    """After which a meter that is not heard counts as silent."""

    counts: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    days: dict[str, Counter[str]] = field(default_factory=dict)
    minutes: Counter[int] = field(default_factory=Counter)
    """Exchanges by whole minutes from their work to their certification."""

    reasons: Counter[str] = field(default_factory=Counter)
    raised: Counter[str] = field(default_factory=Counter)
    ages: dict[str, Counter[int]] = field(default_factory=dict)
    oldest: dict[str, datetime] = field(default_factory=dict)
    trend: Counter[tuple[str, str]] = field(default_factory=Counter)
    groups: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    """By kind and name."""

    def on(self, day: str) -> Counter[str]:
        """Return the counts of one day."""
        return self.days.setdefault(day, Counter())

    def orders(self, rows: Iterable[Row]) -> None:
        """Count orders (`store.rollout_report.orders`)."""
        for row in rows:
            if row["wave"]:
                self.states[row["state"]] += 1
                self._planned(row)
            if row["is_done"] and row["state"] not in OUT:
                self._done(row)

    def _planned(self, row: Row) -> None:
        if row["state"] in OUT:
            return
        self.counts["listed"] += 1
        if row["planned_day"]:
            self.on(row["planned_day"])["planned"] += 1

    def _done(self, row: Row) -> None:
        """Count one exchange that was done."""
        done_at: datetime = row["done_at"]
        kind = "done" if row["wave"] else "unplanned"
        self.counts[kind] += 1
        self.on(self.day_of(row["wave"], done_at).isoformat())[kind] += 1
        self._grouped(row, "done")
        passed, stopped = row["first_pass"], row["first_stop"]
        if passed is not None or stopped is not None:
            self.counts["judged"] += 1
            self.counts["first_time"] += passed is not None and (stopped is None or passed < stopped)
        if _since(row, "validated_at") and row["new_meter"] and done_at + self.silence <= self.until:
            self.counts["awaited"] += 1
            self.counts["silent"] += not (_since(row, "heard_at") or _since(row, "closed_at"))
        certified_at = _since(row, "certified_at")
        if certified_at is not None:
            self.counts["certified"] += 1
            self.on(self.day_of(row["wave"], certified_at).isoformat())["certified"] += 1
            self.minutes[int((certified_at - done_at).total_seconds()) // 60] += 1
        self.counts["closed"] += row["state"] == "CLOSED"

    def visits(self, rows: Iterable[Row]) -> None:
        """Count visits in vain (`store.rollout_report.visits_in_vain`)."""
        for row in rows:
            self.reasons[row["reason"]] += 1
            self.on(self.day_of(row["wave"], row["effective_at"]).isoformat())["in_vain"] += 1

    def deviations(self, rows: Iterable[Row]) -> None:
        """Count what became work (`store.rollout_report.deviations`)."""
        for row in rows:
            code, at = row["code"], row["raised_at"]
            day = self.day_of(row["wave"], at)
            self.raised[code] += 1
            self.trend[day.isoformat(), code] += 1
            self.on(day.isoformat())["raised"] += 1
            self._grouped(row, "raised")
            if row["is_open"]:
                days = (self.day_of(row["wave"], self.until) - day).days
                self.ages.setdefault(code, Counter())[age_of(days)] += 1
                self.oldest[code] = min(at, self.oldest.get(code, at))
                self._grouped(row, "open")

    def _grouped(self, row: Row, what: str) -> None:
        for kind, name in zip(KINDS, (row["district"], row["route"], row["source"]), strict=True):
            if name:
                self.groups.setdefault((kind, name), Counter())[what] += 1

    def by_day(self, today: date) -> Iterator[DayFigures]:
        """Yield the figures of each day, with what is left at its end."""
        left = by_plan = self.counts["listed"]
        for day in sorted(self.days):
            own = self.days[day]
            left, by_plan = left - own["done"], by_plan - own["planned"]
            yield DayFigures(
                day, own["planned"], own["done"], own["unplanned"], own["in_vain"], own["certified"], own["raised"],
                left if day <= today.isoformat() else None, by_plan,
            )  # fmt: skip

    def by_code(self) -> tuple[Deviation, ...]:
        """Return what became work by code, most open ones first."""
        found = []
        for code, raised in self.raised.items():
            ages = self.ages.get(code, Counter())
            spread = tuple(ages[n] for n in range(len(AGES)))
            found.append(Deviation(code, raised, ages.total(), spread, self.oldest.get(code)))
        return tuple(sorted(found, key=lambda one: (-one.open, -one.raised, one.code)))

    def worst(self, kind: str, limit: int) -> tuple[Group, ...]:
        """Return the districts, routes or reporters that have most deviations."""
        own = [
            Group(name, counts["done"], counts["raised"], counts["open"])
            for (of, name), counts in self.groups.items()
            if of == kind and counts["raised"]
        ]
        return tuple(sorted(own, key=lambda one: (-one.raised, -one.open, one.name))[:limit])

    def to_certified(self) -> Duration:
        """Return how long it took to certify."""
        return Duration(self.minutes.total(), _rank(self.minutes, 50), _rank(self.minutes, 95))


def _since(row: Row, name: str) -> datetime | None:
    """Return when something was so, None where that was before the work: a meter was put back, and exchanged again."""
    at: datetime | None = row[name]
    return at if at is not None and at >= row["done_at"] else None


def _rank(counted: Counter[int], percent: int) -> int | None:
    """Return the value at a nearest rank, None of nothing."""
    rank, seen = -(-counted.total() * percent // 100), 0
    for value in sorted(counted):
        seen += counted[value]
        if seen >= rank:
            return value
    return None
