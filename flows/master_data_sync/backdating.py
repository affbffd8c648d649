"""Back-dated changes (domain 2.6): what was built on the old belief is found, and corrections are proposed, never made.

Unsent figures are calculated again. What left the hub is work with the items that it touches. Beyond the site's guard
rail a change of what was long believed, or billed, waits for a person's approval.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from canonical.codes.linkage import BACKDATED_OVER_BILLED
from canonical.customers import CustomerAgreement
from canonical.master_data import Link, Meter, MeterExchange
from canonical.metering import UsagePoint
from canonical.periods import Period
from flows.billing_exchange.interface import BEFORE_SENT, State
from flows.billing_exchange.late import mark
from flows.master_data_sync import installations
from flows.master_data_sync.masters import MASTERS, begins_at
from flows.master_data_sync.outcome import Outcome
from flows.master_data_sync.policy import Policy
from flows.master_data_sync.said import Said
from flows.routing import deliver
from store import billing_items, reference, reference_history
from store.rows import Row
from store.session import Session

LISTED = 20
"""Items that a proposal names; it counts the others."""

_BESIDE_BILLING = frozenset({"name", "district", "route", "location"})
"""Fields of a usage point on which no bill rests."""


def reaches_too_far(session: Session, said: Said, outcome: Outcome, *, policy: Policy, now: datetime) -> str:
    """Return why a change that was applied needs a person's approval first; empty where it needs none.

    It does where it takes effect before the guard rail, and what it changes was believed before it too, or was billed.
    """
    at = _effective(said)
    if policy.max_backdate is None or at >= now - policy.max_backdate:
        return ""
    limit, days = now - policy.max_backdate, policy.max_backdate.days
    since = _known_since(session, said, outcome)
    is_billed = any(_left(row) for row in _items(session, said, outcome, at, now))
    if not is_billed and (since is None or since >= limit):
        return ""
    return f"effective {at.isoformat()}, more than {days} days back, where something else is held"


def follow_up(session: Session, said: Said, outcome: Outcome, *, now: datetime) -> None:
    """Have what rests on the old belief looked at: unsent figures again, figures that left the hub by a person."""
    at = _effective(said)
    if at >= now or not _touches_billing(said):
        return
    rows = _items(session, said, outcome, at, now)
    gone = [row for row in rows if _left(row)]
    mark(
        session,
        [(point, Period(at, now)) for point in sorted({row["usage_point"] for row in rows})],
        now=now,
        besides={row["item_id"] for row in gone},
    )
    for point in sorted({row["usage_point"] for row in gone}):
        own = [row for row in gone if row["usage_point"] == point]
        _propose(session, said, point, at, own, now=now)


def look_again(
    session: Session, since: Mapping[str, datetime], *, sources: Mapping[str, str], now: datetime
) -> frozenset[str]:
    """Have what rests on the old belief about usage points looked at, as `follow_up` does, many at a time.

    `since` is the first instant whose belief changed, by usage point, `sources` who said so. Returns the usage points
    of which figures left the hub already, for a person to decide on.
    """
    past = {point: at for point, at in since.items() if at < now}
    if not past:
        return frozenset()
    span = Period(min(past.values()), now)
    rows = [
        row
        for row in billing_items.of_usage_points(session, past, span)
        if row["period_end"] > past[row["usage_point"]]
    ]
    gone = [row for row in rows if _left(row)]
    touched = [(point, Period(past[point], now)) for point in sorted({row["usage_point"] for row in rows})]
    mark(session, touched, now=now, besides={row["item_id"] for row in gone})
    points = sorted({row["usage_point"] for row in gone})
    for point in points:
        own = [row for row in gone if row["usage_point"] == point]
        change = f"{sources.get(point, 'the hub')} changed where meters hang with effect of {past[point].isoformat()}"
        _tell(session, change, point, past[point], own, now=now)
    return frozenset(points)


def proposed(key: str) -> tuple[str, datetime]:
    """Return usage point and first instant of the periods that a proposal speaks of, from its key."""
    point, _, since = key.rpartition(" ")
    return point, datetime.fromisoformat(since)


def _propose(session: Session, said: Said, point: str, at: datetime, rows: Collection[Row], *, now: datetime) -> None:
    """Make a person decide on the correction of periods that were billed, or sent to be."""
    change = f"{said.source} changed {type(said.thing).__name__} with effect of {at.isoformat()}"
    _tell(session, f"{change} (message {said.message_id})", point, at, rows, now=now)


def _tell(session: Session, change: str, point: str, at: datetime, rows: Collection[Row], *, now: datetime) -> None:
    """Make the work that a proposal is, with the items that it touches."""
    named = [
        f"{row['request_id']} {row['period_start']:%Y-%m-%d}..{row['period_end']:%Y-%m-%d} {row['state']}"
        for row in list(rows)[:LISTED]
    ]
    more = f" and {len(rows) - LISTED} more" if len(rows) > LISTED else ""
    summary = f"{change}: {len(rows)} periods of {point} rest on what was believed before: {', '.join(named)}{more}"
    deliver.tell(
        session,
        BACKDATED_OVER_BILLED,
        f"{point} {at.isoformat()}",
        summary,
        queue="billing",
        now=now,
        usage_point=point,
    )


def _items(session: Session, said: Said, outcome: Outcome, at: datetime, now: datetime) -> list[Row]:
    """Return the billing items whose periods reach behind an instant, of the usage points that a change is about."""
    points = _points(session, said, outcome) if at < now else ()
    if not points:
        return []
    found = billing_items.of_usage_points(session, points, Period(at, max(at, now)))
    return [row for row in found if row["period_end"] > at]


def _left(row: Row) -> bool:
    """Return whether figures of an item left the hub."""
    return row["state"] not in BEFORE_SENT and row["state"] != State.CANCELLED


def _points(session: Session, said: Said, outcome: Outcome) -> frozenset[str]:
    """Return the usage points whose bills may rest on what changed."""
    thing = outcome.thing or said.thing
    if isinstance(thing, Meter):
        return frozenset(row["usage_point"] for row in installations.of_meter(session, outcome.object_id))
    if isinstance(thing, CustomerAgreement):
        rows = reference.current(session, reference.AGREEMENT, "agreement", {outcome.object_id})
        return frozenset(row["usage_point"] for row in rows if row["usage_point"])
    if isinstance(thing, UsagePoint | Link | MeterExchange):
        return frozenset({thing.usage_point} - {""})
    return frozenset()


def _touches_billing(said: Said) -> bool:
    """Return whether bills may rest on what a statement is about."""
    if isinstance(said.thing, Link):
        return not said.thing.location
    if isinstance(said.thing, UsagePoint) and said.stated is not None:
        return not said.stated <= _BESIDE_BILLING
    return isinstance(said.thing, UsagePoint | Meter | MeterExchange | CustomerAgreement)


def _effective(said: Said) -> datetime:
    """Return the first instant whose belief a statement changes."""
    if isinstance(said.thing, MeterExchange):
        work = said.thing
        steps = ((work.removed, work.removed_at), (work.installed, work.installed_at))
        return min(at for meter, at in steps if meter is not None)
    return begins_at(said)


def _known_since(session: Session, said: Said, outcome: Outcome) -> datetime | None:
    """Return since when the hub holds the thing that a statement changes."""
    thing = outcome.thing or said.thing
    if isinstance(thing, Link | MeterExchange):
        if isinstance(thing, Link) and thing.agreement:
            return reference_history.known_since(session, reference.AGREEMENT, "agreement", thing.agreement)
        return reference_history.known_since(session, reference.INSTALLATION, "usage_point", thing.usage_point)
    master = MASTERS[type(thing)]
    return reference_history.known_since(session, master.table, master.key, outcome.object_id)
