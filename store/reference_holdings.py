"""Reading whole masters, object by object, in flat memory: the versions that the hub holds, or held at an instant.

Pages are cut between objects, and each begins behind the last object of the one before (no offset, no open cursor).
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Select, Table, or_, select
from sqlmodel import Session

PAGE = 5_000
"""Rows read by one query."""

Page = list[tuple[Any, ...]]
"""Rows in the order of the columns asked for, by object; whole objects only."""


def pages(
    session: Session,
    table: Table,
    columns: Sequence[str],
    *,
    begin: str,
    at: datetime | None = None,
    ids: Collection[str] | None = None,
    span: tuple[str, str] | None = None,
    size: int = PAGE,
) -> Iterator[Page]:
    """Yield the rows of a master that hold now, or that the hub held at the known time `at`, in pages of about `size`.

    The first of `columns` names the object; rows of one object stand in order of the column `begin`. `ids` are the
    objects that are wanted, all if None; `span` the first and the last one, both included, in the database's own order.
    """
    key = table.c[columns[0]]
    query = select(*(table.c[name] for name in columns)).where(*_known(table, at)).order_by(key, table.c[begin])
    if span is not None:
        query = query.where(key.between(*span))
    if ids is None:
        yield from _whole(session, query, key, size)
        return
    wanted = iter(sorted(ids))
    while some := list(islice(wanted, size)):
        found = [tuple(row) for row in session.execute(query.where(key.in_(some)))]
        if found:
            yield found


def _known(table: Table, at: datetime | None) -> tuple[Any, ...]:
    """Return what rows must fulfil to be held now, or to have been at a known time."""
    if at is None:
        return (table.c.replaced_at.is_(None),)
    return (table.c.known_at <= at, or_(table.c.replaced_at.is_(None), table.c.replaced_at > at))


def _whole(session: Session, query: Select[Any], key: Any, size: int) -> Iterator[Page]:
    """Yield all rows of a query in pages."""
    limit, here = size, query
    while True:
        rows = [tuple(row) for row in session.execute(here.limit(limit))]
        if len(rows) < limit:
            if rows:
                yield rows
            return
        last = rows[-1][0]
        whole = next((n for n in range(len(rows), 0, -1) if rows[n - 1][0] != last), 0)
        if not whole:  # one object fills the page
            limit *= 2
            continue
        yield rows[:whole]
        # The last object may go on behind the page: the next one begins with it.
        here, limit = query.where(key >= last), size
