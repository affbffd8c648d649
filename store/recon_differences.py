"""Differences between systems, from found to closed; one that comes back is the same one, open again.

open -> repairing -> closed     a message went to the system that differs, and its next extract agrees
open -> waived                  a person lets it stand; it is open again when what is held changes
open -> closed                  it agrees by itself
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Index, Table, Text, func, select, update
from sqlmodel import Field, Session, SQLModel

from store import bulk
from store.columns import BigInteger, Facts, Instant
from store.rows import Row, rows_of

LIVE = ("open", "repairing", "waived")


class ReconDifference(SQLModel, table=True):
    """One thing in which one system differs from the system of record."""

    __tablename__ = "recon_difference"
    __table_args__ = (
        Index("recon_difference_state", "state", "system"),
        Index("recon_difference_partition", "partition", "state"),
        Index("recon_difference_object", "object_id"),
    )

    difference_id: str = Field(primary_key=True)
    """Minted from kind, object, field and system."""

    partition: int
    """Of the object; -1 for what is looked for in the masters as a whole."""

    kind: str
    object_id: str
    field: str
    """Field that differs; empty for the thing itself, `valid_from` or `valid_to` for its time."""

    system: str
    """The system that differs."""

    klass: str
    """As domain 2.7 names it, such as `FIELD_DIFF`."""

    level: str
    """L1 for what is missing, L2 for fields and times, L3 for what bears on bills and links."""

    owner: str
    """The system of record whose value counts."""

    expected: str = Field(sa_type=Text)
    found: str = Field(sa_type=Text)
    """What the system holds instead; of personal data both are shown to people only."""

    said: dict[str, str] = Field(sa_type=Facts)
    """What each system holds, by system; a system that holds none is not in it."""

    cause: str
    why: str = Field(sa_type=Text)
    """The cause in one sentence."""

    evidence: dict[str, Any] = Field(sa_type=Facts)
    """Message and delivery ids that show it."""

    state: str = "open"
    disposition: str = ""
    """How it was closed: `agreed`, `repaired`, `waived`; empty while it is open."""

    by: str = ""
    """Who waived or repaired it; `hub` for what the site allows."""

    reason: str = Field(default="", sa_type=Text)
    repair: str = ""
    """Message id of the repair."""

    repaired_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    """When the repair was sent; None before."""

    seen: int = 1
    """Comparisons that found it since it was opened first."""

    first_seen_at: datetime = Field(sa_type=Instant)
    last_seen_at: datetime = Field(sa_type=Instant)
    opened_at: datetime = Field(sa_type=Instant)
    """When it was opened last."""

    closed_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)


class ReconAct(SQLModel, table=True):
    """What was done about one difference; append-only."""

    __tablename__ = "recon_act"
    __table_args__ = (Index("recon_act_difference", "difference_id"),)

    row: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    difference_id: str
    at: datetime = Field(sa_type=Instant)
    act: str
    """found, again, repairing, waived, closed."""

    by: str
    reason: str = Field(sa_type=Text)


DIFFERENCE: Table = SQLModel.metadata.tables["recon_difference"]
ACT: Table = SQLModel.metadata.tables["recon_act"]


def live_in(session: Session, partition: int) -> dict[str, Row]:
    """Return what is not closed of one partition, by id."""
    query = select(DIFFERENCE).where(DIFFERENCE.c.partition == partition, DIFFERENCE.c.state.in_(LIVE))
    return {row["difference_id"]: row for row in rows_of(session, query)}


def partitions_alive(session: Session, *, first: int, last: int) -> frozenset[int]:
    """Return the partitions of a range in which something is not closed."""
    query = select(DIFFERENCE.c.partition).where(DIFFERENCE.c.partition.between(first, last))
    query = query.where(DIFFERENCE.c.state.in_(LIVE)).distinct()
    return frozenset(row[0] for row in session.execute(query))


def of_ids(session: Session, names: Collection[str]) -> dict[str, Row]:
    """Return differences by id, closed ones included."""
    found: dict[str, Row] = {}
    listed = sorted(names)
    for at in range(0, len(listed), 500):
        query = select(DIFFERENCE).where(DIFFERENCE.c.difference_id.in_(listed[at : at + 500]))
        found |= {row["difference_id"]: row for row in rows_of(session, query)}
    return found


def keep(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write differences whole, new ones and known ones."""
    bulk.upsert(session, DIFFERENCE, rows, key=("difference_id",))


def settle(session: Session, names: Collection[str], **values: Any) -> None:
    """Change some columns of differences."""
    listed = sorted(names)
    for at in range(0, len(listed), 500):
        chosen = DIFFERENCE.c.difference_id.in_(listed[at : at + 500])
        session.execute(update(DIFFERENCE).where(chosen).values(**values))


def act(session: Session, names: Collection[str], what: str, *, by: str, reason: str, now: datetime) -> None:
    """Record what was done about differences."""
    rows = [{"difference_id": name, "at": now, "act": what, "by": by, "reason": reason} for name in sorted(names)]
    bulk.insert(session, ACT, rows)


def acts(session: Session, difference_id: str) -> list[Row]:
    """Return what was done about one difference, in order."""
    return rows_of(session, select(ACT).where(ACT.c.difference_id == difference_id).order_by(ACT.c.row))


def selected(
    session: Session, *, after: str = "", limit: int = 500, states: Collection[str] = ("open",), **wanted: str
) -> list[Row]:
    """Return differences by id behind `after`; `wanted` names columns and values, empty ones do not matter."""
    query = select(DIFFERENCE).where(DIFFERENCE.c.state.in_(sorted(states)), DIFFERENCE.c.difference_id > after)
    for column, value in wanted.items():
        if value:
            query = query.where(DIFFERENCE.c[column] == value)
    return rows_of(session, query.order_by(DIFFERENCE.c.difference_id).limit(limit))


def found(session: Session, prefix: str) -> list[Row]:
    """Return differences whose id begins with what a person typed."""
    query = select(DIFFERENCE).where(DIFFERENCE.c.difference_id.startswith(prefix, autoescape=True))
    return rows_of(session, query.order_by(DIFFERENCE.c.difference_id).limit(20))


def grouped(session: Session, *, states: Collection[str] = LIVE) -> list[Row]:
    """Return counts by system, class, kind, field, cause and state, with the oldest opening of each."""
    names = ("system", "klass", "level", "kind", "field", "cause", "state")
    columns = [DIFFERENCE.c[name] for name in names]
    query = select(*columns, func.count().label("objects"), func.min(DIFFERENCE.c.opened_at).label("oldest"))
    return rows_of(session, query.where(DIFFERENCE.c.state.in_(sorted(states))).group_by(*columns).order_by(*columns))


def translations(session: Session, *, least: int, limit: int = 50) -> list[Row]:
    """Return values that a system holds in place of the same other one for at least so many objects."""
    names = ("system", "kind", "field", "expected", "found")
    columns = [DIFFERENCE.c[name] for name in names]
    alive = (
        DIFFERENCE.c.state == "open", DIFFERENCE.c.klass == "FIELD_DIFF", DIFFERENCE.c.cause == "out_of_band",
        DIFFERENCE.c.expected != "", DIFFERENCE.c.found != "",
    )  # fmt: skip
    count = func.count()
    query = select(*columns, count.label("objects")).where(*alive).group_by(*columns).having(count >= least)
    return rows_of(session, query.order_by(count.desc(), *columns).limit(limit))


def translate(session: Session, group: Mapping[str, str], *, why: str) -> None:
    """Say of every open difference of one wrong translation what it is."""
    same = [DIFFERENCE.c[name] == group[name] for name in ("system", "kind", "field", "expected", "found")]
    chosen = update(DIFFERENCE).where(*same, DIFFERENCE.c.state == "open", DIFFERENCE.c.cause == "out_of_band")
    session.execute(chosen.values(cause="mapping", why=why))
