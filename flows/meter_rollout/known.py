"""Everything by which a batch of completions is judged, read set-wise: one query for each kind of fact, never one each.

`Known` holds it for the batch; `facts_of` picks what one completion is judged by.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from canonical.names import normal_serial
from canonical.periods import Period
from canonical.rollout import Completion
from flows.meter_rollout import billing_lock, inflight
from flows.meter_rollout.completion_facts import business_key, completion_from
from flows.meter_rollout.facts import Facts, Place
from flows.meter_rollout.policy import Policy
from flows.meter_rollout.recording import Told, named, usage_points
from flows.meter_rollout.stays import Stays, open_stays
from store import billing_items, gateways, reference_bulk, reference_masters, rollout_orders, rollout_results, shipments
from store import rollout_readings as readings
from store.reference import AGREEMENT, INSTALLATION, USAGE_POINT
from store.rows import Row
from store.session import Session

REACH = timedelta(days=100)
"""How far back the last reading of a removed meter, and its last bill, are looked for."""

Rows = Mapping[str, Sequence[Row]]


@dataclass(slots=True)
class Known:
    """What is known of everything that a batch of completions speaks of."""

    policy: Policy
    now: datetime
    completions: Mapping[str, Completion]
    """By result id."""

    orders: Mapping[str, Row]
    points: Rows
    places: Mapping[str, Place]
    agreements: Rows
    meters: Mapping[str, frozenset[str]]
    """mRIDs of the meters that bear a serial, whoever made them; and of each mRID itself."""

    makers: Mapping[str, str]
    """Manufacturer by meter, in upper case."""

    shipped: Mapping[str, Row]
    stays: Stays
    last_read: dict[tuple[str, str], readings.Last]
    """Readings by (usage point, meter); those that the batch itself believes are added."""

    multipliers: Mapping[str, Mapping[str, str]]
    """What systems told of a meter's multiplier, by meter and system."""

    slaves: Rows
    """Meters that are read by way of others, by these."""

    items: Rows
    locks: Mapping[str, datetime]
    conflicts: Mapping[str, str]

    def meters_of(self, serial: str, manufacturer: str, mrid: str) -> frozenset[str]:
        """Return the meters that a telling may mean: by mRID, by manufacturer and serial, by serial alone."""
        if mrid and mrid in self.meters:
            return frozenset({mrid})
        found = self.meters.get(normal_serial(serial), frozenset()) if serial else frozenset()
        wanted = manufacturer.strip().upper()
        return frozenset(one for one in found if not wanted or self.makers.get(one, wanted) == wanted)


def open_known(session: Session, results: Sequence[Row], *, policy: Policy, now: datetime) -> Known:
    """Return what is known of everything that some completions speak of."""
    completions = {row["result_id"]: completion_from(row["content"]) for row in results}
    points = {row["usage_point"] for row in results}
    meters, makers = _meters(session, completions.values(), results)
    stays = open_stays(session, {one for found in meters.values() for one in found}, points)
    agreements = by_point(reference_bulk.held(session, AGREEMENT, "usage_point", points))
    since = min((row["effective_at"] for row in results), default=now)
    span = Period(min(since, now) - REACH, max(since, now) + timedelta(days=1))
    items = by_point(billing_items.of_usage_points(session, points, span))
    orders = {row["order_id"] for row in results} | {one.order for one in completions.values()}
    return Known(
        policy=policy,
        now=now,
        completions=completions,
        orders=rollout_orders.of_ids(session, orders - {""}),
        points=by_point(reference_bulk.held(session, USAGE_POINT, "usage_point", points)),
        places=places(session, points),
        agreements=agreements,
        meters=meters,
        makers=makers,
        shipped=shipments.of_meters(session, {one for found in meters.values() for one in found}),
        stays=stays,
        last_read=readings.last_read(session, points, Period(since - REACH, max(since, now))),
        slaves=gateways.slaves(session, {one for found in meters.values() for one in found}),
        multipliers=readings.told_multipliers(session, {one for found in meters.values() for one in found}),
        items=items,
        locks=billing_lock.locks(session, agreements, items, policy=policy, now=now),
        conflicts=inflight.conflicts(session, points, items),
    )


def find_points(session: Session, rows: Sequence[Row]) -> None:
    """Look once more for the usage points of completions that nobody had told of when they came."""
    points = {row["usage_point"] for row in rows}
    unknown = points - reference_bulk.known(session, USAGE_POINT, "usage_point", points)
    lost = [row for row in rows if row["usage_point"] in unknown]
    told = [Told(completion_from(row["content"]), row["source"], row["message_id"]) for row in lost]
    found = usage_points(session, told) if told else {}
    changed, orders = [], []
    for row, one in zip(lost, told, strict=True):
        point = found[named(one)]
        if point != row["usage_point"]:
            row |= {"usage_point": point, "business_key": business_key(one.completion, point)}
            changed.append({name: row[name] for name in ("result_id", "usage_point", "business_key")})
            orders.append({"order_id": row["order_id"], "usage_point": point})
    rollout_results.change(session, changed)
    rollout_orders.change(session, orders)


def facts_of(known: Known, row: Row) -> Facts:
    """Return what one completion is judged by, as it stands when its turn comes."""
    completion, point = known.completions[row["result_id"]], row["usage_point"]
    at = completion.installed_at or completion.effective_at
    removed_at = completion.removed_at or (completion.effective_at if completion.installed is None else at)
    versions = sorted(known.points.get(point, ()), key=lambda one: one["valid_from"])
    removed, installed = (
        known.meters_of(one.serial, one.manufacturer, one.meter) if one is not None else None
        for one in (completion.removed, completion.installed)
    )
    return Facts(
        row=row,
        completion=completion,
        point=next((one for one in reversed(versions) if one["valid_from"] <= at), versions[0] if versions else None),
        order=known.orders.get(row["order_id"]),
        named_order=known.orders.get(completion.order),
        place=known.places.get(point),
        agreements=tuple(sorted(known.agreements.get(point, ()), key=lambda one: one["valid_from"])),
        removed=removed,
        installed=installed,
        removed_at=removed_at,
        installed_at=at,
        stays=known.stays,
        shipped={one: known.shipped[one] for one in installed or () if one in known.shipped},
        last_read=known.last_read,
        multipliers=known.multipliers,
        slaves=known.slaves,
        lock=known.locks.get(point),
        conflict=known.conflicts.get(point, ""),
        policy=known.policy,
        now=known.now,
    )


def by_point(rows: Collection[Row]) -> dict[str, list[Row]]:
    """Return rows by their usage point."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["usage_point"], []).append(row)
    return found


def places(session: Session, points: Collection[str]) -> dict[str, Place]:
    """Return where usage points lie, as their premise's master and earlier visits say."""
    lies = reference_bulk.held(session, reference_masters.USAGE_POINT_LOCATION, "usage_point", points)
    locations = {
        row["location"]: row
        for row in reference_bulk.held(
            session, reference_masters.SERVICE_LOCATION, "location", {row["location"] for row in lies}
        )
    }
    seen = readings.places_seen(session, points)
    address = {row["usage_point"]: locations[row["location"]] for row in lies if row["location"] in locations}
    return {
        point: Place(
            address[point]["street"] if point in address else "",
            address[point]["number"] if point in address else "",
            seen.get(point),
        )
        for point in address.keys() | seen.keys()
    }


def _meters(
    session: Session, completions: Collection[Completion], results: Sequence[Row]
) -> tuple[dict[str, frozenset[str]], dict[str, str]]:
    """Return the meters that bear the serials, or ids, of completions, and who made each."""
    words = {row[name] for row in results for name in ("removed_serial", "installed_serial")} - {""}
    ids = {one.meter for c in completions for one in (c.removed, c.installed) if one is not None and one.meter}
    found: dict[str, set[str]] = {}
    makers: dict[str, str] = {}
    for table in (reference_masters.METER, INSTALLATION):
        rows = reference_bulk.held(session, table, "serial_normal", words)
        for row in rows + (reference_bulk.held(session, table, "meter", ids) if ids else []):
            found.setdefault(row["serial_normal"], set()).add(row["meter"])
            found.setdefault(row["meter"], set()).add(row["meter"])
            makers[row["meter"]] = row["manufacturer"].strip().upper()
    return {word: frozenset(meters) for word, meters in found.items()}, makers
