"""What each system says that it holds, object by object, as its whole extracts said it; the hub is one of them.

A row is one object as one system held it from `seen_at` until `replaced_at`: only what differs becomes a new row, so
that the rows are also the history of what each system said. Objects lie in 1,024 partitions by a hash of their id, the
same for all systems, so that equal parts are compared by their digests alone (docs/decisions, partition digests).
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple
from zlib import crc32

from sqlalchemy import ColumnElement, Index, Table, Text, delete, func, select, text, update
from sqlmodel import Field, Session, SQLModel

from store import bulk
from store.columns import BigInteger, Instant
from store.rows import Row, rows_of

PARTITIONS = 1024
_CURRENT = text("replaced_at IS NULL")
_CHUNK = 500


class ReconHolding(SQLModel, table=True):
    """One object as one system held it over a time."""

    __tablename__ = "recon_holding"
    __table_args__ = (
        Index("recon_holding_current", "system", "partition", sqlite_where=_CURRENT, postgresql_where=_CURRENT),
        Index("recon_holding_object", "object_id"),
    )

    row: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    system: str
    """Role that wrote the extract; `hub` for the hub's own masters."""

    kind: str
    """A `canonical.holdings.Kind`."""

    object_id: str
    partition: int
    hash: str
    """Of the content, 32 hex digits: equal content, equal hash."""

    content: str = Field(sa_type=Text)
    """Every version as compact JSON, `[[valid_from, valid_to, {field: text}], ...]` by valid time; personal data."""

    valid_from: datetime = Field(sa_type=Instant)
    """First instant at which its last version holds."""

    seen_at: datetime = Field(sa_type=Instant)
    """Watermark of the extract that said so first."""

    replaced_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    """Watermark of the extract that said otherwise, or no longer had the object; None while it stands."""


class ReconStaged(SQLModel, table=True):
    """One line of an extract that is being taken in; gone when its partition is merged."""

    __tablename__ = "recon_staged"
    __table_args__ = (Index("recon_staged_partition", "snapshot_id", "partition"),)

    row: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    snapshot_id: str
    partition: int
    kind: str
    object_id: str
    valid_from: str
    valid_to: str
    facts: str = Field(sa_type=Text)


HOLDING: Table = SQLModel.metadata.tables["recon_holding"]
STAGED: Table = SQLModel.metadata.tables["recon_staged"]
Key = tuple[str, str]
"""Kind and id of an object."""

_STAGED_COLUMNS = ("snapshot_id", "partition", "kind", "object_id", "valid_from", "valid_to", "facts")
_HELD_COLUMNS = ("system", "kind", "object_id", "partition", "hash", "content", "valid_from", "seen_at")


class StagedLine(NamedTuple):
    """One version of one object as an extract states it."""

    kind: str
    object_id: str
    valid_from: str
    """UTC, ISO 8601 to the second with `Z`."""

    valid_to: str
    """Likewise; empty while it is open."""

    facts: str
    """Compact JSON with sorted keys."""


class HeldObject(NamedTuple):
    """One object as a system holds it now."""

    kind: str
    object_id: str
    hash: str
    content: str
    valid_from: datetime


def partition_of(object_id: str) -> int:
    """Return the partition of an object's id, the same in every run and for every system."""
    return crc32(object_id.encode()) % PARTITIONS


def stage(session: Session, snapshot_id: str, lines: Sequence[StagedLine]) -> None:
    """Keep lines of an extract until it is whole."""
    rows = [(snapshot_id, partition_of(line.object_id), *line) for line in lines]
    bulk.insert(session, STAGED, rows, columns=_STAGED_COLUMNS)


def unstage(session: Session, snapshot_id: str, *, partitions: range | None = None) -> None:
    """Drop the lines of an extract, all or those of a range of partitions."""
    doomed = delete(STAGED).where(STAGED.c.snapshot_id == snapshot_id)
    session.execute(doomed if partitions is None else doomed.where(_within(STAGED, partitions)))


def staged(session: Session, snapshot_id: str, partitions: range) -> dict[int, list[StagedLine]]:
    """Return the lines of a range of partitions of an extract by partition, by kind, object and valid time."""
    query = select(*[STAGED.c[name] for name in _STAGED_COLUMNS[1:]])
    found: dict[int, list[StagedLine]] = {partition: [] for partition in partitions}
    query = query.where(STAGED.c.snapshot_id == snapshot_id, _within(STAGED, partitions))
    for partition, *line in session.execute(query):
        found[partition].append(StagedLine(*line))
    for lines in found.values():
        lines.sort()  # in Python, so that both databases agree on the order of texts
    return found


def hashes(session: Session, system: str, partitions: range) -> dict[int, dict[Key, tuple[int, str]]]:
    """Return row and hash of every object that a system holds in a range of partitions, by partition, kind and id."""
    query = select(HOLDING.c.partition, HOLDING.c.kind, HOLDING.c.object_id, HOLDING.c.row, HOLDING.c.hash)
    found: dict[int, dict[Key, tuple[int, str]]] = {partition: {} for partition in partitions}
    held = query.where(*_held(system), _within(HOLDING, partitions))
    for partition, kind, object_id, row, digest in session.execute(held):
        found[partition][(kind, object_id)] = (row, digest)
    return found


def hashes_of(session: Session, system: str, object_ids: Collection[str]) -> dict[Key, tuple[int, str]]:
    """Return row and hash of what a system holds under some ids, by kind and id."""
    query = select(HOLDING.c.kind, HOLDING.c.object_id, HOLDING.c.row, HOLDING.c.hash).where(*_held(system))
    return {
        (kind, object_id): (row, digest)
        for some in _chunks(object_ids)
        for kind, object_id, row, digest in session.execute(query.where(HOLDING.c.object_id.in_(some)))
    }


def change(
    session: Session,
    system: str,
    *,
    begun: Sequence[HeldObject],
    ended: Collection[int],
    at: datetime,
) -> None:
    """Begin rows of what a system holds from `at` on, and end rows that hold no longer."""
    for some in _chunks(ended):
        session.execute(update(HOLDING).where(HOLDING.c.row.in_(some)).values(replaced_at=at))
    rows = [
        (system, one.kind, one.object_id, partition_of(one.object_id), one.hash, one.content, one.valid_from, at)
        for one in begun
    ]
    bulk.insert(session, HOLDING, rows, columns=_HELD_COLUMNS)


def contents(
    session: Session, system: str, partitions: range, kinds: Collection[str] = ()
) -> dict[int, dict[Key, str]]:
    """Return the content of every object that a system holds in a range of partitions, by partition, kind and id."""
    query = select(HOLDING.c.partition, HOLDING.c.kind, HOLDING.c.object_id, HOLDING.c.content)
    query = query.where(*_held(system), _within(HOLDING, partitions))
    if kinds:
        query = query.where(HOLDING.c.kind.in_(sorted(kinds)))
    found: dict[int, dict[Key, str]] = {partition: {} for partition in partitions}
    for partition, kind, object_id, content in session.execute(query):
        found[partition][(kind, object_id)] = content
    return found


def of_objects(session: Session, object_ids: Collection[str]) -> dict[Key, dict[str, str]]:
    """Return what every system holds of some objects: content by system, by kind and id."""
    found: dict[Key, dict[str, str]] = {}
    query = select(HOLDING.c.kind, HOLDING.c.object_id, HOLDING.c.system, HOLDING.c.content)
    for some in _chunks(object_ids):
        now_held = query.where(HOLDING.c.object_id.in_(some), HOLDING.c.replaced_at.is_(None))
        for kind, object_id, system, content in session.execute(now_held):
            found.setdefault((kind, object_id), {})[system] = content
    return found


def versions(session: Session, object_ids: Collection[str]) -> list[Row]:
    """Return everything that systems ever said that they hold of some objects, by system and time."""
    found: list[Row] = []
    for some in _chunks(object_ids):
        query = select(HOLDING).where(HOLDING.c.object_id.in_(some))
        found += rows_of(session, query.order_by(HOLDING.c.system, HOLDING.c.seen_at, HOLDING.c.row))
    return found


def count(session: Session, system: str) -> dict[str, int]:
    """Return how many objects of each kind a system holds, what has ended included."""
    query = select(HOLDING.c.kind, func.count()).where(*_held(system)).group_by(HOLDING.c.kind)
    return {kind: number for kind, number in session.execute(query)}


def is_held_as(session: Session, system: str, kind: str, field: str, value: str) -> bool:
    """Return whether a system holds a value of a field anywhere; read through, so asked of few values only."""
    needle = f'"{field}":"{value}"'
    query = select(HOLDING.c.row).where(*_held(system), HOLDING.c.kind == kind)
    return (
        session.execute(query.where(HOLDING.c.content.contains(needle, autoescape=True)).limit(1)).first() is not None
    )


def _within(table: Table, partitions: range) -> ColumnElement[bool]:
    """What holds of rows in a range of partitions, whose step is one."""
    return table.c.partition.between(partitions[0], partitions[-1])


def _held(system: str) -> tuple[ColumnElement[bool], ...]:
    return HOLDING.c.system == system, HOLDING.c.replaced_at.is_(None)


def _chunks(values: Collection[object]) -> Iterator[list[object]]:
    """Yield values in lists that fit into one statement."""
    listed = sorted(values)  # type: ignore[type-var]
    for at in range(0, len(listed), _CHUNK):
        yield listed[at : at + _CHUNK]
