"""Which manual routes are to be walked on a day: those on which a cycle is read then, and somebody by hand."""

from datetime import datetime

from sqlalchemy import or_, select
from sqlmodel import Session

from store.reference import AGREEMENT, BILL_CYCLE_DAY, USAGE_POINT
from store.rollout import ORDER, ROUTE_EXTRACT
from store.route_extracts import OVER


def routes_of_day(session: Session, business_date: str, *, at: datetime) -> list[str]:
    """Return the routes that are due on a local day (ISO 8601) and were not handed out for it, in their order.

    A route is due where a usage point lies on it whose agreement is of a cycle that is read that day, by what holds at
    `at` (UTC), and which is read by hand, or hangs on an exchange that is not certified yet.
    """
    point, agreed, day = USAGE_POINT.c, AGREEMENT.c, BILL_CYCLE_DAY.c
    exchanged = select(ORDER.c.usage_point).where(
        ORDER.c.done_at.is_not(None), ORDER.c.certified_at.is_(None), ORDER.c.state.not_in(OVER)
    )
    out = select(ROUTE_EXTRACT.c.route).where(ROUTE_EXTRACT.c.business_date == business_date)
    query = (
        select(point.route)
        .join(AGREEMENT, agreed.usage_point == point.usage_point)
        .join(BILL_CYCLE_DAY, day.cycle == agreed.cycle)
        .where(
            *(day.business_date == business_date, day.replaced_at.is_(None)),
            *(agreed.replaced_at.is_(None), agreed.valid_from <= at),
            or_(agreed.valid_to.is_(None), agreed.valid_to > at),
            *(point.replaced_at.is_(None), point.route != "", point.valid_from <= at),
            or_(point.valid_to.is_(None), point.valid_to > at),
            or_(point.read_source == "MANUAL", point.usage_point.in_(exchanged)),
            point.route.not_in(out),
        )
        .distinct()
        .order_by(point.route)
    )
    return list(session.execute(query).scalars())
