"""Versions of masters of thousands of things at once: found by one look, written by COPY and statements over sets.

The caller holds `store.reference.lock`, so that what was looked at is so until it commits.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, Table, any_, func, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Session

from store import bulk
from store.billing import BILLING_ITEM as ITEM
from store.determinants import BILLED
from store.master_origins import MASTER_ORIGIN
from store.reference import AGREEMENT, BILL_CYCLE_DAY, INSTALLATION, USAGE_POINT
from store.reference_masters import CUSTOMER, CUSTOMER_ACCOUNT, METER, SERVICE_LOCATION, TOPOLOGY
from store.rows import Row, rows_of

SLICE = 10_000
"""Values in one statement of SQLite, which allows some 32,000."""


@dataclass(slots=True)
class Writing:
    """What is to be written of one table."""

    fresh: list[Mapping[str, Any]] = field(default_factory=list)
    """Whole new rows, all with the same columns."""

    closed: list[int] = field(default_factory=list)
    """Rows that are replaced, or fell away."""

    restated: list[tuple[int, Any, datetime | None]] = field(default_factory=list)
    """Rows of which only is new when they were said: row, `said`, `stated_at`."""


def held(
    session: Session, table: Table, column: str, values: Collection[str], *, columns: Sequence[str] = ()
) -> list[Row]:
    """Return the versions that hold now for many values of a column, by known order; whole, or only some columns."""
    found: list[Row] = []
    chosen: list[Any] = [table.c[name] for name in columns] or [table]
    for among in _among(session, table.c[column], values):
        found += rows_of(session, select(*chosen).where(among, table.c.replaced_at.is_(None)).order_by(table.c.row))
    return found


def known(session: Session, table: Table, column: str, values: Collection[str]) -> set[str]:
    """Return those of many values of a column for which something holds now."""
    found: set[str] = set()
    for among in _among(session, table.c[column], values):
        query = select(table.c[column]).where(among, table.c.replaced_at.is_(None))
        found.update(session.execute(query).scalars())
    return found


def origins(session: Session, kind: str, object_ids: Collection[str]) -> dict[str, str]:
    """Return the mark of those of many things that somebody has told of, empty where it was not taken back."""
    found: dict[str, str] = {}
    for among in _among(session, MASTER_ORIGIN.c.object_id, object_ids):
        query = select(MASTER_ORIGIN.c.object_id, MASTER_ORIGIN.c.deleted).where(among, MASTER_ORIGIN.c.kind == kind)
        found.update({name: mark for name, mark in session.execute(query)})
    return found


def note_origins(session: Session, kind: str, sources: Mapping[str, str]) -> None:
    """Remember who told first of things that nobody has told of: source by id."""
    bulk.insert(session, MASTER_ORIGIN, [(kind, name, source, "") for name, source in sources.items()])


def stand_again(session: Session, kind: str, object_ids: Collection[str]) -> None:
    """Remember that things stand which were taken back before."""
    for among in _among(session, MASTER_ORIGIN.c.object_id, object_ids):
        session.execute(update(MASTER_ORIGIN).where(among, MASTER_ORIGIN.c.kind == kind).values(deleted=""))


def billed_until(session: Session, usage_points: Collection[str]) -> dict[str, datetime]:
    """Return the end of the last billed period of those of many usage points that were billed by the hub."""
    found: dict[str, datetime] = {}
    for among in _among(session, ITEM.c.usage_point, usage_points):
        query = select(ITEM.c.usage_point, func.max(BILLED.c.period_end)).where(among, BILLED.c.event != "CANCELLED")
        joined = query.join_from(ITEM, BILLED, BILLED.c.item_id == ITEM.c.item_id).group_by(ITEM.c.usage_point)
        found.update({name: until for name, until in session.execute(joined)})
    return found


def things(session: Session) -> dict[str, int]:
    """Return how many things of each kind the masters hold now, however many versions each has."""
    found: dict[str, int] = {}
    for kind, (table, *key) in _THINGS.items():
        distinct = select(*(table.c[name] for name in key)).where(table.c.replaced_at.is_(None)).distinct().subquery()
        found[kind] = int(session.execute(select(func.count()).select_from(distinct)).scalar_one())
    return found


_THINGS: dict[str, tuple[Any, ...]] = {
    "customer": (CUSTOMER, "customer"),
    "account": (CUSTOMER_ACCOUNT, "account"),
    "location": (SERVICE_LOCATION, "location"),
    "usage_point": (USAGE_POINT, "usage_point"),
    "meter": (METER, "meter"),
    "installation": (INSTALLATION, "usage_point", "meter"),
    "agreement": (AGREEMENT, "agreement"),
    "topology": (TOPOLOGY, "usage_point"),
    "bill_cycle_day": (BILL_CYCLE_DAY, "cycle", "business_date"),
}
"""Table and key of the things of each kind."""


def write(session: Session, table: Table, writing: Writing, *, now: datetime) -> None:
    """Write versions that are known from `now` on, business time."""
    closed = sorted(writing.closed)
    for at in range(0, len(closed), SLICE):
        rows = closed[at : at + SLICE]
        session.execute(update(table).where(table.c.row.in_(rows)).values(replaced_at=now))
    bulk.insert(session, table, writing.fresh)
    if writing.restated:
        rows_said = [{"row": row, "said": said, "stated_at": at} for row, said, at in writing.restated]
        bulk.change(session, table, rows_said, key="row")


def analyze(session: Session, table: Table) -> None:
    """Have PostgreSQL look at a table that grew from nothing: until then it would read all of it to find few rows."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection().exec_driver_sql(f"ANALYZE {table.name}")


def _among(session: Session, column: Any, values: Collection[str]) -> Iterator[ColumnElement[bool]]:
    """Yield conditions that together ask whether a column is one of many values, in order."""
    wanted = sorted(values)
    if session.get_bind().dialect.name == "postgresql":
        if wanted:
            yield column == any_(literal(wanted, ARRAY(String)))
        return
    for at in range(0, len(wanted), SLICE):
        yield column.in_(wanted[at : at + SLICE])
