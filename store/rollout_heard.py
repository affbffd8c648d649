"""What meters told of themselves, for many exchanges at once: heard when, read on which days, heard hanging nowhere."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import and_, func, select
from sqlmodel import Session

from canonical.event_kinds import EventKind
from store.end_device_events import END_DEVICE_EVENT
from store.readings import INTERVAL_BLOCK, REGISTER_READING
from store.reference import INSTALLATION
from store.rollout import ORDER, RESULT
from store.rows import Row, rows_of

CHUNK = 900
"""Ids that one query names."""

HEARING = (EventKind.REGISTERED.value, EventKind.INSTALLED.value)
"""Kinds of events by which a head-end says that it hears a meter."""


def registered(session: Session, meters: Collection[str], *, since: datetime) -> list[Row]:
    """Return when each source first heard some meters, from an instant on: meter, source, at."""
    table = END_DEVICE_EVENT.c
    found: list[Row] = []
    for part in _chunks(meters):
        query = select(table.meter, table.source, func.min(table.occurred_at).label("at"))
        wanted = (table.meter.in_(part), table.kind.in_(HEARING), table.occurred_at >= since)
        found += rows_of(session, query.where(*wanted).group_by(table.meter, table.source).order_by(table.meter))
    return found


def read(session: Session, usage_points: Collection[str], *, since: datetime, until: datetime) -> list[Row]:
    """Return what was read at usage points behind an instant: usage point, meter, reading type, begin and end of each.

    Of a register begin and end are the instant of its value; no value is looked at.
    """
    register, block = REGISTER_READING.c, INTERVAL_BLOCK.c
    found: list[Row] = []
    for part in _chunks(usage_points):
        at = register.taken_at
        values = select(
            register.usage_point, register.meter, register.reading_type, at.label("begin"), at.label("end")
        ).where(register.usage_point.in_(part), at > since, at <= until)
        spans = select(
            block.usage_point, block.meter, block.reading_type, block.starts_at.label("begin"),
            block.ends_at.label("end"),
        ).where(block.usage_point.in_(part), block.ends_at > since, block.starts_at < until)  # fmt: skip
        found += rows_of(session, values) + rows_of(session, spans)
    return found


def uninstalled(session: Session, *, since: datetime, limit: int) -> list[Row]:
    """Return meters that were heard since an instant and hang nowhere, though nobody reports them: meter, source, at.

    A meter of an order that is under way, or of a completion that is not decided, is expected.
    """
    table = END_DEVICE_EVENT.c
    hangs = select(INSTALLATION.c.row).where(
        INSTALLATION.c.meter == table.meter, INSTALLATION.c.replaced_at.is_(None), INSTALLATION.c.removed_at.is_(None)
    )
    ordered = select(ORDER.c.order_id).where(ORDER.c.new_meter == table.meter)
    told = select(RESULT.c.result_id).where(
        RESULT.c.installed_meter == table.meter, RESULT.c.state.in_(("NEW", "WAITING", "HELD"))
    )
    query = select(table.meter, func.min(table.source).label("source"), func.min(table.occurred_at).label("at")).where(
        table.received_at >= since, table.kind.in_(HEARING), table.meter != "",
        ~hangs.exists(), ~ordered.exists(), ~told.exists(),
    )  # fmt: skip
    return rows_of(session, query.group_by(table.meter).order_by(table.meter).limit(limit))


def read_after_removal(session: Session, order_ids: Collection[str]) -> list[Row]:
    """Return orders whose removed meter was read after it was gone: order, usage point, meter, first and number."""
    register = REGISTER_READING.c
    joined = ORDER.join(
        REGISTER_READING,
        and_(
            register.usage_point == ORDER.c.usage_point,
            register.taken_at > ORDER.c.removed_at,
            register.meter == ORDER.c.old_meter,
        ),
    )
    found: list[Row] = []
    for part in _chunks(order_ids):
        query = select(
            ORDER.c.order_id, ORDER.c.usage_point, ORDER.c.old_meter, func.min(register.taken_at).label("at"),
            func.count().label("number"),
        ).select_from(joined)  # fmt: skip
        query = query.where(ORDER.c.order_id.in_(part), ORDER.c.old_meter != "", ORDER.c.removed_at.is_not(None))
        grouped = query.group_by(ORDER.c.order_id, ORDER.c.usage_point, ORDER.c.old_meter)
        found += rows_of(session, grouped.order_by(ORDER.c.order_id))
    return found


def hanging(session: Session, meters: Collection[str]) -> set[str]:
    """Return which of some meters hang somewhere now, or are expected to by an order."""
    found: set[str] = set()
    for part in _chunks(meters):
        now = (INSTALLATION.c.replaced_at.is_(None), INSTALLATION.c.removed_at.is_(None))
        found.update(
            session.execute(select(INSTALLATION.c.meter).where(INSTALLATION.c.meter.in_(part), *now)).scalars()
        )
        found.update(session.execute(select(ORDER.c.new_meter).where(ORDER.c.new_meter.in_(part))).scalars())
    return found


def exchanged(session: Session, usage_points: Collection[str]) -> list[Row]:
    """Return orders of usage points at which work was done: usage point, removed, installed and heard when."""
    columns = (ORDER.c.usage_point, ORDER.c.removed_at, ORDER.c.installed_at, ORDER.c.heard_at)
    found: list[Row] = []
    for part in _chunks(usage_points):
        done = (ORDER.c.usage_point.in_(part), func.coalesce(ORDER.c.removed_at, ORDER.c.installed_at).is_not(None))
        found += rows_of(session, select(*columns).where(*done).order_by(ORDER.c.usage_point, ORDER.c.order_id))
    return found


def _chunks(names: Collection[str]) -> Sequence[Sequence[str]]:
    listed = sorted(names)
    return [listed[at : at + CHUNK] for at in range(0, len(listed), CHUNK)]
