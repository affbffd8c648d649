"""Which business days the register still has to be counted for: those that ended since the last one counted whole."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from canonical.periods import local_date, local_day
from flows.unbilled.policy import Policy
from store import unbilled
from store.session import Transaction


def due_days(policy: Policy, *, transaction: Transaction, now: datetime) -> tuple[date, ...]:
    """Return the local days of the utility that have ended and are not counted up to their end, oldest first.

    A day that was counted while it ran, or whose count died, is due. Where no day of the last `keep_days` was
    counted whole, the register begins with yesterday: what was unbilled long ago is nobody's question any more.
    """
    zone = ZoneInfo(policy.zone)
    today = local_date(now, zone)
    yesterday = today - timedelta(days=1)
    with transaction() as session:
        runs = unbilled.runs_since(session, today - timedelta(days=policy.keep_days))
    whole = [date.fromisoformat(run["day"]) for run in runs if _is_whole(run["day"], run["as_of"], zone)]
    last = max((day for day in whole if day <= yesterday), default=yesterday - timedelta(days=1))
    return tuple(last + timedelta(days=number) for number in range(1, (yesterday - last).days + 1))


def _is_whole(day: str, as_of: datetime, zone: ZoneInfo) -> bool:
    """Return whether a day was counted up to its end."""
    return as_of >= local_day(date.fromisoformat(day), zone).end
