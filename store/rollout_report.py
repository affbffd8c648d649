"""What a rollout's report counts, read set-wise as it was known at an instant: orders, visits in vain, deviations.

States come from the history of orders and from the acts upon work, so that a past day is told as it was; the planned
day, the new meter and stock are those of now. No name, address or remark of anybody is read.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Select, Subquery, and_, case, cast, exists, func, select
from sqlmodel import Session

from store.columns import BigInteger
from store.rollout import ORDER, ORDER_HISTORY, RESULT, SHIPPED_METER
from store.rollout_states import INTERRUPTED, JUDGED, TOLD
from store.rows import Row, rows_of
from store.unbilled import UNBILLED, UNBILLED_RUN
from store.work import WORK_ACT, WORK_ITEM

AT_ONCE = 5_000
"""Rows that are fetched at once."""

NOT_DONE = ("ELIGIBLE", "RELEASED", "DISPATCHED", "UNABLE", "REVERSED", "CANCELLED", "EXCLUDED")
"""States by which an exchange that was reported as done is so no more."""

HEARD = ("HEARD", "VERIFIED", "CERTIFIED")
STOPPED = ("REJECTED", "ON_HOLD", "CORRECTING")
"""States to which an order goes from DONE_IN_FIELD when its completion is not believed at once."""

_OPENING = ("opened", "seen_again")
_ENDING = ("resolved", "released", "waived", "cancelled")
_KEY = len("8001:") + 1
_ID = 36
"""Length of a minted id."""


def orders(session: Session, *, until: datetime, wave: str = "") -> Iterator[Row]:
    """Yield each order as it stood at an instant: where, state, what was reached when, and who reported it.

    `is_done` says that the field's report of the exchange stands; `done_at` is when the work was done, the other
    instants are when the hub knew. `first_pass` and `first_stop` are lines of history at which a completion was
    believed, or was not, when it was first looked at. Without `wave` every order, those of no wave too.
    """
    past = _folded(until, wave)
    last, done = ORDER_HISTORY.alias("last"), ORDER_HISTORY.alias("done")
    unsaid = case((ORDER.c.state == "EXCLUDED", "EXCLUDED"), else_="PLANNED")
    columns = [ORDER.c[name] for name in ("wave", "district", "route", "planned_day", "new_meter")]
    facts = [past.c[name] for name in ("validated_at", "heard_at", "certified_at", "closed_at", "first_pass",
                                       "first_stop")]  # fmt: skip
    state = func.coalesce(last.c.state, unsaid).label("state")
    is_done = and_(past.c.done_line.is_not(None), past.c.done_line > func.coalesce(past.c.undone_line, 0))
    more = (state, done.c.valid_at.label("done_at"), is_done.label("is_done"), _told_by(until).label("source"))
    query = select(*columns, *facts, *more).select_from(
        ORDER.outerjoin(past, past.c.order_id == ORDER.c.order_id)
        .outerjoin(last, last.c.line == past.c.last_line)
        .outerjoin(done, done.c.line == past.c.done_line)
    )
    known = (ORDER.c.wave == wave) if wave else (ORDER.c.wave != "") | past.c.last_line.is_not(None)
    yield from _streamed(session, query.where(known))


def _folded(until: datetime, wave: str) -> Subquery:
    """Return the history of each order up to an instant as one row."""
    line = ORDER_HISTORY.c
    before = func.lag(line.state).over(partition_by=line.order_id, order_by=line.line).label("before")
    steps = select(line.order_id, line.line, line.state, line.known_at, before)
    if wave:
        steps = steps.join(ORDER, ORDER.c.order_id == line.order_id).where(ORDER.c.wave == wave)
    step = steps.where(line.known_at <= until).subquery("steps").c
    judged = step.before == "DONE_IN_FIELD"

    def among(*states: str) -> ColumnElement[bool]:
        return step.state.in_(states)

    return (
        select(
            step.order_id,
            func.max(step.line).label("last_line"),
            func.max(case((among("DONE_IN_FIELD"), step.line))).label("done_line"),
            func.max(case((among(*NOT_DONE), step.line))).label("undone_line"),
            func.max(case((among("VALIDATED"), step.known_at))).label("validated_at"),
            func.max(case((among(*HEARD), step.known_at))).label("heard_at"),
            func.max(case((among("CERTIFIED"), step.known_at))).label("certified_at"),
            func.max(case((among("CLOSED"), step.known_at))).label("closed_at"),
            func.min(case((judged & among("VALIDATED"), step.line))).label("first_pass"),
            func.min(case((judged & among(*STOPPED), step.line))).label("first_stop"),
        )
        .group_by(step.order_id)
        .subquery("past")
    )


def visits_in_vain(session: Session, *, until: datetime, wave: str = "") -> Iterator[Row]:
    """Yield each visit that could not be completed: when it was, why, who reported it, and the wave of its order."""
    query = (
        select(RESULT.c.effective_at, RESULT.c.reason, RESULT.c.source, func.coalesce(ORDER.c.wave, "").label("wave"))
        .select_from(RESULT.outerjoin(ORDER, ORDER.c.order_id == RESULT.c.order_id))
        .where(RESULT.c.outcome == "UNABLE", RESULT.c.state == "VALIDATED", RESULT.c.told_at <= until)
    )
    yield from _streamed(session, query.where(ORDER.c.wave == wave) if wave else query)


def deviations(session: Session, *, queue: str, until: datetime, wave: str = "") -> Iterator[Row]:
    """Yield the work that the rollout made up to an instant: code, since when, whether it was open then, and where.

    Work about something else than an order, such as a meter that hangs nowhere, has no district, and is of no wave.
    """
    acts, kind = WORK_ACT.c, WORK_ACT.c.act
    mine = (WORK_ITEM.c.queue == queue, WORK_ITEM.c.code.between("8001", "8100"), WORK_ITEM.c.first_seen_at <= until)
    turns = (
        select(
            acts.work_id,
            func.max(case((kind.in_(_OPENING), acts.row), else_=0)).label("begun"),
            func.max(case((kind.in_(_ENDING), acts.row), else_=0)).label("ended"),
        )
        .join(WORK_ITEM, WORK_ITEM.c.work_id == acts.work_id)
        .where(*mine, acts.at <= until)
        .group_by(acts.work_id)
        .subquery("turns")
    )
    # The key is the code's number and what the work is about; a step's work names its order first.
    about = func.substr(WORK_ITEM.c.key, _KEY, _ID)
    query = (
        select(
            WORK_ITEM.c.code,
            WORK_ITEM.c.first_seen_at.label("raised_at"),
            (turns.c.begun > turns.c.ended).label("is_open"),
            *(func.coalesce(ORDER.c[name], "").label(name) for name in ("wave", "district", "route")),
            func.coalesce(_told_by(until), "").label("source"),
        )
        .select_from(
            WORK_ITEM.join(turns, turns.c.work_id == WORK_ITEM.c.work_id).outerjoin(ORDER, ORDER.c.order_id == about)
        )
        .where(*mine)
    )
    yield from _streamed(session, query.where(ORDER.c.wave == wave) if wave else query)


def blocked_meters(session: Session) -> list[Row]:
    """Return how many shipped meters are blocked now, by shipment, lot and code."""
    columns = [SHIPPED_METER.c[name] for name in ("shipment", "manufacturer", "lot", "code")]
    query = select(*columns, func.count().label("meters")).where(SHIPPED_METER.c.state == "BLOCKED")
    return rows_of(session, query.group_by(*columns).order_by(*columns))


def unbilled_run(session: Session, *, day: str) -> Row | None:
    """Return the latest run of the unbilled-revenue register that was done for a day or an earlier one."""
    run = UNBILLED_RUN.c
    query = select(UNBILLED_RUN).where(run.state == "DONE", run.day <= day).order_by(run.day.desc()).limit(1)
    return next(iter(rows_of(session, query)), None)


def unbilled(session: Session, *, day: str, until: datetime, wave: str = "") -> list[Row]:
    """Return what the register holds of usage points whose exchange was done and not closed, by reason and unit."""
    own, order = UNBILLED.c, ORDER.c
    under_way = [
        order.usage_point == own.usage_point,
        order.done_at <= until,
        order.closed_at.is_(None) | (order.closed_at > until),
        order.state.in_((*JUDGED, *TOLD, *INTERRUPTED, "CLOSED")),
    ]
    if wave:
        under_way.append(order.wave == wave)
    query = select(
        own.reason,
        own.unit,
        func.count().label("entries"),
        cast(func.sum(own.quantity_micro), BigInteger).label("quantity_micro"),
        cast(func.coalesce(func.sum(own.money_minor), 0), BigInteger).label("money_minor"),
        (func.count() - func.count(own.money_minor)).label("unpriced"),
    ).where(own.day == day, exists().where(*under_way))
    return rows_of(session, query.group_by(own.reason, own.unit).order_by(own.reason, own.unit))


def _told_by(until: datetime) -> ScalarSelect[Any]:
    """Return who reported the exchange of an order last: a caller, or the role of a file."""
    told = RESULT.c
    query = select(told.source).where(told.order_id == ORDER.c.order_id, told.outcome == "DONE", told.told_at <= until)
    return query.order_by(told.told_at.desc(), told.result_id).limit(1).correlate(ORDER).scalar_subquery()


def _streamed(session: Session, query: Select[Any]) -> Iterator[Row]:
    """Yield rows of a query without holding them all."""
    result = session.execute(query.execution_options(yield_per=AT_ONCE))
    names = list(result.keys())
    for row in result:
        yield dict(zip(names, row, strict=True))
