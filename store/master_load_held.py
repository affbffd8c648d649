"""Items of a first-time load that are not in the masters: waiting for their parents, or exceptions with their code."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Index, Table, func, select, update
from sqlmodel import Field, Session, SQLModel

from store import bulk
from store.columns import Facts, Instant
from store.rows import Row, rows_of


class MasterLoadHeld(SQLModel, table=True):
    """One item of one file."""

    __tablename__ = "master_load_held"
    __table_args__ = (Index("master_load_held_order", "run_id", "state", "turn", "row"),)

    row: int | None = Field(default=None, primary_key=True)
    run_id: str
    file_id: str
    role: str
    line: int
    kind: str
    """Empty for a line that could not be read."""
    turn: int
    """Place of its kind among those that depend on each other."""
    object_id: str
    valid_from: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    valid_to: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    facts: dict[str, Any] = Field(sa_type=Facts)
    """Canonical texts by field: a whole holding with the columns above. Personal data: never in logs."""
    watermark: datetime = Field(sa_type=Instant)
    state: str
    """waiting, exception or loaded."""
    code: str = ""
    reason: str = ""


HELD: Table = SQLModel.metadata.tables["master_load_held"]


def add(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep items that wait, or are exceptions."""
    bulk.insert(session, HELD, rows)


def waiting(session: Session, run_id: str, *, limit: int) -> list[Row]:
    """Return the next items that wait for their parents, in the order in which kinds depend on each other."""
    query = select(HELD).where(HELD.c.run_id == run_id, HELD.c.state == "waiting")
    return rows_of(session, query.order_by(HELD.c.turn, HELD.c.row).limit(limit))


def settle(session: Session, rows: Collection[int], *, state: str, code: str = "", reason: str = "") -> None:
    """Say how the wait of some items ended; of what is loaded, the masters have the content."""
    if not rows:
        return
    values: dict[str, Any] = {"state": state, "code": code, "reason": reason}
    if state == "loaded":
        values["facts"] = {}
    session.execute(update(HELD).where(HELD.c.row.in_(sorted(rows))).values(**values))


def exceptions(session: Session, run_id: str, *, limit: int = 200) -> list[Row]:
    """Return the exceptions of a run by kind and line."""
    query = select(HELD).where(HELD.c.run_id == run_id, HELD.c.state == "exception")
    return rows_of(session, query.order_by(HELD.c.turn, HELD.c.role, HELD.c.line, HELD.c.row).limit(limit))


def by_code(session: Session, run_id: str) -> list[Row]:
    """Return how many items of a run wait or are exceptions, by kind, state and code."""
    key = (HELD.c.kind, HELD.c.state, HELD.c.code)
    query = select(*key, func.count().label("number")).where(HELD.c.run_id == run_id, HELD.c.state != "loaded")
    return rows_of(session, query.group_by(*key).order_by(*key))
