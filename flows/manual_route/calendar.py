"""Routes handed out by the bill-cycle calendar: whoever is read on a day is walked to, some days before told."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from canonical.periods import local_date
from flows.manual_route.extraction import Extraction, extract
from flows.manual_route.policy import RoutePolicy
from flows.routing.deliver import Sending
from store import route_calendar
from store.session import Transaction


def routes_due(business_date: date, *, policy: RoutePolicy, transaction: Transaction) -> list[str]:
    """Return the routes on which somebody is read by hand on a local day, and that nobody handed out for it yet."""
    noon = datetime.combine(business_date, time(12), ZoneInfo(policy.zone)).astimezone(UTC)
    with transaction() as session:
        return route_calendar.routes_of_day(session, business_date.isoformat(), at=noon)


def hand_out(*, policy: RoutePolicy, sending: Sending, transaction: Transaction) -> tuple[Extraction, ...]:
    """Hand out every route that is read today or within `policy.ahead_days`; one that went stays as it went.

    Certify before: whoever is certified by then is not walked to.
    """
    today = local_date(sending.now, ZoneInfo(policy.zone))
    days = [today + timedelta(days=number) for number in range(policy.ahead_days + 1)] if policy.ahead_days else []
    return tuple(
        extract(route, day, policy=policy, sending=sending, transaction=transaction)
        for day in days
        for route in routes_due(day, policy=policy, transaction=transaction)
    )
