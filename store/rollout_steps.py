"""Steps of the sequence of many orders at a time: read, planned, moved; one statement for a batch, never one a row."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import String, and_, column, func, or_, select, update, values
from sqlmodel import Session

from canonical.metering import RegisterReading
from store import bulk
from store.columns import Instant
from store.dispatch import DELIVERY
from store.master_statements import MASTER_STATEMENT
from store.reading_rows import reading_of
from store.readings import REGISTER_READING
from store.rollout import ORDER, STEP
from store.rows import Row, rows_of
from store.work import WORK_ITEM

ENDED = ("SEEN", "COMPENSATED", "NOT_NEEDED")
"""States of a step that nothing comes of any more; nor does of one that is CONFIRMED, unless it is due to be seen."""

OBSERVED = ("HEARD", "VERIFIED")
"""Steps at which the hub itself looks: while they are awaited, no due time of theirs makes an order due."""

STUCK = ("REFUSED", "UNCONFIRMED", "MANUAL")
"""States that a late confirmation, or a person, ends."""

MOVED_BY_DELIVERY = ("SENT", "REFUSED", "UNCONFIRMED")
MOVED_BY_WORK = ("HELD", *STUCK)
"""States of a step that look at what became of its delivery, and of its work (flows.meter_rollout.progress)."""

CHUNK = 900
"""Ids that one query names."""

_WANTED = values(column("point", String), column("at", Instant))
KEY = ("order_id", "step", "attempt")
_SETTLED = ("confirmed", "parked", "cancelled")
_DECIDED = ("RESOLVED", "WAIVED")


def _joined(*, ended: bool = True) -> Any:
    """Return steps with their deliveries and their work, where they have any; of open ones alone without `ended`."""
    told = and_(STEP.c.delivery_id != "", STEP.c.delivery_id == DELIVERY.c.delivery_id)
    given = and_(STEP.c.work_id != "", STEP.c.work_id == WORK_ITEM.c.work_id)
    if not ended:
        told, given = and_(STEP.c.state.in_(MOVED_BY_DELIVERY), told), and_(STEP.c.state.in_(MOVED_BY_WORK), given)
    return STEP.outerjoin(DELIVERY, told).outerjoin(WORK_ITEM, given)


def plan(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep planned steps; one that is planned already is left as it is."""
    known = {
        (row["order_id"], row["step"], row["attempt"]) for row in _named(session, {row["order_id"] for row in rows})
    }
    bulk.insert(session, STEP, [row for row in rows if tuple(row[name] for name in KEY) not in known])


def of_orders(session: Session, order_ids: Collection[str], *, ended: bool = True) -> dict[str, list[Row]]:
    """Return the steps of some orders, all attempts, by order; with how their deliveries and their work stand.

    Without `ended`, how these stand is looked for only of steps that may move by it: of each the others have one more
    delivery, and each lies on a page of its own.
    """
    found: dict[str, list[Row]] = {name: [] for name in order_ids}
    columns = (
        *(*STEP.c, DELIVERY.c.state.label("delivery_state"), DELIVERY.c.code.label("delivery_code")),
        *(DELIVERY.c.reason.label("delivery_reason"), DELIVERY.c.lane.label("delivery_lane")),
        *(DELIVERY.c.unconfirmed_at, DELIVERY.c.confirmed_at),
        WORK_ITEM.c.state.label("work_state"),
    )
    for part in _chunks(order_ids):
        query = select(*columns).select_from(_joined(ended=ended)).where(STEP.c.order_id.in_(part))
        for row in rows_of(session, query.order_by(STEP.c.order_id, STEP.c.attempt, STEP.c.step)):
            found[row["order_id"]].append(row)
    return found


def move(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the columns given of steps that exist; every row names its key (`KEY`) and what changes of it.

    A column that is named is written in every index that has it, also where it stays as it was.
    """
    alike: dict[tuple[str, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        alike[tuple(row)].append(row)
    for some in alike.values():
        bulk.change(session, STEP, some, key=KEY)


def due(session: Session, *, now: datetime, limit: int) -> list[str]:
    """Return ids of orders of which a step is due or its delivery has come to an end, in order of id."""
    state = STEP.c.state
    ways = (
        and_(STEP.c.due_at <= now, state.not_in(ENDED), ~and_(state == "AWAITED", STEP.c.step.in_(OBSERVED))),
        and_(state == "SENT", or_(DELIVERY.c.state.in_(_SETTLED), DELIVERY.c.unconfirmed_at.is_not(None))),
        and_(state.in_(STUCK), or_(DELIVERY.c.confirmed_at > STEP.c.ended_at, WORK_ITEM.c.state.in_(_DECIDED))),
    )
    found: set[str] = set()
    # Each way has its own index: one condition for all three would read every step that ever was.
    for number, way in enumerate(ways):
        query = select(STEP.c.order_id).select_from(_joined() if number else STEP).where(way)
        query = query.distinct().order_by(STEP.c.order_id).limit(limit)
        found.update(row["order_id"] for row in rows_of(session, query))
    return sorted(found)[:limit]


def wake(session: Session, order_ids: Collection[str], *, now: datetime) -> None:
    """Let orders be looked at now: the steps that nobody has begun yet are due."""
    for part in _chunks(order_ids):
        which = (STEP.c.order_id.in_(part), STEP.c.state == "PENDING")
        session.execute(update(STEP).where(*which).values(due_at=now))


def awaited(session: Session, step: str, *, limit: int, behind: str = "", due_by: datetime | None = None) -> list[Row]:
    """Return open steps of a name at which the hub itself looks, with the facts of their orders, in order of id.

    `due_by`: only those whose time has come by then.
    """
    query = (
        select(*(STEP.c[name] for name in ("order_id", "attempt", "due_at", "began_at", "code")), *_ORDER_FACTS)
        .select_from(STEP.join(ORDER, STEP.c.order_id == ORDER.c.order_id))
        .where(STEP.c.step == step, STEP.c.state == "AWAITED", STEP.c.order_id > behind)
    )
    if due_by is not None:
        query = query.where(STEP.c.due_at <= due_by)
    return rows_of(session, query.order_by(STEP.c.order_id).limit(limit))


def awaited_of(session: Session, step: str, order_ids: Collection[str]) -> list[Row]:
    """Return those of some orders whose step of a name is still awaited, locked until the transaction ends."""
    found: list[Row] = []
    for part in _chunks(order_ids):
        query = select(STEP.c.order_id, STEP.c.attempt).where(STEP.c.order_id.in_(part), STEP.c.step == step)
        found += rows_of(session, query.where(STEP.c.state == "AWAITED").order_by(STEP.c.order_id).with_for_update())
    return found


def said_of(session: Session, usage_points: Collection[str]) -> dict[str, list[Row]]:
    """Return what systems told the hub of some usage points, message by message, in order."""
    table = MASTER_STATEMENT.c
    found: dict[str, list[Row]] = {}
    for part in _chunks(usage_points):
        query = select(MASTER_STATEMENT).where(table.usage_point.in_(part), table.how != "we_told")
        for row in rows_of(session, query.order_by(table.number)):
            found.setdefault(row["usage_point"], []).append(row)
    return found


def readings_at(
    session: Session, wanted: Collection[tuple[str, datetime]]
) -> dict[tuple[str, str, datetime], list[RegisterReading]]:
    """Return what stood on registers of usage points at exactly some instants, each point with its own.

    By usage point, meter and instant; the last version.
    """
    table, listed = REGISTER_READING.c, sorted(wanted)
    found: dict[tuple[str, str, datetime], dict[str, RegisterReading]] = {}
    for at in range(0, len(listed), CHUNK):
        pairs = _WANTED.data(listed[at : at + CHUNK]).cte("wanted").c
        query = select(REGISTER_READING).where(table.usage_point == pairs.point, table.taken_at == pairs.at)
        for row in rows_of(session, query.order_by(table.row)):
            key = (row["usage_point"], row["meter"], row["taken_at"])
            found.setdefault(key, {})[row["reading_type"]] = reading_of(row)
    return {key: list(own.values()) for key, own in found.items()}


def counts(session: Session) -> list[Row]:
    """Return how many steps stand how: step, state, number."""
    query = select(STEP.c.step, STEP.c.state, func.count().label("number")).group_by(STEP.c.step, STEP.c.state)
    return rows_of(session, query.order_by(STEP.c.step, STEP.c.state))


def _named(session: Session, order_ids: Collection[str]) -> list[Row]:
    found: list[Row] = []
    for part in _chunks(order_ids):
        found += rows_of(session, select(*(STEP.c[name] for name in KEY)).where(STEP.c.order_id.in_(part)))
    return found


def _chunks(names: Collection[str]) -> list[list[str]]:
    listed = sorted(names)
    return [listed[at : at + CHUNK] for at in range(0, len(listed), CHUNK)]


_ORDER_FACTS = (
    *(ORDER.c.usage_point, ORDER.c.old_meter, ORDER.c.new_meter, ORDER.c.removed_at, ORDER.c.installed_at),
    *(ORDER.c.wave, ORDER.c.cycle, ORDER.c.heard_at, ORDER.c.state.label("order_state")),
)
