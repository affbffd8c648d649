"""Retention: payloads go first, the keys by which repeats are recognized much later, what is open never (I8)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from canonical.codes.configuration import RETENTION_TOO_SHORT
from canonical.errors import MisconfiguredError
from store import retention
from store.retention import Old
from store.session import Session, Transaction

SHORTEST = timedelta(days=400)
"""Keys are kept that long at the least: what comes once a year and comes twice must be recognized (domain 1.3)."""

BATCH = 500
"""Rows dropped in one transaction: whoever else writes waits no longer than that takes."""


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """How long what is settled is kept, in business time."""

    keys: timedelta = SHORTEST
    """Messages and deliveries, with ids, hashes, replies, verdicts and attempts."""

    payloads: timedelta = timedelta(days=90)
    """Their bytes, in the database and in the spool."""

    history: timedelta = timedelta(days=3653)
    """What was said of masters, and what systems held: ten years, as readings (domain 7); never less than keys."""

    def __post_init__(self) -> None:
        """Check that keys outlive the annual cycle, and their payloads, and that history outlives keys.

        Raises:
            MisconfiguredError: RETENTION_TOO_SHORT.
        """
        if self.keys < SHORTEST or self.payloads < timedelta(days=1) or self.payloads > self.keys:
            reason = f"keys {self.keys.days} days, payloads {self.payloads.days} days; keys at least {SHORTEST.days}"
            raise MisconfiguredError(reason, code=RETENTION_TOO_SHORT)
        if self.history < self.keys:
            reason = f"history {self.history.days} days; at least as long as keys, {self.keys.days}"
            raise MisconfiguredError(reason, code=RETENTION_TOO_SHORT)


@dataclass(frozen=True, slots=True)
class Dropped:
    """What a run of retention dropped, or would drop."""

    message_payloads: int
    delivery_payloads: int
    messages: int
    deliveries: int
    open: int
    """Messages and deliveries that are old enough to go and stay, because they or work about them are open."""


class _Page(Protocol):
    """Reads settled things behind a place."""

    def __call__(
        self, session: Session, *, before: datetime, after: int, limit: int, payload: bool
    ) -> Sequence[Old]: ...


def retain(
    policy: RetentionPolicy,
    *,
    transaction: Transaction,
    remove: Callable[[str], None],
    now: datetime,
    dry_run: bool = False,
) -> Dropped:
    """Drop what is settled and older than the policy keeps it at business time `now`, in batches; return the counts.

    `remove` takes a file out of the spool, with what belongs to it; one that is gone is fine. Files go before the row
    says so: a run that is cut leaves nothing behind that no row knows of. A dry run only counts.
    """
    payloads, keys = now - policy.payloads, now - policy.keys

    def sweep(page: _Page, drop: Callable[[Session, Sequence[Old]], None], before: datetime, *, payload: bool) -> int:
        dropped = 0
        for batch in _batches(page, transaction, before=before, payload=payload):
            dropped += len(batch)
            if not dry_run and batch:
                for path in (old.path for old in batch if old.path):
                    remove(path)
                with transaction() as session:
                    drop(session, batch)
        return dropped

    with transaction() as session:
        older = sum(retention.count_older(session, before=keys))
    found = (
        sweep(retention.messages, retention.drop_bodies, payloads, payload=True),
        sweep(retention.deliveries, retention.drop_payloads, payloads, payload=True),
        sweep(retention.messages, retention.forget_messages, keys, payload=False),
        sweep(retention.deliveries, retention.forget_deliveries, keys, payload=False),
    )
    return Dropped(*found, open=older - found[2] - found[3])


def _batches(page: _Page, transaction: Transaction, *, before: datetime, payload: bool) -> Iterator[Sequence[Old]]:
    """Yield what may go, page by page, without what open work names at that moment."""
    after = 0
    while True:
        with transaction() as session:
            named = retention.open_names(session)
            found = page(session, before=before, after=after, limit=BATCH, payload=payload)
        if not found:
            return
        after = found[-1].place
        yield [old for old in found if named.isdisjoint(old.names)]
