"""What hangs together in the masters, looked at as a whole: meters without agreement, agreements without meter."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlmodel import Session

from store.reference import AGREEMENT, INSTALLATION, USAGE_POINT
from store.rows import Row, rows_of


def meters_without_agreement(session: Session, *, at: datetime, after: str = "", limit: int = 1000) -> list[Row]:
    """Return usage points where a meter hangs at an instant and no agreement is in force (NO_SA), by mRID.

    One row for each: usage point, one of its meters, since when it hangs.
    """
    served = exists().where(AGREEMENT.c.usage_point == INSTALLATION.c.usage_point, _in_force(AGREEMENT, at))
    query = (
        select(
            INSTALLATION.c.usage_point,
            func.min(INSTALLATION.c.meter).label("meter"),
            func.min(INSTALLATION.c.installed_at).label("since"),
        )
        .where(_hangs(at), INSTALLATION.c.usage_point > after, ~served)
        .group_by(INSTALLATION.c.usage_point)
    )
    return rows_of(session, query.order_by(INSTALLATION.c.usage_point).limit(limit))


def agreements_without_meter(session: Session, *, at: datetime, after: str = "", limit: int = 1000) -> list[Row]:
    """Return agreements in force at an instant whose usage point has no meter then (NO_METER), by id.

    Usage points that are read from nothing (`read_source` NONE) need none. One row for each: agreement, usage point,
    account, since when it holds.
    """
    hung = exists().where(INSTALLATION.c.usage_point == AGREEMENT.c.usage_point, _hangs(at))
    unread = exists().where(
        USAGE_POINT.c.usage_point == AGREEMENT.c.usage_point, _in_force(USAGE_POINT, at),
        USAGE_POINT.c.read_source == "NONE",
    )  # fmt: skip
    query = (
        select(
            AGREEMENT.c.agreement,
            func.min(AGREEMENT.c.usage_point).label("usage_point"),
            func.min(AGREEMENT.c.account).label("account"),
            func.min(AGREEMENT.c.valid_from).label("since"),
        )
        .where(_in_force(AGREEMENT, at), AGREEMENT.c.agreement > after, AGREEMENT.c.usage_point != "", ~hung, ~unread)
        .group_by(AGREEMENT.c.agreement)
    )
    return rows_of(session, query.order_by(AGREEMENT.c.agreement).limit(limit))


def linked_twice(session: Session, *, at: datetime, limit: int = 1000) -> list[Row]:
    """Return meters that hang at more than one usage point, and usage points with several meters of one commodity.

    One row for each: `meter` (empty for a usage point), `usage_point` (empty for a meter), how many `links`.
    """
    links = func.count(INSTALLATION.c.usage_point.distinct())
    twice = select(INSTALLATION.c.meter, links.label("links")).where(_hangs(at)).group_by(INSTALLATION.c.meter)
    meters = rows_of(session, twice.having(links > 1).order_by(INSTALLATION.c.meter).limit(limit))
    hung = func.count(INSTALLATION.c.meter.distinct())
    crowded = select(INSTALLATION.c.usage_point, hung.label("links")).where(_hangs(at))
    crowded = crowded.group_by(INSTALLATION.c.usage_point, INSTALLATION.c.commodity).having(hung > 1)
    points = rows_of(session, crowded.order_by(INSTALLATION.c.usage_point).limit(limit))
    return [{**row, "usage_point": ""} for row in meters] + [{**row, "meter": ""} for row in points]


def _hangs(at: datetime) -> ColumnElement[bool]:
    """What holds of an installation that stands at an instant."""
    table = INSTALLATION.c
    return and_(
        table.replaced_at.is_(None), table.installed_at <= at, or_(table.removed_at.is_(None), table.removed_at > at)
    )


def _in_force(table: Any, at: datetime) -> ColumnElement[bool]:
    """What holds of a version of an agreement or usage point that is valid at an instant."""
    return and_(
        table.c.replaced_at.is_(None), table.c.valid_from <= at, or_(table.c.valid_to.is_(None), table.c.valid_to > at)
    )
