"""Runs of reconciliation: one round over all partitions each, in portions, and what it found."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Table, select, update
from sqlmodel import Field, Session, SQLModel

from store.columns import BigInteger, Facts, Instant
from store.rows import Row, first_of, rows_of


class ReconRun(SQLModel, table=True):
    """One round over all partitions."""

    __tablename__ = "recon_run"
    __table_args__ = (Index("recon_run_state", "state"),)

    number: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    state: str = "running"
    """running, done."""

    started_at: datetime = Field(sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    next_partition: int = 0
    totals: dict[str, Any] = Field(sa_type=Facts)
    """Partitions compared and equal, differences found, opened, closed; objects by system, kind and group."""


RUN: Table = SQLModel.metadata.tables["recon_run"]


def running(session: Session) -> Row | None:
    """Return the run that has not gone round yet."""
    return first_of(session, select(RUN).where(RUN.c.state == "running").order_by(RUN.c.number.desc()).limit(1))


def begin(session: Session, *, now: datetime) -> Row:
    """Begin a run and return it."""
    run = ReconRun(started_at=now, totals={})
    session.add(run)
    session.flush()
    return {"number": run.number, "next_partition": 0, "totals": {}, "started_at": now, "state": "running"}


def put(session: Session, number: int, **values: Any) -> None:
    """Change some columns of a run."""
    session.execute(update(RUN).where(RUN.c.number == number).values(**values))


def listed(session: Session, *, limit: int = 20) -> list[Row]:
    """Return the latest runs, newest first."""
    return rows_of(session, select(RUN).order_by(RUN.c.number.desc()).limit(limit))
