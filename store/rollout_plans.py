"""The list of a wave: written page by page while it is a draft, then frozen as the first lines of orders' histories."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, String, and_, case, cast, delete, exists, func, literal, or_, select, tuple_, update
from sqlmodel import Session

from canonical.codes.rollout_waves import NOT_TAKEN_BY_FIELD
from store import bulk
from store.deliveries import DELIVERY
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


def answered(session: Session, *, limit: int) -> list[Row]:
    """Return released orders of which the work system has said what it makes of them, with its delivery's state.

    They come message by message, each whole: one alone may have more orders than `limit`. So do orders that are held
    because it did not take them, once their message was replayed and confirmed.
    """
    delivery = DELIVERY.c
    released = and_(ORDER.c.state == "RELEASED", delivery.state.in_(("confirmed", "parked", "cancelled")))
    taken_later = and_(
        ORDER.c.state == "ON_HOLD", ORDER.c.code == str(NOT_TAKEN_BY_FIELD), delivery.state == "confirmed"
    )
    query = (
        select(ORDER, delivery.state.label("told"), delivery.code.label("told_code"), delivery.reason.label("told_why"))
        .join(DELIVERY, delivery.delivery_id == ORDER.c.delivery_id)
        .where(or_(released, taken_later))
    )
    found = rows_of(session, query.order_by(ORDER.c.delivery_id, ORDER.c.order_id).limit(limit))
    if len(found) < limit:
        return found
    last = found[-1]["delivery_id"]
    whole = [row for row in found if row["delivery_id"] != last]
    return whole or rows_of(session, query.where(delivery.delivery_id == last).order_by(ORDER.c.order_id))


def told_by_person(session: Session, *, limit: int) -> list[Row]:
    """Return released orders that no delivery carries: a person tells the crews of them."""
    query = select(ORDER).where(ORDER.c.state == "RELEASED", ORDER.c.delivery_id == "", ORDER.c.wave != "")
    return rows_of(session, query.order_by(ORDER.c.order_id).limit(limit))


def unconfirmed(session: Session, *, now: datetime, limit: int) -> list[Row]:
    """Return released orders of which the work system has said nothing in time."""
    query = select(ORDER).where(ORDER.c.state == "RELEASED", ORDER.c.due_at <= now, ORDER.c.delivery_id != "")
    return rows_of(session, query.order_by(ORDER.c.due_at, ORDER.c.order_id).limit(limit))


def needing_a_day(
    session: Session, wave: str, *, today: str, now: datetime, decided: Sequence[str], limit: int
) -> list[Row]:
    """Return orders of a wave that need another day: not done by a visit, missed, or held and due to be looked at.

    `decided` are codes of those that a person has, and nobody plans again.
    """
    column = ORDER.c
    unable = and_(column.state == "UNABLE", column.code.not_in(decided))
    missed = and_(column.state == "ELIGIBLE", column.planned_day < today)
    held = and_(column.state == "ON_HOLD", column.before.in_(("ELIGIBLE", "UNABLE")), column.due_at <= now)
    query = select(ORDER).where(column.wave == wave, or_(unable, missed, held))
    return rows_of(session, query.order_by(column.planned_day, column.place, column.order_id).limit(limit))
