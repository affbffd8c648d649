"""What the hub's books say about objects that differ: statements, changes, deliveries, for many objects at once."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlmodel import Session

from store.deliveries import Delivery
from store.master_changes import CHANGE
from store.master_statements import MASTER_STATEMENT
from store.master_subscribers import TOLD
from store.rows import Row, rows_of

_CHUNK = 500


class Told(NamedTuple):
    """What became of one delivery."""

    state: str
    enqueued_at: datetime
    confirmed_at: datetime | None
    code: str
    reason: str


def statements(session: Session, object_ids: Collection[str]) -> dict[str, list[Row]]:
    """Return what was said of some objects, in order, by object: by systems to the hub, and by the hub to systems."""
    return _by_object(session, MASTER_STATEMENT, MASTER_STATEMENT.c.number, object_ids)


def changes(session: Session, object_ids: Collection[str]) -> dict[str, list[Row]]:
    """Return the lines of the change log about some objects, in order, by object."""
    return _by_object(session, CHANGE, CHANGE.c.sequence, object_ids)


def fed(session: Session, object_ids: Collection[str]) -> dict[str, list[Row]]:
    """Return what each subscriber was told last of some objects, and answered, by object."""
    return _by_object(session, TOLD, TOLD.c.subscriber, object_ids)


def deliveries(session: Session, delivery_ids: Collection[str]) -> dict[str, Told]:
    """Return what became of some deliveries, by id."""
    table: Any = Delivery.__table__  # type: ignore[attr-defined]
    columns = ("state", "enqueued_at", "confirmed_at", "code", "reason")
    query = select(table.c.delivery_id, *[table.c[name] for name in columns])
    return {
        row[0]: Told(*row[1:])
        for some in _chunks(delivery_ids)
        for row in session.execute(query.where(table.c.delivery_id.in_(some)))
    }


def _by_object(session: Session, table: Any, order: Any, object_ids: Collection[str]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for some in _chunks(object_ids):
        for row in rows_of(session, select(table).where(table.c.object_id.in_(some)).order_by(order)):
            found.setdefault(row["object_id"], []).append(row)
    return found


def _chunks(values: Collection[str]) -> Iterator[list[str]]:
    listed = sorted(values)
    for at in range(0, len(listed), _CHUNK):
        yield listed[at : at + _CHUNK]
