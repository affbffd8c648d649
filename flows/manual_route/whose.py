"""Whose a manual read is: the meter that was asked for, or that the reader names, and whether it still hung then."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from canonical.ids import meter_mrid
from canonical.metering import Installation
from canonical.names import normal_serial
from canonical.rollout import ManualRead
from store import reference_book, route_extracts
from store.rows import Row
from store.session import Session

Removal = tuple[str, datetime]
"""A meter, by mRID or normalized serial, and when it was taken away."""


@dataclass(frozen=True, slots=True)
class Whose:
    """The installation that a read is of."""

    installation: Installation
    removed_at: datetime | None
    """When its meter was taken away, before it was read; None: it hung."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of one read."""

    whose: Whose | str
    """A text: why nobody can say."""

    stop: Row | None
    """The stop of a route that it answers; None where no route asked for it."""


def whose(session: Session, reads: Sequence[ManualRead]) -> list[Found]:
    """Return whose some reads are, in their order, with few queries for all of them."""
    named = reference_book.usage_points_named(
        session, {one.usage_point_name for one in reads if not one.usage_point and one.usage_point_name}
    )
    by_serial = reference_book.installations_of_serials(
        session, {one.meter.serial for one in reads if not (one.usage_point or one.usage_point_name)}
    )
    points = [_point(one, named, by_serial) for one in reads]
    known = {point for point, _ in points if point}
    installed = reference_book.open_book(session, known).installations
    stops, removals = route_extracts.of_points(session, known), _removals(session, known)
    found = []
    for one, (point, why) in zip(reads, points, strict=True):
        if not point:
            found.append(Found(why, None))
            continue
        stop = _stop(one, stops.get(point, ()))
        found.append(Found(_whose(one, stop, installed.get(point, ()), removals.get(point, ())), stop))
    return found


def _removals(session: Session, points: Collection[str]) -> dict[str, list[Removal]]:
    """Return what was removed at some usage points by their orders, and by what crews say and nobody decided on."""
    found: dict[str, list[Removal]] = route_extracts.removals_told(session, points)
    for point, orders in route_extracts.orders_of(session, points).items():
        own = [(row["old_meter"], at) for row in orders if (at := row["removed_at"] or row["done_at"])]
        found.setdefault(point, []).extend(own)
    return found


def _point(
    one: ManualRead,
    named: Mapping[str, tuple[str, ...]],
    by_serial: Mapping[str, tuple[Installation, ...]],
) -> tuple[str, str]:
    """Return the usage point of a read, or an empty text and why nobody knows it."""
    if one.usage_point:
        return one.usage_point, ""
    if one.usage_point_name:
        label, found = one.usage_point_name, set(named.get(one.usage_point_name, ()))
    else:
        label = one.meter.serial or one.meter.meter
        hung = [
            each
            for each in by_serial.get(normal_serial(one.meter.serial), ())
            if _is_meter(one, each) and each.installed_at <= one.read_at
        ]
        # A meter that hung at several usage points was read where it hung last.
        found = {each.usage_point for each in hung[-1:]}
        if len({each.meter for each in hung}) > 1:
            return "", f"serial {label!r} names several meters"
    if len(found) != 1:
        return "", f"{label!r} stands for {len(found)} usage points" if found else f"no master names {label!r}"
    return found.pop(), ""


def _is_meter(one: ManualRead, each: Installation) -> bool:
    """Return whether an installation is of the meter that a read names; one that names none fits all."""
    seen = one.meter
    if seen.meter:
        return each.meter == seen.meter
    if seen.serial and seen.manufacturer:
        return each.meter == meter_mrid(seen.manufacturer, seen.serial)
    return not seen.serial or normal_serial(each.serial) == normal_serial(seen.serial)


def _stop(one: ManualRead, stops: Sequence[Row]) -> Row | None:
    """Return the stop that a read answers: of its route and day where it says them, else the last handed out before."""
    before = [row for row in stops if row["extracted_at"] <= one.read_at and row["route"] == one.route]
    if one.business_date is not None:
        before = [row for row in before if row["business_date"] == one.business_date.isoformat()] or before
    return before[0] if before else None


def _whose(
    one: ManualRead, stop: Row | None, installed: Sequence[Installation], removals: Iterable[Removal]
) -> Whose | str:
    """Return the installation that was read; a read that names no meter is of the one that the route asked for."""
    names_meter = bool(one.meter.meter or one.meter.serial)
    if not names_meter and stop is None:
        return "it names no meter, and no route asked for one"
    mine = [
        each
        for each in installed
        if each.installed_at <= one.read_at
        and (_is_meter(one, each) if names_meter or stop is None else each.meter == stop["meter"])
    ]
    if not mine:
        return f"meter {one.meter.serial or one.meter.meter!r} is not known at the usage point"
    if len({each.meter for each in mine}) > 1:
        return f"serial {one.meter.serial!r} names several meters of the usage point"
    last = mine[-1]
    removed_at = last.removed_at
    if removed_at is None:
        # The field said so already, though the hub does not believe it yet.
        names = {last.meter, normal_serial(last.serial)}
        told = [at for meter, at in removals if meter in names and at >= last.installed_at]
        removed_at = min(told, default=None)
    return Whose(last, removed_at if removed_at is not None and removed_at < one.read_at else None)
