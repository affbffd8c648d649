"""How a first-time load stands: what is in, how fast it goes, what waits, and what is not in the masters."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from canonical.codes.master_load import LOAD_UNKNOWN
from canonical.errors import RejectedError
from store import master_load_held, master_loads, master_waiting, reference_bulk
from store.rows import Row
from store.session import Session, Transaction


@dataclass(frozen=True, slots=True)
class FileProgress:
    """How far one file is."""

    role: str
    name: str
    state: str
    watermark: datetime
    taken: int
    items: int
    items_per_s: float
    """Over the last chunks, in machine time; 0 where there are not two."""

    eta: datetime | None
    """Machine time at which it will be taken whole at this speed; None where nobody can say."""

    @property
    def percent(self) -> int:
        """Return how much of it is taken; an empty file is taken whole."""
        return 100 * self.taken // self.items if self.items else 100


@dataclass(frozen=True, slots=True)
class Status:
    """How one run stands."""

    run: Row
    files: tuple[FileProgress, ...]
    awaited: tuple[str, ...]
    """Roles of which no file has come yet."""

    waiting: int
    """Items that wait for their parents."""

    queued: int
    """Changes that wait for the end of the load."""

    items: int
    errors: int


@dataclass(frozen=True, slots=True)
class Report:
    """What became of the items of one run."""

    status: Status
    counts: Mapping[str, Mapping[str, int]]
    """By kind, then disposition; an empty kind is what could not be read."""

    reasons: Sequence[Row]
    """What waits or is an exception: numbers by kind, state and code."""

    exceptions: Sequence[Mapping[str, Any]]
    """The first of them, one by one, without what they say (personal data)."""

    things: Mapping[str, int]
    """How many things of each kind the masters hold now."""


def listed(*, transaction: Transaction, limit: int = 20) -> list[Row]:
    """Return the last runs, newest first."""
    with transaction() as session:
        return master_loads.listed(session, limit=limit)


def open_run(*, transaction: Transaction) -> Row | None:
    """Return the run that is open, None while none is."""
    with transaction() as session:
        return master_loads.current(session)


def things(*, transaction: Transaction) -> dict[str, int]:
    """Return how many things of each kind the masters hold now."""
    with transaction() as session:
        return reference_bulk.things(session)


def status(run_id: str, *, transaction: Transaction) -> Status:
    """Return how a run stands; empty id: the open one, else the last.

    Raises:
        RejectedError: there is none (LOAD_UNKNOWN).
    """
    with transaction() as session:
        return _status(session, _run(session, run_id))


def report(run_id: str, *, transaction: Transaction, limit: int = 200) -> Report:
    """Return what became of the items of a run, with the first `limit` exceptions.

    Raises:
        RejectedError: there is none (LOAD_UNKNOWN).
    """
    with transaction() as session:
        found = _status(session, _run(session, run_id))
        own = str(found.run["run_id"])
        counts: dict[str, Counter[str]] = {}
        for row in master_loads.counts(session, own):
            counts.setdefault(row["kind"], Counter())[row["disposition"]] += row["number"]
        rows = master_load_held.exceptions(session, own, limit=limit)
        kept = ("role", "file_id", "line", "kind", "object_id", "code", "reason")
        exceptions = [{name: row[name] for name in kept} for row in rows]
        reasons = master_load_held.by_code(session, own)
        return Report(found, counts, reasons, exceptions, reference_bulk.things(session))


def _run(session: Session, run_id: str) -> Row:
    """Return a run by its id, or the open one, or the last."""
    run = master_loads.found(session, run_id) if run_id else master_loads.current(session)
    if run is None and not run_id:
        run = next(iter(master_loads.listed(session, limit=1)), None)
    if run is None:
        raise RejectedError(f"no load {run_id}" if run_id else "there was no load yet", code=LOAD_UNKNOWN)
    return run


def _status(session: Session, run: Row) -> Status:
    files = master_loads.files(session, run["run_id"])
    chunks = master_loads.chunks(session, run["run_id"])
    items, errors = master_loads.totals(session, run["run_id"])
    waits = sum(row["number"] for row in master_loads.counts(session, run["run_id"]) if row["disposition"] == "WAITING")
    come = {file["role"] for file in files}
    return Status(
        run,
        tuple(_progress(file, [one for one in chunks if one["file_id"] == file["file_id"]]) for file in files),
        tuple(role for role in run["roles"] if role not in come),
        waits,
        master_waiting.number_of(session, "load"),
        items,
        errors,
    )


def _progress(file: Row, chunks: Sequence[Row]) -> FileProgress:
    """Return how far a file is, by its last chunks, newest first."""
    rate, eta = 0.0, None
    if len(chunks) > 1:
        took = (chunks[0]["at"] - chunks[-1]["at"]).total_seconds()
        rate = sum(one["items"] for one in chunks[:-1]) / took if took else 0.0
    left = file["items"] - file["taken"]
    if rate and file["state"] != "done":
        eta = file["chunk_at"] + timedelta(seconds=left / rate)
    return FileProgress(
        file["role"], file["name"], file["state"], file["watermark"], file["taken"], file["items"], rate, eta
    )
