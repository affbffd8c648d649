"""Ending a first-time load: orphans tried again, queued changes replayed, one line in the change log.

Each step is one short transaction that finds by itself what is left: whoever is killed is replaced by the next pass.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from canonical.codes.master_load import LOAD_ABORTED, LOAD_ABOVE_CEILING, LOAD_EXCEPTIONS
from canonical.granularity import SECOND, Grain
from canonical.holdings import Holding
from flows.master_data_sync import Policy
from flows.master_data_sync.queued import IsQuiet, replay
from flows.master_data_sync.said import Said
from flows.master_load import chunk
from flows.master_load.policy import LoadPolicy
from flows.master_load.run import judge_errors, terms_of
from flows.master_load.stated import Entry
from flows.routing import deliver
from flows.routing.deliver import Sending
from store import master_changes, master_load_held, master_loads, master_waiting
from store.master_changes import Provenance
from store.reference import lock
from store.rows import Row
from store.session import Session, Transaction

REPLAYED_AT_ONCE = 200
"""Changes that are replayed in one transaction."""

OnStep = Callable[[str, int], None]
"""Told after each step: what was done, to how many things."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What the end of a run needs."""

    policy: LoadPolicy
    changes: Policy
    """How changes are taken at this site."""

    sending: Sending
    roles: Mapping[str, str]
    """Role of each caller that is named otherwise."""

    grains: Mapping[str, Grain]
    chunk_size: int = 5000
    on_step: OnStep = lambda _what, _number: None

    @property
    def now(self) -> datetime:
        """Return the business time at which it is ended."""
        return self.sending.now


def advance(ending: Ending, *, transaction: Transaction) -> str:
    """Bring the open run as far as it can go, and return its state; empty where none is open.

    Raises:
        UnavailableError: the database is away; the next call goes on where this one stopped.
    """
    with transaction() as session:
        run = master_loads.current(session)
        if run is None:
            return ""
        state = _state_now(session, run, now=ending.now)
    steps: tuple[Callable[[Session, Row, Ending], int], ...] = ()
    if state == "closing":
        steps = (_try_orphans, _replay)
    elif state == "aborting":
        steps = (_drop_orphans, _replay)
    for step in steps:
        while True:
            with transaction() as session:
                lock(session)
                run = master_loads.found(session, run["run_id"])
                if run is None or run["state"] not in ("closing", "aborting"):
                    return str(run["state"]) if run is not None else ""
                done = step(session, run, ending)
            if not done:
                break
            ending.on_step(_NAMES[step], done)
    with transaction() as session:
        found = master_loads.found(session, run["run_id"])
    return str(found["state"]) if found is not None else ""


def _state_now(session: Session, run: Row, *, now: datetime) -> str:
    """Return the state of a run; it begins to close when every role's file is in and no messages are awaited."""
    if run["state"] != "loading" or run["messages"]:
        return str(run["state"])
    files = master_loads.files(session, run["run_id"])
    done = {file["role"] for file in files if file["state"] == "done"}
    if not done >= set(run["roles"]) or any(file["state"] != "done" for file in files):
        return "loading"
    master_loads.change(session, run["run_id"], now=now, state="closing", reason="every file is in")
    return "closing"


def _try_orphans(session: Session, run: Row, ending: Ending) -> int:
    """Try the next items again that waited for their parents; what has none now is an exception."""
    rows = master_load_held.waiting(session, run["run_id"], limit=ending.chunk_size)
    if not rows:
        return 0
    entries = [_entry(row, ending.grains) for row in rows]
    became = chunk.take(
        session, entries, terms_of(run, ending.policy, ending.changes.records, is_last_try=True), now=ending.now
    )
    exceptions: dict[tuple[str, str], list[int]] = {}
    counts: dict[str, Counter[tuple[str, str]]] = {}
    loaded = []
    for row, end in zip(rows, became, strict=True):
        counts.setdefault(row["file_id"], Counter()).update(
            {(row["kind"], "WAITING"): -1, (row["kind"], end.disposition): 1}
        )
        if end.disposition == "EXCEPTION":
            exceptions.setdefault((end.code, end.reason), []).append(row["row"])
        else:
            loaded.append(row["row"])
    master_load_held.settle(session, loaded, state="loaded")
    for (code, reason), names in exceptions.items():
        master_load_held.settle(session, names, state="exception", code=code, reason=reason)
    for file_id, own in counts.items():
        master_loads.count(session, run["run_id"], file_id, own)
    if len(rows) < ending.chunk_size:
        judge_errors(session, run, ending.policy, now=ending.now)
    return len(rows)


def _drop_orphans(session: Session, run: Row, ending: Ending) -> int:
    """End the wait of the next items of a run that was aborted."""
    rows = master_load_held.waiting(session, run["run_id"], limit=ending.chunk_size)
    names = [row["row"] for row in rows]
    master_load_held.settle(session, names, state="exception", code=str(LOAD_ABORTED), reason=run["reason"])
    for row in rows:
        moved = {(row["kind"], "WAITING"): -1, (row["kind"], "CANCELLED"): 1}
        master_loads.count(session, run["run_id"], row["file_id"], moved)
    return len(rows)


def _replay(session: Session, run: Row, ending: Ending) -> int:
    """Apply the next changes that waited; when none is left the run is over, in the same transaction."""
    done = replay(
        session,
        policy=ending.changes,
        sending=ending.sending,
        is_quiet=_quiet(session, run, ending.roles),
        limit=REPLAYED_AT_ONCE,
    )
    counts: Counter[tuple[str, str]] = Counter()
    for words, number in done.quiet.items():
        kind, _, disposition = words.partition(" ")
        counts[(f"message {kind}", disposition)] += number
    master_loads.count(session, run["run_id"], "", counts)
    if not done.things:
        _end(session, run, ending)
    return done.things


def _quiet(session: Session, run: Row, roles: Mapping[str, str]) -> IsQuiet:
    """Return what knows whether a change is part of the load: said up to the watermark of its system's file."""
    watermarks: dict[str, datetime] = {}
    for file in master_loads.files(session, run["run_id"]):
        at = file["watermark"]
        watermarks[file["role"]] = max(at, watermarks.get(file["role"], at))
    messages, never = set(run["messages"]), datetime.min.replace(tzinfo=UTC)

    def is_quiet(said: Said) -> bool:
        role = roles.get(said.source, said.source)
        return role in messages or said.said_at <= watermarks.get(role, never)

    return is_quiet


def _end(session: Session, run: Row, ending: Ending) -> None:
    """End a run: subscribers see one line, what waited for anything is looked at, exceptions are work."""
    name, now = run["run_id"], ending.now
    state = "done" if run["state"] == "closing" else "aborted"
    master_loads.change(session, name, now=now, state=state, ended_at=now)
    master_changes.note_load(session, name, by=Provenance(",".join(run["roles"]), name), now=now)
    master_waiting.all_due(session, now=now)
    ceiling = deliver.work_id(LOAD_ABOVE_CEILING, name)
    deliver.resolve(session, ceiling, reason=f"the load is {state}", now=now)
    _, errors = master_loads.totals(session, name)
    if errors and state == "done":
        summary = f"{errors} items of first-time load {name} are not in the masters: `amihub load report {name}`"
        deliver.tell(session, LOAD_EXCEPTIONS, name, summary, queue=ending.policy.queue, now=now)


def _entry(row: Row, grains: Mapping[str, Grain]) -> Entry:
    """Return the item that a row holds."""
    holding = Holding(row["kind"], row["object_id"], row["valid_from"], row["valid_to"], row["facts"])
    return Entry(holding, row["line"], row["role"], row["watermark"], grains.get(row["role"], SECOND))


_NAMES: Mapping[Callable[..., int], str] = {
    _try_orphans: "items that waited for others, tried again",
    _drop_orphans: "items given up",
    _replay: "changes replayed",
}
