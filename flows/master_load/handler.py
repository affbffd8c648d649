"""Taking the FULL file of a system into the masters: chunk by chunk, each one transaction with its checkpoint."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from canonical.billing import ItemVerdict
from canonical.codes.master_load import LOAD_ABORTED, LOAD_PAUSED, LOAD_UNKNOWN, WITHDRAWN_IN_LOAD
from canonical.errors import RejectedError, UnavailableError
from canonical.granularity import SECOND, Grain
from canonical.holdings import Holding
from canonical.messages import Item, Rejection
from flows.file_handling import FileContext
from flows.master_data_sync.file_changes import watermark_of
from flows.master_data_sync.records import Records
from flows.master_load import chunk
from flows.master_load.policy import LoadPolicy
from flows.master_load.run import Counts, counts_of, hold, judge_errors, terms_of
from flows.master_load.stated import VERSIONED, Became, Entry
from store import master_load_held, master_loads, reference_bulk
from store.master_loads import MasterLoadFile
from store.master_origins import MASTER_ORIGIN
from store.reference import INSTALLATION, lock
from store.rows import Row
from store.session import Session

OnChunk = Callable[[str, int, int], None]
"""Told after each chunk: name of the file, items taken, items in it. The chunk may still be rolled back."""


@dataclass(slots=True)
class LoadHandler:
    """Takes the files of the run that is open (`flows.file_handling.FileHandler`)."""

    policy: LoadPolicy
    machine_now: Callable[[], datetime]
    """Real time, for how fast it goes; only counts and times of chunks depend on it."""

    grains: Mapping[str, Grain] = field(default_factory=lambda: MappingProxyType({}))
    """How finely roles keep time; to the second where none is named."""

    records: Records = field(default_factory=Records)
    """Who is the master of which field."""

    on_chunk: OnChunk = lambda _name, _taken, _items: None

    def begin(self, session: Session, file: FileContext) -> None:
        """Note that the open run takes a file.

        Raises:
            RejectedError: no run is open, or its watermark is no instant.
        """
        run = master_loads.current(session)
        if run is None:
            raise RejectedError("no first-time load is open", code=LOAD_UNKNOWN, where=file.name)
        at = self.machine_now()
        row = MasterLoadFile(
            run_id=run["run_id"], file_id=file.file_id, role=file.role, name=file.name, watermark=watermark_of(file),
            items=file.facts.items, began_at=at, chunk_at=at,
        )  # fmt: skip
        master_loads.add_file(session, row)

    def handle(
        self, session: Session, file: FileContext, batch: Sequence[Item[Any] | Rejection], *, now: datetime
    ) -> Sequence[ItemVerdict]:
        """Take one chunk: what is new by COPY, what is known merged by field, what has no parents kept for the end.

        Raises:
            UnavailableError: the run is paused (LOAD_PAUSED); the file goes on behind its last chunk.
        """
        mine, run = _run_of(session, file)
        if run["state"] == "paused":
            raise UnavailableError(run["reason"], code=LOAD_PAUSED, where=file.name)
        if run["state"] != "loading":
            return self._refuse(session, run, file, batch)
        lock(session)
        items = [one for one in batch if isinstance(one, Item) and isinstance(one.payload, Holding)]
        grain = self.grains.get(file.role, SECOND)
        entries = [Entry(one.payload, one.line, file.role, mine["watermark"], grain) for one in items]
        became = chunk.take(session, entries, terms_of(run, self.policy, self.records), now=now)
        hold(session, run, file.file_id, entries, became)
        ends = {one.line: _told(one, end) for one, end in zip(items, became, strict=True)}
        refused = [one for one in batch if one.line not in ends]
        _keep_refused(session, run, file, mine["watermark"], refused)
        counts = counts_of(entries, became) + Counter(
            ("", "REJECTED" if _verdict_of(one).verdict == "REJECTED" else "DUPLICATE") for one in refused
        )
        self._note(session, run, file, mine, counts, last_line=batch[-1].line)
        judge_errors(session, run, self.policy, now=now)
        return [ends.get(one.line) or _verdict_of(one) for one in batch]

    def finish(self, session: Session, file: FileContext, *, now: datetime) -> None:
        """Note that a file was taken whole; the run goes on by its own steps (`advance`)."""
        _, run = _run_of(session, file)
        master_loads.end_file(session, run["run_id"], file.file_id)

    def _note(
        self, session: Session, run: Row, file: FileContext, mine: Row, counts: Counts, *, last_line: int
    ) -> None:
        """Note a chunk, and have tables looked at that have grown many times since their beginning."""
        name = run["run_id"]
        before = Counter[str]()
        for row in master_loads.counts(session, name):
            before[row["kind"]] += row["number"]
        at, taken = self.machine_now(), mine["taken"] + sum(counts.values())
        master_loads.note_chunk(session, name, file.file_id, counts, last_line=last_line, machine_now=at)
        for kind in {kind for kind, _ in counts}:
            fresh = sum(number for (own, _), number in counts.items() if own == kind)
            if kind and _has_grown(before[kind], before[kind] + fresh):
                for table in (_TABLES.get(kind, INSTALLATION), MASTER_ORIGIN):
                    reference_bulk.analyze(session, table)
        self.on_chunk(file.name, taken, mine["items"])

    def _refuse(
        self, session: Session, run: Row, file: FileContext, batch: Sequence[Item[Any] | Rejection]
    ) -> Sequence[ItemVerdict]:
        """Refuse what is left of a file whose run was aborted, so that every item has an end."""
        counts = Counter({("", "CANCELLED"): len(batch)})
        at = self.machine_now()
        master_loads.note_chunk(session, run["run_id"], file.file_id, counts, last_line=batch[-1].line, machine_now=at)
        return [ItemVerdict(one.key, "REJECTED", str(LOAD_ABORTED), run["reason"], one.line) for one in batch]


_TABLES = {str(kind): master.table for kind, master in VERSIONED.items()}


def _has_grown(before: int, after: int) -> bool:
    """Return whether a number of items passed a power of four: statistics of a table go stale as it grows."""
    return (before.bit_length() + 1) // 2 != (after.bit_length() + 1) // 2


def _run_of(session: Session, file: FileContext) -> tuple[Row, Row]:
    """Return a file's row and its run's."""
    mine = master_loads.file(session, file.file_id)
    run = master_loads.found(session, mine["run_id"]) if mine is not None else None
    if mine is None or run is None:
        raise ValueError(f"{file.file_id} was not begun")
    return mine, run


def _keep_refused(
    session: Session, run: Row, file: FileContext, watermark: datetime, refused: Sequence[Item[Any] | Rejection]
) -> None:
    """Keep what could not be read, or is no holding, among the exceptions of the run."""
    rows = [
        {
            "run_id": run["run_id"], "file_id": file.file_id, "role": file.role, "line": said.line, "kind": "",
            "turn": -1, "object_id": said.key, "valid_from": None, "valid_to": None, "facts": {},
            "watermark": watermark, "state": "exception", "code": said.code, "reason": said.reason,
        }
        for said in map(_verdict_of, refused)
        if said.verdict == "REJECTED"
    ]  # fmt: skip
    master_load_held.add(session, rows)


def _verdict_of(one: Item[Any] | Rejection) -> ItemVerdict:
    """Return what the sender is told of what is no holding."""
    if isinstance(one, Rejection):
        return ItemVerdict(one.key, one.verdict, one.code, one.reason, one.line)
    reason = "a first-time load takes what is held"
    return ItemVerdict(one.key, "REJECTED", str(WITHDRAWN_IN_LOAD), reason, one.line)


def _told(item: Item[Any], became: Became) -> ItemVerdict:
    """Return what the sender is told of a holding."""
    match became.disposition:
        case "APPLIED":
            return ItemVerdict(item.key, "ACCEPTED", became.code, became.reason, item.line)
        case "DUPLICATE":
            return ItemVerdict(item.key, "DUPLICATE", became.code, became.reason or "it is so already", item.line)
        case "EXCEPTION" | "REJECTED":
            return ItemVerdict(item.key, "REJECTED", became.code, became.reason, item.line)
        case "BEFORE_HISTORY":
            return ItemVerdict(item.key, "ACCEPTED", reason="over before the depth of history", line=item.line)
        case "SUPERSEDED" | "WAITING":
            return ItemVerdict(item.key, "ACCEPTED", became.code, became.reason, item.line)
