"""What of the records about masters is old enough to be dropped; never what is open, or anybody's last word (I8).

statements     what was said of things, once a later word of the same system says all of its fields again
extracts       what systems held and hold no longer, with the extracts that no such row names any more
differences    closed ones with their acts; rounds that are over, but the last one
loads          checkpoints and items of runs that ended; runs, files and counts stay: belief and numbers rest on them

Each pair reads a page behind a place and drops rows of it, both in one transaction: what is settled cannot open again
in between.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Table, delete, exists, func, select
from sqlmodel import Session, col

from store.deliveries import Delivery
from store.master_load_held import HELD
from store.master_loads import CHUNK, LOAD
from store.master_statements import MASTER_STATEMENT
from store.master_waiting import AWAITED, WAITING
from store.recon_differences import ACT, DIFFERENCE
from store.recon_holdings import HOLDING
from store.recon_runs import RUN
from store.recon_snapshots import SNAPSHOT
from store.retention import Old
from store.rows import Row, rows_of

Page = Callable[..., Sequence[Old]]
Drop = Callable[[Session, Sequence[Old]], None]


class Records(NamedTuple):
    """One kind of record."""

    name: str
    """As people read it."""

    begin: int | str
    """What lies before every place."""

    page: Page
    """Settled ones older than `before` behind place `after`, at most `limit`; each row looked at moves the place."""

    drop: Drop


def statements(session: Session, *, before: datetime, after: int, limit: int) -> Sequence[Old]:
    """Return statements noted before a business time; those that must stay come without a key."""
    table = MASTER_STATEMENT.c
    query = select(MASTER_STATEMENT).where(table.noted_at < before, table.number > after)
    rows = rows_of(session, query.order_by(table.number).limit(limit))
    later, told = _later(session, rows, before), _states(session, rows)
    waiting = _still_waiting(session, rows)
    return [
        Old(
            row["number"],
            row["number"] if row["number"] not in waiting and _is_past(row, later, told) else None,
            "",
            (row["message_id"], row["object_id"], row["delivery_id"], row["usage_point"]),
        )
        for row in rows
    ]


_CHANGED_NOTHING = ("DUPLICATE", "SUPERSEDED", "REJECTED")

_Key = tuple[str, str, str, str]


def _key(row: Row) -> _Key:
    return row["how"], row["system"], row["kind"], row["object_id"]


def _later(session: Session, rows: Sequence[Row], before: datetime) -> dict[_Key, list[Row]]:
    """Return what the same systems said of the same things that is as old, and was applied, or told and confirmed."""
    table = MASTER_STATEMENT.c
    confirmed = exists().where(col(Delivery.delivery_id) == table.delivery_id, col(Delivery.state) == "confirmed")
    counts = (table.disposition == "APPLIED") | ((table.how == "we_told") & (table.disposition == "") & confirmed)
    query = select(MASTER_STATEMENT).where(table.object_id.in_({row["object_id"] for row in rows}), counts)
    found: dict[_Key, list[Row]] = {}
    for row in rows_of(session, query.where(table.noted_at < before)):
        found.setdefault(_key(row), []).append(row)
    return found


def _is_past(row: Row, later: dict[_Key, list[Row]], told: dict[str, str]) -> bool:
    """Return whether nothing that is believed rests on a statement: it changed nothing, or all of it was said again.

    A telling of which nobody can say any more how it ended is believed by nobody.
    """
    if row["disposition"] in _CHANGED_NOTHING:
        return True
    if row["delivery_id"] and told.get(row["delivery_id"], "cancelled") != "confirmed":
        return told.get(row["delivery_id"], "cancelled") == "cancelled"
    return any(
        one["number"] > row["number"]
        and one["verb"] == row["verb"]
        and one["valid_from"] >= row["valid_from"]
        and set(row["facts"]) <= set(one["facts"])
        for one in later.get(_key(row), ())
    )


def _states(session: Session, rows: Sequence[Row]) -> dict[str, str]:
    """Return the states of the deliveries that took statements to systems, by id; without those that were dropped."""
    names = {row["delivery_id"] for row in rows if row["delivery_id"]}
    query = select(col(Delivery.delivery_id), col(Delivery.state)).where(col(Delivery.delivery_id).in_(names))
    return {name: state for name, state in session.execute(query)}


def _still_waiting(session: Session, rows: Sequence[Row]) -> set[int]:
    """Return the numbers of statements of messages of which something waits."""
    names = {row["message_id"] for row in rows if row["disposition"] == "WAITING"}
    query = select(WAITING.c.message_id).where(WAITING.c.message_id.in_(names), WAITING.c.settled_at.is_(None))
    is_open = {name for (name,) in session.execute(query)}
    return {row["number"] for row in rows if row["disposition"] == "WAITING" and row["message_id"] in is_open}


def waits(session: Session, *, before: datetime, after: str, limit: int) -> Sequence[Old]:
    """Return waits that ended before a business time and that no statement refers to any more."""
    table = WAITING.c
    said = MASTER_STATEMENT.c
    refers = exists().where(
        said.how != "we_told", said.system == table.source, said.message_id == table.message_id,
        said.place == table.place,
    )  # fmt: skip
    query = select(table.waiting_id, table.message_id, table.source).where(
        table.settled_at < before, table.state.in_(("done", "refused", "withdrawn")), table.waiting_id > after, ~refers
    )
    rows = session.execute(query.order_by(table.waiting_id).limit(limit).with_for_update())
    return [Old(name, name, "", (name, message, source)) for name, message, source in rows]


def _drop_waits(session: Session, olds: Sequence[Old]) -> None:
    names = [old.key for old in olds]
    session.execute(delete(AWAITED).where(AWAITED.c.waiting_id.in_(names)))
    session.execute(delete(WAITING).where(WAITING.c.waiting_id.in_(names)))


def holdings(session: Session, *, before: datetime, after: int, limit: int) -> Sequence[Old]:
    """Return what systems ceased to hold before a business time."""
    table = HOLDING.c
    query = select(table.row, table.object_id).where(table.replaced_at < before, table.row > after)
    rows = session.execute(query.order_by(table.row).limit(limit))
    return [Old(row, row, "", (object_id,)) for row, object_id in rows]


def snapshots(session: Session, *, before: datetime, after: str, limit: int) -> Sequence[Old]:
    """Return extracts taken before a business time that are past; those by which a holding began or ended have no key.

    The first of each system stays: it says since when silence of that system is a statement.
    """
    table, other = SNAPSHOT.c, SNAPSHOT.alias()
    is_not_first = exists().where(
        other.c.system == table.system, other.c.state.in_(("in_force", "past")), other.c.watermark < table.watermark
    )
    query = select(table.snapshot_id, table.system, table.watermark, table.name).where(
        table.taken_at < before, table.state == "past", table.snapshot_id > after, is_not_first
    )
    rows = session.execute(query.order_by(table.snapshot_id).limit(limit)).all()
    named = _instants(session, {row.watermark for row in rows})
    return [
        Old(row.snapshot_id, None if (row.system, row.watermark) in named else row.snapshot_id, "",
            (row.snapshot_id, row.name))
        for row in rows
    ]  # fmt: skip


def _instants(session: Session, watermarks: Collection[datetime]) -> set[tuple[str, datetime]]:
    """Return at which of some instants a system began or ceased to hold anything."""
    found: set[tuple[str, datetime]] = set()
    for column in (HOLDING.c.seen_at, HOLDING.c.replaced_at):
        query = select(HOLDING.c.system, column).where(column.in_(watermarks)).distinct()
        found |= {(system, at) for system, at in session.execute(query)}
    return found


def differences(session: Session, *, before: datetime, after: str, limit: int) -> Sequence[Old]:
    """Return differences that were closed before a business time, and are."""
    table = DIFFERENCE.c
    query = select(table.difference_id, table.object_id, table.repair).where(
        table.state == "closed", table.closed_at < before, table.difference_id > after
    )
    rows = session.execute(query.order_by(table.difference_id).limit(limit).with_for_update())
    return [Old(name, name, "", (name, object_id, repair)) for name, object_id, repair in rows]


def _drop_differences(session: Session, olds: Sequence[Old]) -> None:
    names = [old.key for old in olds]
    session.execute(delete(ACT).where(ACT.c.difference_id.in_(names)))
    session.execute(delete(DIFFERENCE).where(DIFFERENCE.c.difference_id.in_(names)))


def rounds(session: Session, *, before: datetime, after: int, limit: int) -> Sequence[Old]:
    """Return rounds of comparison that ended before a business time; the last complete one stays: reports show it."""
    last = select(func.max(RUN.c.number)).where(RUN.c.state == "done").scalar_subquery()
    query = select(RUN.c.number).where(
        RUN.c.state != "running", RUN.c.ended_at < before, RUN.c.number > after, RUN.c.number != func.coalesce(last, 0)
    )
    rows = session.execute(query.order_by(RUN.c.number).limit(limit))
    return [Old(number, number, "", ()) for (number,) in rows]


def checkpoints(session: Session, *, before: datetime, after: str, limit: int) -> Sequence[Old]:
    """Return first-time loads that ended before a business time and have checkpoints left."""
    has_some = exists().where(CHUNK.c.run_id == LOAD.c.run_id)
    query = select(LOAD.c.run_id).where(_is_over(before), LOAD.c.run_id > after, has_some)
    rows = session.execute(query.order_by(LOAD.c.run_id).limit(limit))
    return [Old(name, name, "", (name,)) for (name,) in rows]


def load_items(session: Session, *, before: datetime, after: int, limit: int) -> Sequence[Old]:
    """Return items of loads that ended before a business time: loaded late, or exceptions.

    An exception is open as long as the work about its load is.
    """
    query = select(HELD.c.row, HELD.c.run_id, HELD.c.object_id, HELD.c.file_id).join(
        LOAD, LOAD.c.run_id == HELD.c.run_id
    )
    query = query.where(_is_over(before), HELD.c.state != "waiting", HELD.c.row > after)
    rows = session.execute(query.order_by(HELD.c.row).limit(limit))
    return [Old(row, row, "", (run, object_id, file_id)) for row, run, object_id, file_id in rows]


def _is_over(before: datetime) -> Any:
    return LOAD.c.state.in_(("done", "aborted")) & (LOAD.c.ended_at < before)


def _dropper(table: Table, column: str) -> Drop:
    """Return what drops the rows of a table by one column."""

    def drop(session: Session, olds: Sequence[Old]) -> None:
        session.execute(delete(table).where(table.c[column].in_([old.key for old in olds])))

    return drop


HISTORY = (
    Records("statements", 0, statements, _dropper(MASTER_STATEMENT, "number")),
    Records("waits", "", waits, _drop_waits),
    Records("holdings", 0, holdings, _dropper(HOLDING, "row")),
    Records("extracts", "", snapshots, _dropper(SNAPSHOT, "snapshot_id")),
)
"""What explains beliefs, in the order in which one frees the other."""

SETTLED = (
    Records("differences", "", differences, _drop_differences),
    Records("rounds", 0, rounds, _dropper(RUN, "number")),
    Records("load checkpoints", "", checkpoints, _dropper(CHUNK, "run_id")),
    Records("load items", 0, load_items, _dropper(HELD, "row")),
)
"""What was found and done, and is over."""
