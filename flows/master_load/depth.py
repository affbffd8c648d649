"""How far back a first-time load goes: what was over before is counted and left out (ruling 15, domain 2.7)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from flows.master_load.policy import History, months_before
from flows.master_load.stated import Entry
from store import reference_bulk
from store.session import Session

_OF_USAGE_POINT = ("usage_point", "installation", "agreement", "topology")
"""Kinds of which `since last bill read` leaves out; the others are few versions, and what is kept needs them."""


def too_old(session: Session, entries: Sequence[Entry], *, history: History, months: int, days: int) -> set[int]:
    """Return the places of those items of one kind that ended before the depth of history.

    `current`: before the watermark. `since last bill read`: so many months and days before it, and before the end of
    the last period of the usage point that the hub knows as billed.
    """
    if history == "full" or entries[0].holding.kind == "bill_cycle_day":
        return set()
    if history == "current":
        return {at for at, one in enumerate(entries) if _ended_by(one, one.watermark)}
    if entries[0].holding.kind not in _OF_USAGE_POINT:
        return set()
    old = [at for at, one in enumerate(entries) if _ended_by(one, _reach(one.watermark, months, days))]
    billed = reference_bulk.billed_until(session, {_point(entries[at]) for at in old})
    return {at for at in old if (until := billed.get(_point(entries[at]))) is None or _ended_by(entries[at], until)}


def _reach(watermark: datetime, months: int, days: int) -> datetime:
    return min(months_before(watermark, months), watermark - timedelta(days=days))


def _ended_by(entry: Entry, instant: datetime) -> bool:
    return entry.holding.valid_to is not None and entry.holding.valid_to <= instant


def _point(entry: Entry) -> str:
    return entry.holding.facts.get("usage_point", entry.holding.object_id)
