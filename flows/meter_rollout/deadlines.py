"""By when work about a usage point must be done: its next billing date (domain 1.4)."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from canonical.periods import local_date, start_of_day
from store import reference, reference_bulk
from store.rows import Row
from store.session import Session


def due_dates(session: Session, usage_points: Collection[str], *, zone: str, now: datetime) -> dict[str, datetime]:
    """Return when the next bill of usage points is asked for, where the cycle is known: a local day's first instant.

    Three queries, however many usage points there are.
    """
    cycles = cycles_of(reference_bulk.held(session, reference.AGREEMENT, "usage_point", usage_points), now)
    days = reference_bulk.held(session, reference.BILL_CYCLE_DAY, "cycle", set(cycles.values()))
    coming = _next_days(days, local_date(now, ZoneInfo(zone)))
    return {
        point: start_of_day(coming[cycle], ZoneInfo(zone)) for point, cycle in cycles.items() if cycle in coming
    }  # fmt: skip


def cycles_of(agreements: Collection[Row], at: datetime) -> dict[str, str]:
    """Return the bill cycle of each usage point by the agreement that is in force at an instant, else by the last."""
    found: dict[str, tuple[tuple[bool, datetime], str]] = {}
    for row in agreements:
        is_open = row["valid_from"] <= at and (row["valid_to"] is None or at < row["valid_to"])
        rank = (is_open, row["valid_from"])
        known = found.get(row["usage_point"])
        if row["cycle"] and (known is None or known[0] < rank):
            found[row["usage_point"]] = (rank, row["cycle"])
    return {point: cycle for point, (_, cycle) in found.items()}


def _next_days(days: Collection[Row], today: date) -> Mapping[str, date]:
    coming: dict[str, date] = {}
    for row in days:
        day = date.fromisoformat(row["business_date"])
        if day >= today and (row["cycle"] not in coming or day < coming[row["cycle"]]):
            coming[row["cycle"]] = day
    return coming
