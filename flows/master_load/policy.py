"""How a first-time load is worked at a site."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

History = Literal["current", "since last bill read", "full"]
"""How much of what was is loaded beside what is."""

HISTORIES: tuple[History, ...] = ("current", "since last bill read", "full")


@dataclass(frozen=True, slots=True)
class LoadPolicy:
    """What a run is given at its start."""

    error_percent: Decimal = Decimal(2)
    """Share of items that are errors above which the run pauses for a person (domain 2.7)."""

    history: History = "since last bill read"
    history_months: int = 13
    """With `since last bill read`: at least so many months before the watermark (ruling 15)."""

    history_days: int = 730
    """And at least so many days: as far as a bill may reach back."""

    zone: str = "UTC"
    """IANA zone of usage points whose master does not state one."""

    queue: str = "integration"
    """Whose work it is when a person has to decide."""


def months_before(instant: datetime, months: int) -> datetime:
    """Return the same instant so many months earlier; a day that the month has not is its last."""
    count = instant.year * 12 + instant.month - 1 - months
    first = instant.replace(year=count // 12, month=count % 12 + 1, day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    return first.replace(day=min(instant.day, (following - timedelta(days=1)).day))
