"""Whether a usage point is being billed: from some working days before its read date until its bill is done (EX11)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from canonical.periods import local_date, start_of_day
from flows.billing_exchange.interface import State
from flows.meter_rollout.deadlines import cycles_of
from flows.meter_rollout.policy import Policy
from store import billing_items, reference, reference_bulk
from store.rows import Row
from store.session import Session

_DONE = (State.BILLED, State.CANCELLED, State.CORRECTION_NOTICE, State.REBILL_REQUESTED)
"""States of an item whose bill is done."""


def locked(session: Session, points: Collection[str], *, policy: Policy, now: datetime) -> dict[str, datetime]:
    """Return those of usage points at which something is held for a bill, with the instant from which a person decides.

    What was held for a bill is released where its usage point is not among them any more: its bill is made. That a
    bill which nobody asks for does not come releases nothing: a person decides (ruling 9).
    """
    agreements: dict[str, list[Row]] = {}
    for row in reference_bulk.held(session, reference.AGREEMENT, "usage_point", points):
        agreements.setdefault(row["usage_point"], []).append(row)
    items: dict[str, list[Row]] = {}
    for row in billing_items.of_usage_points(session, points):
        items.setdefault(row["usage_point"], []).append(row)
    return locks(session, agreements, items, policy=policy, now=now, is_held=True)


def locks(
    session: Session,
    agreements: Mapping[str, Sequence[Row]],
    items: Mapping[str, Sequence[Row]],
    *,
    policy: Policy,
    now: datetime,
    is_held: bool = False,
) -> dict[str, datetime]:
    """Return the same from agreements and billing items by usage point; one query for the cycles' calendars.

    Where the CIS has not asked yet, what it is sent now would change what it is about to ask; that it asks at all is
    believed as long as nobody has to decide, and of what `is_held` already even then.
    """
    zone = ZoneInfo(policy.zone)
    cycles = cycles_of([row for rows in agreements.values() for row in rows], now)
    days = _begun(session, set(cycles.values()), local_date(now, zone), policy)
    found = {}
    for point, cycle in cycles.items():
        day = days.get(cycle)
        if day is None:
            continue
        until = start_of_day(date.fromisoformat(day["business_date"]) + timedelta(policy.release_after_days), zone)
        own = [one for one in items.get(point, ()) if _is_about(one, day)]
        if any(one["state"] not in _DONE for one in own) or (not own and (is_held or now < until)):
            found[point] = until
    return found


def _begun(session: Session, cycles: Collection[str], today: date, policy: Policy) -> dict[str, Row]:
    """Return the date of each cycle whose billing has begun, and may not be over: the last one."""
    found: dict[str, Row] = {}
    for row in reference_bulk.held(session, reference.BILL_CYCLE_DAY, "cycle", cycles):
        day = date.fromisoformat(row["business_date"])
        known = found.get(row["cycle"])
        if working_days_before(day, policy.billing_lock_days) <= today and (
            known is None or known["business_date"] < row["business_date"]
        ):
            found[row["cycle"]] = row
    return found


def _is_about(item: Row, day: Row) -> bool:
    """Return whether a billing item is of the period of a cycle's date."""
    return bool(item["period_start"] < day["period_end"] and item["period_end"] > day["period_start"])


def working_days_before(day: date, number: int) -> date:
    """Return the date that lies a number of working days, Monday to Friday, before another."""
    while number > 0:
        day -= timedelta(days=1)
        number -= day.weekday() < 5
    return day
