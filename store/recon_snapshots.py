"""Whole extracts of what systems hold: being taken, whole, in force; the last one in force stays until a newer is.

taking -> whole -> in_force -> past        one that is superseded before it was merged goes from whole to past
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Index, Table, delete, func, select, update
from sqlmodel import Field, Session, SQLModel

from store.columns import Facts, Instant
from store.rows import Row, first_of, rows_of


class ReconSnapshot(SQLModel, table=True):
    """One extract of one system; of the hub itself one look at its own masters."""

    __tablename__ = "recon_snapshot"
    __table_args__ = (Index("recon_snapshot_system", "system", "state"),)

    snapshot_id: str = Field(primary_key=True)
    """Id of the file in the ledger; of the hub `hub` and the instant."""

    system: str
    name: str
    """Of the file."""

    watermark: datetime = Field(sa_type=Instant)
    """Instant up to which every change of the system is in it, UTC."""

    state: str
    taken_at: datetime = Field(sa_type=Instant)
    """Business time of arrival."""

    counts: dict[str, Any] = Field(sa_type=Facts)
    """Lines by kind, and under `fields` how often each field was stated, as `kind.field`."""

    unread: int = 0
    """Lines that could not be read: what the extract lacks is then not taken for gone."""

    merged_to: int = 0
    """Partitions below this one hold it already."""

    log_position: int = 0
    """Of the hub: the last line of its change log that it includes."""


SNAPSHOT: Table = SQLModel.metadata.tables["recon_snapshot"]


def begin(session: Session, snapshot_id: str, *, system: str, name: str, watermark: datetime, now: datetime) -> None:
    """Open a snapshot."""
    session.add(
        ReconSnapshot(
            snapshot_id=snapshot_id, system=system, name=name, watermark=watermark, state="taking", taken_at=now,
            counts={},
        )
    )  # fmt: skip
    session.flush()


def find(session: Session, snapshot_id: str) -> Row | None:
    """Return one snapshot."""
    return first_of(session, select(SNAPSHOT).where(SNAPSHOT.c.snapshot_id == snapshot_id))


def put(session: Session, snapshot_id: str, **values: Any) -> None:
    """Change some columns of a snapshot."""
    session.execute(update(SNAPSHOT).where(SNAPSHOT.c.snapshot_id == snapshot_id).values(**values))


def in_force(session: Session) -> dict[str, Row]:
    """Return the snapshot that counts for each system."""
    query = select(SNAPSHOT).where(SNAPSHOT.c.state == "in_force")
    return {row["system"]: row for row in rows_of(session, query)}


def newest(session: Session, system: str) -> Row | None:
    """Return the latest whole snapshot of a system, merged or not."""
    query = select(SNAPSHOT).where(SNAPSHOT.c.system == system, SNAPSHOT.c.state.in_(("whole", "in_force")))
    return first_of(session, query.order_by(SNAPSHOT.c.watermark.desc(), SNAPSHOT.c.taken_at.desc()).limit(1))


def unmerged(session: Session) -> list[Row]:
    """Return the whole snapshots that are not in force yet, oldest first."""
    query = select(SNAPSHOT).where(SNAPSHOT.c.state == "whole")
    return rows_of(session, query.order_by(SNAPSHOT.c.watermark, SNAPSHOT.c.snapshot_id))


def enforce(session: Session, snapshot_id: str, system: str) -> None:
    """Let a merged snapshot count from now on, in place of the one before."""
    past = SNAPSHOT.c.system == system, SNAPSHOT.c.state == "in_force", SNAPSHOT.c.snapshot_id != snapshot_id
    session.execute(update(SNAPSHOT).where(*past).values(state="past"))
    put(session, snapshot_id, state="in_force")


def listed(session: Session, *, system: str = "", states: Collection[str] = (), limit: int = 50) -> list[Row]:
    """Return the latest snapshots, newest first; of one system, in some states, where these are named."""
    query = select(SNAPSHOT)
    if system:
        query = query.where(SNAPSHOT.c.system == system)
    if states:
        query = query.where(SNAPSHOT.c.state.in_(sorted(states)))
    return rows_of(session, query.order_by(SNAPSHOT.c.taken_at.desc(), SNAPSHOT.c.system).limit(limit))


def drop(session: Session, snapshot_id: str) -> None:
    """Forget a snapshot; what it staged is dropped by itself (`recon_holdings.unstage`)."""
    session.execute(delete(SNAPSHOT).where(SNAPSHOT.c.snapshot_id == snapshot_id))


def lock(session: Session) -> None:
    """Let one reconciliation at a time change what systems hold; SQLite's write transactions exclude each other."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_RECONCILIATION)))


_RECONCILIATION = 0x414D495F5245434F
"""Number by which reconciling transactions know each other."""
