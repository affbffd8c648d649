"""The list of a wave: written page by page while it is a draft, then frozen as the first lines of orders' histories."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, String, and_, case, cast, delete, exists, func, literal, select, tuple_, update
from sqlmodel import Session

from store import bulk
from store.rollout import ORDER, ORDER_HISTORY
from store.rollout_orders import BLANK
from store.rollout_states import OPEN
from store.rows import Row, rows_of


def clear(session: Session, wave: str) -> None:
    """Forget the orders of a wave that was never frozen: nobody was told of any."""
    session.execute(delete(ORDER).where(ORDER.c.wave == wave))


def add(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add planned and excluded orders to a draft; columns that are left out are blank. Their history begins frozen."""
    bulk.insert(session, ORDER, [{**BLANK, **row} for row in rows])


def exclude_taken(session: Session, wave: str, *, code: str, reason: str) -> None:
    """Exclude the planned orders of a wave at whose usage points another wave has frozen one in the meantime."""
    other = ORDER.alias("other")
    frozen = tuple(state for state in OPEN if state != "PLANNED")
    taken = exists().where(
        and_(other.c.usage_point == ORDER.c.usage_point, other.c.wave != wave, other.c.state.in_(frozen))
    )
    session.execute(
        update(ORDER)
        .where(ORDER.c.wave == wave, ORDER.c.state == "PLANNED", taken)
        .values(state="EXCLUDED", code=code, reason=reason, planned_day="", place=0)
    )


def freeze(session: Session, wave: str, *, now: datetime, by: str) -> None:
    """Make the planned orders of a wave eligible, and keep the whole list, in and out, as history."""
    session.execute(update(ORDER).where(ORDER.c.wave == wave, ORDER.c.state == "PLANNED").values(state="ELIGIBLE"))
    planned = (
        literal("day ")
        + ORDER.c.planned_day
        + ", place "
        + cast(ORDER.c.place, String)
        + ", meter "
        + ORDER.c.old_meter
    )
    reason = case((ORDER.c.state == "ELIGIBLE", planned), else_=ORDER.c.reason)
    at = literal(now, ORDER_HISTORY.c.valid_at.type)
    lines: Select[Any] = (
        select(ORDER.c.order_id, ORDER.c.state, ORDER.c.code, reason, at, at, literal(by), literal(""))
        .where(ORDER.c.wave == wave)
        .order_by(ORDER.c.order_id)
    )
    columns = ("order_id", "state", "code", "reason", "valid_at", "known_at", "by", "message_id")
    session.execute(ORDER_HISTORY.insert().from_select(columns, lines))


def frozen_list(session: Session, wave: str) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield the frozen list by order: usage point, order, verdict (ELIGIBLE or EXCLUDED), code and reason or place.

    It is read from the first line of each history, which nothing ever changes.
    """
    early = ORDER_HISTORY.alias("early")
    first = select(func.min(early.c.line)).where(early.c.order_id == ORDER.c.order_id).scalar_subquery()
    line = ORDER_HISTORY.c
    query = (
        select(ORDER.c.usage_point, line.order_id, line.state, line.code, line.reason)
        .select_from(ORDER)
        .join(ORDER_HISTORY, and_(line.order_id == ORDER.c.order_id, line.line == first))
        .where(ORDER.c.wave == wave)
        .order_by(line.order_id)
    )
    for row in session.execute(query.execution_options(yield_per=5_000)):
        yield tuple(row)


def of_day(
    session: Session,
    wave: str,
    *,
    states: Sequence[str],
    days: Sequence[str],
    limit: int,
    after: tuple[str, int, str] | None = None,
) -> list[Row]:
    """Return orders of a wave in some states, of some planned days (empty: all), by day and place, locked.

    `after`: day, place and id of the last one that was returned before.
    """
    place = (ORDER.c.planned_day, ORDER.c.place, ORDER.c.order_id)
    query = select(ORDER).where(ORDER.c.wave == wave, ORDER.c.state.in_(states))
    if days:
        query = query.where(ORDER.c.planned_day.in_(days))
    if after is not None:
        query = query.where(tuple_(*place) > tuple_(*after))
    return rows_of(session, query.order_by(*place).limit(limit).with_for_update())
