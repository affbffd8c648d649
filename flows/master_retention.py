"""Retention of the records about masters: what explains beliefs for years, what was found and done as long as keys."""

from collections.abc import Mapping
from datetime import datetime

from flows.retention import RetentionPolicy
from store import master_retention, retention
from store.master_retention import Records
from store.session import Session, Transaction

BATCH = 500
"""Rows looked at in one transaction: whoever else writes waits no longer than that takes."""


def retain_masters(
    policy: RetentionPolicy, *, transaction: Transaction, now: datetime, dry_run: bool = False
) -> Mapping[str, int]:
    """Drop what is settled and older than the policy keeps it at business time `now`; return counts by kind of record.

    It goes in batches, each read and dropped in one transaction, and may be cut and run again. What open work names by
    a word of its summary or by its key stays (I8), and so does everybody's last word of each field of a thing. A dry
    run only counts; what would be freed by rows that it leaves in place is not among it.
    """
    ages = [(one, now - policy.history) for one in master_retention.HISTORY]
    ages += [(one, now - policy.keys) for one in master_retention.SETTLED]
    return {one.name: _sweep(one, transaction, before=before, dry_run=dry_run) for one, before in ages}


def _sweep(records: Records, transaction: Transaction, *, before: datetime, dry_run: bool) -> int:
    """Drop one kind of record, page by page, and return how many."""
    dropped, after = 0, records.begin
    while True:
        with transaction() as session:
            number, place = _page(session, records, after, before=before, dry_run=dry_run)
        if place is None:
            return dropped
        dropped, after = dropped + number, place


def _page(
    session: Session, records: Records, after: int | str, *, before: datetime, dry_run: bool
) -> tuple[int, int | str | None]:
    """Drop what may go of the next page; return how many, and the place behind it, None where there is no more."""
    found = records.page(session, before=before, after=after, limit=BATCH)
    if not found:
        return 0, None
    named = retention.open_names(session)
    free = [old for old in found if old.key is not None and named.isdisjoint(old.names)]
    if free and not dry_run:
        records.drop(session, free)
    return len(free), found[-1].place
