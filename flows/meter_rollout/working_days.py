"""On which days crews work, and on which of them a usage point is left alone because it is being billed (EX11)."""

from collections.abc import Collection
from datetime import date, timedelta

from flows.meter_rollout.rules import WaveRules

_WEEK = timedelta(days=1)


def working_days(rules: WaveRules) -> tuple[date, ...]:
    """Return the days of a wave on which crews work, in order."""
    number = (rules.last_day - rules.first_day).days + 1
    days = (rules.first_day + timedelta(days=n) for n in range(max(0, number)))
    return tuple(day for day in days if is_working(rules, day))


def is_working(rules: WaveRules, day: date) -> bool:
    """Return whether crews work on a day."""
    return day.weekday() in rules.working_days and day not in rules.holidays


def billing_span(rules: WaveRules, read_date: date) -> tuple[date, date]:
    """Return the first and the last day on which whoever is read on a date is left alone (domain 2.4, EX11).

    From some working days before the read date until the bill is made. A wave without any working day counts days.
    """
    begin, left = read_date, rules.clear_before_days
    can_count = bool(rules.working_days)
    while left:
        begin -= _WEEK
        left -= is_working(rules, begin) or not can_count
    return begin, read_date + timedelta(days=rules.clear_after_days)


def blocked_days(rules: WaveRules, read_dates: Collection[date]) -> frozenset[date]:
    """Return the days on which usage points of a cycle with these read dates are left alone."""
    blocked: set[date] = set()
    for read_date in read_dates:
        begin, end = billing_span(rules, read_date)
        blocked.update(begin + timedelta(days=n) for n in range((end - begin).days + 1))
    return frozenset(blocked)


def around(rules: WaveRules, days: Collection[date]) -> frozenset[date]:
    """Return the days around moves on which nobody comes."""
    reach = range(-rules.clear_moves_days, rules.clear_moves_days + 1)
    return frozenset(day + timedelta(days=n) for day in days for n in reach)
