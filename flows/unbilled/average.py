"""What was used where nothing was read: average daily use times days, and what the average is (domain 4.8)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from canonical.periods import Period, count_days
from flows.unbilled.policy import Average, Policy
from flows.unbilled.subject import ZERO, Subject

YEAR = timedelta(days=365)
LAST_BILLS = 3
"""Bills whose use makes the average where none is known of the season a year ago."""

_THOUSANDTH = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class Averaged:
    """Use of some stretches by average."""

    quantity: Decimal
    by: str
    """`season`, `bills`, `profile` (the weakest that was needed); `none` where no average is known; empty for none."""


def averaged(subject: Subject, stretches: Iterable[Period], kind: Average | None, policy: Policy) -> Averaged:
    """Return the use of stretches of which nothing is measured, in whole local days and thousandths of the unit."""
    zone = zone_of(subject.zone or policy.zone)
    total, weakest = ZERO, ""
    for stretch in stretches:
        daily, by = _daily_use(subject, stretch, kind)
        total += daily * count_days(stretch, zone)
        weakest = max(weakest, by, key=_STRENGTH.index)
    return Averaged(total.quantize(_THOUSANDTH), weakest)


_STRENGTH = ("", "season", "bills", "profile", "none")


def _daily_use(subject: Subject, stretch: Period, kind: Average | None) -> tuple[Decimal, str]:
    """Return the average daily use of a stretch, and of what: the season a year ago, the last bills, the profile."""
    year_ago = stretch.start + (stretch.end - stretch.start) / 2 - YEAR
    for bill in subject.bills:
        if year_ago in bill.period:
            return bill.daily_use, "season"
    last = [bill for bill in subject.bills if bill.period.end <= stretch.end][-LAST_BILLS:]
    days = sum(bill.days for bill in last)
    if days:
        return sum((bill.daily_use * bill.days for bill in last), ZERO) / days, "bills"
    if kind is not None and kind.daily_use is not None:
        return kind.daily_use, "profile"
    return ZERO, "none"


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo:
    """Return an IANA zone."""
    return ZoneInfo(name)
