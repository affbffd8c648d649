"""Handing out a route: which meters a reader reads on one local day, by what is known when it is extracted."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from canonical.ids import mint
from canonical.messages import Header, Message
from canonical.rollout import RouteExtract
from flows.manual_route.policy import RoutePolicy
from flows.manual_route.stops import stops_of
from flows.routing import deliver
from flows.routing.deliver import Sending
from store import reference, route_extracts
from store.session import Session, Transaction


@dataclass(frozen=True, slots=True)
class Extraction:
    """What became of one order to hand out a route."""

    route: str
    business_date: date
    sequence: int
    """0: nobody is to be read, and nothing went out."""

    stops: int
    delivery_id: str = ""
    """Empty where it was handed out before, or is a person's work."""

    is_new: bool = False


def extract(
    route: str,
    business_date: date,
    *,
    policy: RoutePolicy,
    sending: Sending,
    transaction: Transaction,
    again: bool = False,
) -> Extraction:
    """Hand a route out for one local day and return what went; `sending.now` is when it is extracted.

    A route that was handed out for the day stays as it was, unless a person wants it `again`: then it goes with a new
    number, and stops that are no more to be read are stale.

    Raises:
        RejectedError: nothing; what the reader's adapter cannot say is a person's work.
    """
    with transaction() as session:
        reference.lock(session)
        before = route_extracts.of_day(session, route, business_date.isoformat())
        if before and not again:
            return Extraction(route, business_date, before[0]["sequence"], len(before))
        noon = datetime.combine(business_date, time(12), ZoneInfo(policy.zone)).astimezone(UTC)
        stops = stops_of(session, route, at=noon, policy=policy, now=sending.now)
        if not stops:
            return Extraction(route, business_date, 0, 0)
        if before:
            route_extracts.stale(session, {row["usage_point"] for row in before if row["state"] == "OUT"})
        sequence = route_extracts.last_sequence(session) + 1
        made = RouteExtract(route, business_date, sending.now, sequence, stops)
        delivery = _hand_out(session, made, policy=policy, sending=sending)
    return Extraction(route, business_date, sequence, len(stops), delivery, is_new=True)


def _hand_out(session: Session, made: RouteExtract, *, policy: RoutePolicy, sending: Sending) -> str:
    """Keep the stops of an extract and enqueue it, in one transaction."""
    own = {
        "route": made.route,
        "business_date": made.business_date.isoformat(),
        "sequence": made.sequence,
        "extracted_at": made.extracted_at,
        "state": "OUT",
    }
    rows = [{**own, "usage_point": one.usage_point, "meter": one.meter} for one in made.stops]
    route_extracts.keep(session, rows)
    name = mint("route-extract", made.route, made.business_date.isoformat(), made.sequence)
    header = Header(name, "hub", "create", "RouteExtract", name, created_at=made.extracted_at)
    return deliver.send(session, Message(header, made), policy.role, sending=sending, lane=f"route/{made.route}")
