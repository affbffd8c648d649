"""Meters in stock by model, and how many of each kind of customer and commodity orders ask for."""

from collections.abc import Collection

from sqlalchemy import and_, func, select
from sqlmodel import Session

from store.reference import USAGE_POINT
from store.rollout import ORDER, SHIPPED_METER


def in_stock(session: Session) -> dict[tuple[str, str], int]:
    """Return how many meters lie in stock by model and configuration."""
    columns = (SHIPPED_METER.c.model, SHIPPED_METER.c.configuration)
    query = select(*columns, func.count()).where(SHIPPED_METER.c.state == "STOCK").group_by(*columns)
    return {(model, configuration): number for model, configuration, number in session.execute(query)}


def asked_for(
    session: Session, wave: str, *, states: Collection[str], days: Collection[str] = ()
) -> dict[tuple[str, str], int]:
    """Return how many orders of a wave are in some states, of some days (empty: all), by class and commodity."""
    columns = (ORDER.c.customer_class, USAGE_POINT.c.commodity)
    same = and_(USAGE_POINT.c.usage_point == ORDER.c.usage_point, USAGE_POINT.c.replaced_at.is_(None))
    query = select(*columns, func.count(ORDER.c.order_id.distinct())).select_from(ORDER).join(USAGE_POINT, same)
    query = query.where(ORDER.c.wave == wave, ORDER.c.state.in_(sorted(states)))
    if days:
        query = query.where(ORDER.c.planned_day.in_(sorted(days)))
    return {(klass, commodity): number for klass, commodity, number in session.execute(query.group_by(*columns))}
