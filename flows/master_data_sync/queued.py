"""What is said of masters while a first-time load is open: durably taken, kept waiting, and replayed when it ends.

A load takes things as they stood at its senders' watermarks, in no order of time; a change applied in the middle of it
would be linked against half of what exists. So everybody's changes wait, and then go on in the order in which they took
effect and were said. What a snapshot knew already changes nothing: each field keeps when it was said.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from canonical.errors import RejectedError
from canonical.ids import mint
from canonical.master_data import ThingVerdict
from flows.master_data_sync import forward, statements, waking
from flows.master_data_sync.apply import apply, object_of, wait
from flows.master_data_sync.outcome import Outcome
from flows.master_data_sync.policy import Policy
from flows.master_data_sync.said import Said, facts_of, said_from
from flows.master_data_sync.statements import Judged
from flows.routing import deliver
from flows.routing.deliver import Sending
from store import master_waiting
from store.master_waiting import MasterWaiting
from store.rows import Row
from store.session import Session

REASON = "a first-time load is open"

IsQuiet = Callable[[Said], bool]
"""Whether a statement is part of what is loaded, so that nobody is told of it."""


def queue(session: Session, said: Said, *, now: datetime) -> tuple[ThingVerdict, Outcome]:
    """Let one thing wait for the end of the load that is open; the same thing again waits once."""
    name, kind = object_of(said)
    row = MasterWaiting(
        waiting_id=mint("waiting", "load", said.source, said.message_id, said.place),
        stage="load",
        source=said.source,
        message_id=said.message_id,
        place=said.place,
        said=facts_of(said),
        effective_at=said.effective_at,
        order_in_instant=said.order[1],
        said_at=said.stamp,
        due_at=now,
        first_at=now,
        reason=REASON,
    )
    master_waiting.add(session, row, awaited=())
    return ThingVerdict(name, kind, "WAITING", reason=REASON), Outcome("WAITING", name, kind, reason=REASON)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of one batch of changes that waited."""

    things: int
    dispositions: Mapping[str, int] = field(default_factory=dict)
    """Counts by disposition."""

    quiet: Mapping[str, int] = field(default_factory=dict)
    """The same of what was part of the load, by `kind disposition`."""


def replay(session: Session, *, policy: Policy, sending: Sending, is_quiet: IsQuiet, limit: int) -> Replayed:
    """Apply the next changes that waited for a load, in order of effective and said time; the caller holds the lock."""
    rows = master_waiting.of_stage(session, "load", limit=limit)
    dispositions, quiet = Counter[str](), Counter[str]()
    for row in rows:
        said = said_from(row["said"])
        verdict = _replay_one(session, row, said, policy=policy, sending=sending, is_quiet=is_quiet)
        (quiet if is_quiet(said) else dispositions)[f"{verdict.object_type} {verdict.disposition}"] += 1
    return Replayed(len(rows), dispositions, quiet)


def _replay_one(
    session: Session, row: Row, said: Said, *, policy: Policy, sending: Sending, is_quiet: IsQuiet
) -> ThingVerdict:
    """Apply one change; what it still needs it waits for like any other, what is refused is work."""
    now = sending.now
    name, kind = object_of(said)
    try:
        outcome = apply(session, said, policy=policy, now=now)
    except RejectedError as error:
        _settle(session, row, "refused", now, str(error.code), error.reason)
        summary = f"{said.wire_verb} {said.noun} of {said.source}, {kind} {name}: {error.reason}"
        deliver.tell(session, error.code, row["waiting_id"], summary, queue=sending.routes.queue, now=now)
        verdict = ThingVerdict(name, kind, "REJECTED", str(error.code), error.reason)
        statements.heard(session, [Judged(said, verdict, None)], now=now)
        return verdict
    if outcome.disposition == "WAITING":
        wait(session, said, outcome, policy=policy, now=now)
    _settle(session, row, "done", now)
    verdict = ThingVerdict(outcome.object_id or name, kind, outcome.disposition, reason=outcome.reason)
    statements.heard(session, [Judged(said, verdict, outcome)], now=now)
    if outcome.is_news:
        own = [] if is_quiet(said) else forward.news(said, outcome, policy)
        woken = waking.wake(session, outcome.touched, policy=policy, now=now)
        told = [*own, *(one for one in woken.told if not is_quiet(one))]
        waking.release_routes(session, outcome.touched | woken.touched, sending=sending)
        forward.tell(session, told, sending=sending, retry_in=policy.search_interval, late=True)
    return verdict


def _settle(session: Session, row: Row, state: str, now: datetime, code: str = "", reason: str = "") -> None:
    master_waiting.settle(session, row["waiting_id"], state=state, now=now, code=code, reason=reason)
