"""Whom the unbilled-revenue register looks at, by set queries over masters and billing items."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlmodel import Session

from store.billing import BILLING_ITEM
from store.reference import AGREEMENT, INSTALLATION
from store.rows import Row, rows_of


def agreements(
    session: Session, *, at: datetime, ended_since: datetime, after: tuple[str, int] = ("", 0), limit: int
) -> list[Row]:
    """Return agreements that are active at an instant or ended since another, in order of id, behind `after`.

    `after` is (agreement, row) of the last one seen.
    """
    table = AGREEMENT.c
    behind = or_(table.agreement > after[0], and_(table.agreement == after[0], table.row > after[1]))
    query = select(AGREEMENT).where(
        table.replaced_at.is_(None), table.valid_from <= at, _reaches(table.valid_to, ended_since), behind
    )
    return rows_of(session, query.order_by(table.agreement, table.row).limit(limit))


def metered_without_agreement(session: Session, *, at: datetime, after: str = "", limit: int) -> list[str]:
    """Return usage points at which a meter hangs and nobody has an agreement (NO_SA), in order, behind `after`."""
    hung, known = INSTALLATION.c, AGREEMENT.c
    held = select(known.row).where(
        known.usage_point == hung.usage_point, known.replaced_at.is_(None), known.valid_from <= at,
        _reaches(known.valid_to, at),
    )  # fmt: skip
    query = select(hung.usage_point).where(
        hung.replaced_at.is_(None), hung.installed_at <= at, _reaches(hung.removed_at, at), hung.usage_point > after,
        ~held.exists(),
    )  # fmt: skip
    return list(session.execute(query.distinct().order_by(hung.usage_point).limit(limit)).scalars())


def agreements_without_meter(session: Session, *, at: datetime, after: str = "", limit: int) -> list[Row]:
    """Return active agreements at whose usage point no meter hangs (NO_METER), in order of id, behind `after`."""
    table, hung = AGREEMENT.c, INSTALLATION.c
    metered = select(hung.row).where(
        hung.usage_point == table.usage_point, hung.replaced_at.is_(None), hung.installed_at <= at,
        _reaches(hung.removed_at, at),
    )  # fmt: skip
    query = select(AGREEMENT).where(
        table.replaced_at.is_(None), table.valid_from <= at, _reaches(table.valid_to, at), table.agreement > after,
        ~metered.exists(),
    )  # fmt: skip
    return rows_of(session, query.order_by(table.agreement, table.row).limit(limit))


def first_known(session: Session, agreements: Collection[str]) -> dict[str, datetime]:
    """Return when the hub first learned of each of some agreements."""
    table = AGREEMENT.c
    query = select(table.agreement, func.min(table.known_at)).where(table.agreement.in_(sorted(agreements)))
    return _instants(session, query.group_by(table.agreement)) if agreements else {}


def first_hung(session: Session, usage_points: Collection[str]) -> dict[str, datetime]:
    """Return when the hub first learned of a meter at each of some usage points."""
    table = INSTALLATION.c
    query = select(table.usage_point, func.min(table.known_at)).where(table.usage_point.in_(sorted(usage_points)))
    return _instants(session, query.group_by(table.usage_point)) if usage_points else {}


def _instants(session: Session, query: Any) -> dict[str, datetime]:
    return {str(name): at for name, at in session.execute(query)}


def open_items(session: Session, usage_points: Collection[str], *, since: datetime) -> list[Row]:
    """Return what the CIS asked for of usage points since an instant and did not withdraw, oldest period first.

    Items that were billed are left out unless a correction notice about them is out, or they are asked for again.
    """
    if not usage_points:
        return []
    table = BILLING_ITEM.c
    names = ("item_id", "request_id", "usage_point", "commodity", "agreement", "period_start", "period_end",
             "state", "status", "code", "reason", "deadline", "determinant_id")  # fmt: skip
    query = select(*(table[name] for name in names)).where(
        table.usage_point.in_(sorted(usage_points)),
        table.period_end > since,
        table.state.not_in(("BILLED", "CANCELLED")),
    )
    return rows_of(session, query.order_by(table.period_start, table.line))


def _reaches(end: Any, instant: datetime) -> ColumnElement[bool]:
    """Return whether a span with that end reaches beyond an instant."""
    return or_(end.is_(None), end > instant)
