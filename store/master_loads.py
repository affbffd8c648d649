"""First-time loads of masters: runs, the files that each takes, its chunks, and counts by kind and disposition.

loading <-> paused     files are taken in; a person or the error ceiling pauses
loading -> closing     every file is in: what waits for its parents is tried again, then queued changes are replayed
closing -> done
loading | paused | closing -> aborting -> aborted     nothing more is loaded; queued changes are replayed all the same
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Index, Table, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel

from store.columns import Exact, Facts, Instant
from store.rows import Row, first_of, rows_of

OPEN = ("loading", "paused", "closing", "aborting")
"""States in which whatever else is said of masters waits."""

ERRORS = ("REJECTED", "EXCEPTION")
"""Dispositions that count against the error ceiling."""


class MasterLoad(SQLModel, table=True):
    """One run."""

    __tablename__ = "master_load"
    __table_args__ = (Index("master_load_state", "state"),)

    run_id: str = Field(primary_key=True)
    roles: list[str] = Field(sa_type=Facts)
    """Roles of which a FULL file is awaited, in the order in which their files are taken."""
    messages: list[str] = Field(sa_type=Facts)
    """Roles whose messages are the load: replayed at the end, and told to nobody."""
    state: str
    history: str
    history_months: int
    error_percent: Decimal = Field(sa_type=Exact)
    """Share of errors above which the run pauses."""
    forgiven_items: int = 0
    """Items before the last decision of a person, which do not count against the ceiling any more."""
    forgiven_errors: int = 0
    started_at: datetime = Field(sa_type=Instant)
    """Business time, as are the others."""
    started_by: str
    changed_at: datetime = Field(sa_type=Instant)
    reason: str = ""
    """Why it is in its state, for people."""
    ended_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)


class MasterLoadFile(SQLModel, table=True):
    """One file that a run takes."""

    __tablename__ = "master_load_file"
    __table_args__ = (Index("master_load_file_file", "file_id"),)

    run_id: str = Field(primary_key=True)
    file_id: str = Field(primary_key=True)
    role: str
    name: str
    watermark: datetime = Field(sa_type=Instant)
    """Up to which every change of its sender is in it."""
    items: int
    """Items in the file, readable or not."""
    taken: int = 0
    """Items taken so far."""
    state: str = "loading"
    """loading or done."""
    began_at: datetime = Field(sa_type=Instant)
    """Machine time."""
    chunk_at: datetime = Field(sa_type=Instant)
    """Machine time of the last chunk."""


class MasterLoadChunk(SQLModel, table=True):
    """One chunk: what is taken in one transaction, with its checkpoint."""

    __tablename__ = "master_load_chunk"

    run_id: str = Field(primary_key=True)
    file_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    last_line: int
    """The file goes on behind this line."""
    items: int
    errors: int
    at: datetime = Field(sa_type=Instant)
    """Machine time."""


class MasterLoadCount(SQLModel, table=True):
    """How many items of a kind ended in a disposition; all of a file together are its items taken."""

    __tablename__ = "master_load_count"

    run_id: str = Field(primary_key=True)
    file_id: str = Field(primary_key=True)
    """Empty for what came by messages."""
    kind: str = Field(primary_key=True)
    disposition: str = Field(primary_key=True)
    number: int


LOAD: Table = SQLModel.metadata.tables["master_load"]
FILE: Table = SQLModel.metadata.tables["master_load_file"]
CHUNK: Table = SQLModel.metadata.tables["master_load_chunk"]
COUNT: Table = SQLModel.metadata.tables["master_load_count"]


def add(session: Session, row: MasterLoad) -> None:
    """Keep a new run."""
    session.add(row)
    session.flush()


def current(session: Session) -> Row | None:
    """Return the run that is open, None while no load is: there is one at a time."""
    return first_of(session, select(LOAD).where(LOAD.c.state.in_(OPEN)).order_by(LOAD.c.started_at))


def is_open(session: Session) -> bool:
    """Return whether a load is open, so that changes have to wait for its end."""
    return session.execute(select(LOAD.c.run_id).where(LOAD.c.state.in_(OPEN)).limit(1)).first() is not None


def found(session: Session, run_id: str) -> Row | None:
    """Return a run by its id."""
    return first_of(session, select(LOAD).where(LOAD.c.run_id == run_id))


def listed(session: Session, *, limit: int = 20) -> list[Row]:
    """Return the last runs, newest first."""
    return rows_of(session, select(LOAD).order_by(LOAD.c.started_at.desc(), LOAD.c.run_id).limit(limit))


def change(session: Session, run_id: str, *, now: datetime, **values: object) -> None:
    """Change a run at business time `now`."""
    session.execute(update(LOAD).where(LOAD.c.run_id == run_id).values(changed_at=now, **values))


def add_file(session: Session, row: MasterLoadFile) -> None:
    """Keep a file that a run begins to take."""
    session.add(row)
    session.flush()


def file(session: Session, file_id: str) -> Row | None:
    """Return a file that a run takes or took; None for one that no run knows."""
    return first_of(session, select(FILE).where(FILE.c.file_id == file_id))


def files(session: Session, run_id: str) -> list[Row]:
    """Return the files of a run in the order in which they were begun."""
    return rows_of(session, select(FILE).where(FILE.c.run_id == run_id).order_by(FILE.c.began_at, FILE.c.file_id))


def end_file(session: Session, run_id: str, file_id: str) -> None:
    """Note that a file was taken whole."""
    session.execute(update(FILE).where(FILE.c.run_id == run_id, FILE.c.file_id == file_id).values(state="done"))


def note_chunk(
    session: Session,
    run_id: str,
    file_id: str,
    counts: Mapping[tuple[str, str], int],
    *,
    last_line: int,
    machine_now: datetime,
) -> None:
    """Keep what became of the items of one chunk: counts by (kind, disposition)."""
    items = sum(counts.values())
    errors = sum(number for (_, disposition), number in counts.items() if disposition in ERRORS)
    mine = (CHUNK.c.run_id == run_id, CHUNK.c.file_id == file_id)
    last = session.execute(select(func.coalesce(func.max(CHUNK.c.number), 0)).where(*mine)).scalar_one()
    session.add(
        MasterLoadChunk(
            run_id=run_id, file_id=file_id, number=int(last) + 1, last_line=last_line, items=items, errors=errors,
            at=machine_now,
        )
    )  # fmt: skip
    own = (FILE.c.run_id == run_id, FILE.c.file_id == file_id)
    session.execute(update(FILE).where(*own).values(taken=FILE.c.taken + items, chunk_at=machine_now))
    count(session, run_id, file_id, counts)
    session.flush()


def count(session: Session, run_id: str, file_id: str, counts: Mapping[tuple[str, str], int]) -> None:
    """Add to the counts by (kind, disposition); a negative number takes away, as when a waiting item ends its wait."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    for (kind, disposition), number in sorted(counts.items()):
        row = {"run_id": run_id, "file_id": file_id, "kind": kind, "disposition": disposition, "number": number}
        statement = dialect.insert(COUNT).values(**row)
        key = [COUNT.c.run_id, COUNT.c.file_id, COUNT.c.kind, COUNT.c.disposition]
        added = {"number": COUNT.c.number + statement.excluded.number}
        session.connection().execute(statement.on_conflict_do_update(index_elements=key, set_=added))


def counts(session: Session, run_id: str) -> list[Row]:
    """Return the counts of a run by file, kind and disposition; what is none is left out."""
    query = select(COUNT).where(COUNT.c.run_id == run_id, COUNT.c.number != 0)
    return rows_of(session, query.order_by(COUNT.c.file_id, COUNT.c.kind, COUNT.c.disposition))


def totals(session: Session, run_id: str) -> tuple[int, int]:
    """Return how many items a run took, and how many of them are errors."""
    rows = counts(session, run_id)
    items = sum(row["number"] for row in rows)
    return items, sum(row["number"] for row in rows if row["disposition"] in ERRORS)


def chunks(session: Session, run_id: str, *, limit: int = 20) -> list[Row]:
    """Return the last chunks of a run, newest first, for how fast it goes."""
    query = select(CHUNK).where(CHUNK.c.run_id == run_id)
    return rows_of(session, query.order_by(CHUNK.c.at.desc(), CHUNK.c.number.desc()).limit(limit))
