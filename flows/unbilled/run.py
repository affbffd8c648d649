"""One day of the register: every agreement and every meter without one, batch after batch, then the day's totals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from canonical.periods import local_date, local_day
from flows.unbilled.entry import entry_of
from flows.unbilled.load import Cycles, with_agreement, without_agreement
from flows.unbilled.policy import Policy
from flows.unbilled.readings import with_readings
from flows.unbilled.rows import row_of
from flows.unbilled.spans import horizon_of
from flows.unbilled.subject import Subject
from store import unbilled, unbilled_subjects
from store.session import Session, Transaction


@dataclass(frozen=True, slots=True)
class DayCounted:
    """What one run of the register came to."""

    day: date
    as_of: datetime
    entries: int


def run(policy: Policy, *, transaction: Transaction, now: datetime, day: date | None = None) -> DayCounted:
    """Count what is unbilled at the end of a business day (today: now), and keep it.

    The same day again replaces what was kept of it. Each batch is a transaction of its own; what dies in between is
    counted by the next run of the day.
    """
    zone = ZoneInfo(policy.zone)
    today = local_date(now, zone)
    counted = min(day or today, today)
    as_of = min(now, local_day(counted, zone).end)
    this = {"day": counted.isoformat(), "as_of": as_of, "counted_at": now, "state": "RUNNING",
            "currency": policy.currency, "minor_digits": policy.minor_digits, "entries": 0}  # fmt: skip
    with transaction() as session:
        unbilled.begin(session, this)
    counting = _Counting(policy, transaction, counted, as_of, now)
    counting.agreements()
    counting.meters_without()
    with transaction() as session:
        keep_since = today - timedelta(days=policy.keep_days)
        entries = unbilled.finish(session, counted, counted_at=now, keep_since=keep_since)
    return DayCounted(counted, as_of, entries)


@dataclass(frozen=True, slots=True)
class _Counting:
    """Counts one day, a page of subjects after the other."""

    policy: Policy
    transaction: Transaction
    day: date
    as_of: datetime
    now: datetime

    def agreements(self) -> None:
        """Count every agreement that is active, or ended and may not be billed whole."""
        cycles, after = Cycles(), ("", 0)
        ended_since = horizon_of(self.as_of, self.policy)
        size = self.policy.batch
        while True:
            with self.transaction() as session:
                page = unbilled_subjects.agreements(
                    session, at=self.as_of, ended_since=ended_since, after=after, limit=size
                )
                self._count(session, with_agreement(session, page, self.policy, cycles, as_of=self.as_of))
            if len(page) < size:
                return
            after = (page[-1]["agreement"], page[-1]["row"])

    def meters_without(self) -> None:
        """Count every usage point where a meter hangs and nobody has an agreement."""
        after, size = "", self.policy.batch
        while True:
            with self.transaction() as session:
                page = unbilled_subjects.metered_without_agreement(session, at=self.as_of, after=after, limit=size)
                self._count(session, without_agreement(session, page, self.policy, as_of=self.as_of))
            if len(page) < size:
                return
            after = page[-1]

    def _count(self, session: Session, subjects: Sequence[Subject]) -> None:
        """Keep the entries of some subjects."""
        for some in with_readings(session, subjects, self.policy):
            entries = (entry_of(one, self.policy, day=self.day, reads=reads) for one, reads in some)
            unbilled.write(session, [row_of(entry, counted_at=self.now) for entry in entries if entry is not None])
