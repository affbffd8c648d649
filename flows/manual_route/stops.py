"""The stops of a route: whoever is read by hand on a day, in the order of the walk, with what is plausible to see."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from canonical.metering import Installation, RegisterReading
from canonical.periods import Period
from canonical.rollout import RouteStop
from flows.manual_route.policy import RoutePolicy
from store import readings, reference_book, route_extracts
from store.reference_book import ReferenceBook
from store.rows import Row
from store.session import Session

LOOK_BACK = timedelta(days=400)
"""How old the read may be on which a plausible one rests: a year, and a month that was missed."""

DAY_S = 86_400


def stops_of(
    session: Session, route: str, *, at: datetime, policy: RoutePolicy, now: datetime
) -> tuple[RouteStop, ...]:
    """Return the stops of a route on the day of an instant `at` (noon, UTC), by what hangs at `now`."""
    versions = [row for row in route_extracts.usage_points_of(session, route) if _holds(row, at)]
    mine = {row["usage_point"]: row for row in versions if row["route"] == route}
    book = reference_book.open_book(session, mine)
    orders = route_extracts.orders_of(session, mine)
    premises = route_extracts.premises(session, mine)
    hung = {
        point: [one for one in book.installations.get(point, ()) if now in one.active] for point, row in mine.items()
    }
    wanted = [
        (point, one)
        for point, row in mine.items()
        for one in hung[point]
        if _is_read_by_hand(row, one.meter, orders.get(point, ()))
    ]
    wanted.sort(key=lambda pair: (*_walk(premises.get(pair[0])), pair[0], pair[1].meter))
    reads = readings.registers_held(session, {point for point, _ in wanted}, Period(now - LOOK_BACK, now))
    return tuple(
        _stop(number, mine[point], one, premises.get(point), _band(one, reads.get(point, ()), book, at, policy))
        for number, (point, one) in enumerate(wanted, 1)
    )


def _holds(row: Row, at: datetime) -> bool:
    return bool(row["valid_from"] <= at and (row["valid_to"] is None or at < row["valid_to"]))


def _is_read_by_hand(row: Row, meter: str, orders: Sequence[Row]) -> bool:
    """Return whether a meter is still read by hand: as its usage point is, or until its exchange is certified."""
    own = [one for one in orders if one["new_meter"] == meter]
    if own:
        return own[-1]["certified_at"] is None
    return bool(row["read_source"] == "MANUAL")


def _walk(premise: Row | None) -> tuple[str, str, int, str]:
    """Return where a premise comes in a walk: by town, street and number, as numbers go."""
    if premise is None:
        return ("", "", 0, "")
    digits = re.match(r"\d+", premise["number"])
    return (premise["town"], premise["street"], int(digits[0]) if digits else 0, premise["number"])


def _stop(
    number: int, row: Row, one: Installation, premise: Row | None, band: tuple[Decimal, Decimal] | None
) -> RouteStop:
    """Return one stop."""
    low, high = band or (None, None)
    return RouteStop(
        usage_point=row["usage_point"],
        usage_point_name=row["name"],
        meter=one.meter,
        manufacturer=one.manufacturer,
        serial=one.serial,
        route=row["route"],
        stop=number,
        registers=tuple(each for each in one.registers if not each.interval_minutes),
        location=premise["location"] if premise else "",
        address=_address(premise),
        access_method=premise["access_method"] if premise else "",
        expected_low=low,
        expected_high=high,
    )


def _address(premise: Mapping[str, str] | None) -> str:
    """Return an address as a reader needs it."""
    if premise is None:
        return ""
    first = " ".join(text for text in (premise["number"], premise["street"], premise["suite"]) if text)
    return ", ".join(text for text in (first, premise["postal_code"], premise["town"]) if text)


def _band(
    one: Installation, held: Iterable[RegisterReading], book: ReferenceBook, at: datetime, policy: RoutePolicy
) -> tuple[Decimal, Decimal] | None:
    """Return between which values the first register stands, as the meter shows it; None where nobody can say.

    It is at least what it was, and at most what the largest day of its class adds; where that may turn the register
    over, nothing is plausible or not.
    """
    register = next((each for each in one.registers if not each.interval_minutes and not each.is_demand), None)
    if register is None:
        return None
    own = [
        each
        for each in held
        if each.meter == one.meter
        and each.reading_type == register.reading_type
        and each.period is None
        and each.quality.is_usable
        and each.source in policy.raw_sources
    ]
    if not own:
        return None
    last = max(own, key=lambda each: each.taken_at)
    classes = [each.customer_class for each in book.agreements.get(one.usage_point, ()) if each.valid_from <= at]
    daily = policy.max_daily_kwh.get(classes[-1] if classes else "", policy.max_daily_kwh.get(""))
    if daily is None:
        return None
    days = Decimal(max(int((at - last.taken_at).total_seconds()), 0)) / DAY_S
    high = (last.value + daily / one.multiplier * days).quantize(Decimal(1))
    return (last.value, high) if not register.dials or high < 10**register.dials else None
