"""Every version that the hub ever held of some things, what it believes no more included, and how deliveries went."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Table, select
from sqlmodel import Session

from store.deliveries import Delivery
from store.master_loads import MasterLoadFile
from store.master_waiting import WAITING
from store.recon_holdings import HOLDING, PARTITIONS
from store.recon_snapshots import SNAPSHOT
from store.rows import Row, rows_of

LOAD_FILE: Table = MasterLoadFile.__table__  # type: ignore[attr-defined]
DELIVERY: Any = Delivery.__table__  # type: ignore[attr-defined]
_COLUMNS = ("delivery_id", "message_id", "noun", "state", "enqueued_at", "sent_at", "confirmed_at", "code", "reason")
_DELIVERIES = select(*(DELIVERY.c[name] for name in _COLUMNS))
_CHUNK = 500
LAST = "zzzz"
"""Stands behind every id of a meter in the order of texts, of both databases and of every collation in use."""


def versions(session: Session, table: Table, column: str, values: Collection[str]) -> list[Row]:
    """Return every version of a master that bears one of some values in an indexed column, in the order recorded."""
    found: list[Row] = []
    for some in _chunks(values):
        found += rows_of(session, select(table).where(table.c[column].in_(some)))
    return sorted(found, key=lambda row: (row["known_at"], row["row"]))


def deliveries(session: Session, delivery_ids: Collection[str]) -> dict[str, Row]:
    """Return state, times and code of some deliveries by id; those that retention dropped are left out."""
    return {
        row["delivery_id"]: row
        for some in _chunks(delivery_ids)
        for row in rows_of(session, _DELIVERIES.where(DELIVERY.c.delivery_id.in_(some)))
    }


def deliveries_of(session: Session, message_ids: Collection[str]) -> list[Row]:
    """Return the same of the deliveries of some messages, in the order of enqueue."""
    return [
        row
        for some in _chunks(message_ids)
        for row in rows_of(session, _DELIVERIES.where(DELIVERY.c.message_id.in_(some)).order_by(DELIVERY.c.sequence))
    ]


def load_files(session: Session) -> list[Row]:
    """Return every file of every first-time load: a handful, whatever the site's size."""
    return rows_of(session, select(LOAD_FILE.c.file_id, LOAD_FILE.c.role, LOAD_FILE.c.watermark))


def waits(session: Session, waiting_ids: Collection[str]) -> dict[str, Row]:
    """Return state, code and reason of things that waited, by the id of their wait."""
    query = select(WAITING.c.waiting_id, WAITING.c.state, WAITING.c.code, WAITING.c.reason)
    return {
        row["waiting_id"]: row
        for some in _chunks(waiting_ids)
        for row in rows_of(session, query.where(WAITING.c.waiting_id.in_(some)))
    }


def hung_in_extracts(session: Session, usage_point: str) -> list[str]:
    """Return the ids of installations at a usage point that any system's extract ever stated."""
    first = f"{usage_point}/"
    query = select(HOLDING.c.object_id).where(HOLDING.c.object_id >= first, HOLDING.c.object_id <= first + LAST)
    return sorted({row["object_id"] for row in rows_of(session, query) if row["object_id"].startswith(first)})


def held_in_extracts(session: Session, kind: str, object_id: str) -> bool:
    """Return whether any system's extract ever stated a thing."""
    query = select(HOLDING.c.row).where(HOLDING.c.object_id == object_id, HOLDING.c.kind == kind)
    return bool(rows_of(session, query.limit(1)))


def snapshots(session: Session, systems: Collection[str]) -> list[Row]:
    """Return the first and the present extract of each system that was taken whole, by system and time."""
    found = []
    for system in sorted(systems):
        mine = SNAPSHOT.c.system == system, SNAPSHOT.c.state.in_(("in_force", "past"))
        # One that a newer one overtook was never merged; lines that could not be read may have named anything.
        query = select(SNAPSHOT).where(*mine, SNAPSHOT.c.merged_to >= PARTITIONS, SNAPSHOT.c.unread == 0)
        found += rows_of(session, query.order_by(SNAPSHOT.c.watermark).limit(1))
        found += rows_of(session, query.order_by(SNAPSHOT.c.watermark.desc()).limit(1))
    return found


def extract_files(
    session: Session, systems: Collection[str], watermarks: Collection[datetime]
) -> dict[tuple[str, datetime], str]:
    """Return the ids of extracts by system and watermark."""
    query = select(SNAPSHOT.c.system, SNAPSHOT.c.watermark, SNAPSHOT.c.snapshot_id)
    query = query.where(SNAPSHOT.c.system.in_(sorted(systems)), SNAPSHOT.c.state.in_(("in_force", "past")))
    return {
        (system, watermark): snapshot_id
        for system, watermark, snapshot_id in session.execute(query)
        if watermark in watermarks
    }


def _chunks(values: Collection[str]) -> Iterator[list[str]]:
    """Yield values in lists that fit into one statement."""
    listed = sorted(set(values))
    for at in range(0, len(listed), _CHUNK):
        yield listed[at : at + _CHUNK]
