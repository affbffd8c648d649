"""What waited, tried again: at once when what it needs comes, else at intervals, at last as a person's work."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from canonical.codes.exchange import DEP_NOT_FOUND
from canonical.codes.linkage import BACKDATED_TOO_FAR
from canonical.errors import ErrorCode, RejectedError
from canonical.master_data import ThingVerdict
from flows.master_data_sync import forward, statements
from flows.master_data_sync.apply import apply, object_of, waiting_id
from flows.master_data_sync.outcome import Outcome
from flows.master_data_sync.policy import Policy
from flows.master_data_sync.said import Said, said_from
from flows.master_data_sync.statements import Judged
from flows.routing import deliver, documents
from flows.routing.deliver import Sending
from store import master_waiting, reference
from store.rows import Row
from store.session import Session, Transaction

BATCH = 200
"""Things tried in one transaction."""


Final = Literal["APPLIED", "DUPLICATE", "SUPERSEDED", "REJECTED"]
"""How a wait ends."""


@dataclass(slots=True)
class Woken:
    """What was applied because what it waited for came."""

    told: list[Said] = field(default_factory=list)
    """In the order in which it was applied."""

    touched: set[str] = field(default_factory=set)
    """Ids that something is now known of."""


def wake(session: Session, touched: Collection[str], *, policy: Policy, now: datetime) -> Woken:
    """Apply what waited for some ids, in the order of its times, and what waited for that."""
    woken, fresh = Woken(), set(touched)
    while fresh:
        rows = master_waiting.about(session, fresh, stage="apply")
        fresh = set()
        for row in rows:
            outcome = _again(session, row, policy=policy, now=now)
            if outcome is not None and outcome.is_news:
                woken.told += forward.news(said_from(row["said"]), outcome, policy)
                fresh |= outcome.touched
        woken.touched |= fresh
    return woken


def waiting(*, transaction: Transaction) -> list[Row]:
    """Return what waits to be applied or passed on, oldest first."""
    with transaction() as session:
        return master_waiting.listed(session)


def release_routes(session: Session, touched: Collection[str], *, sending: Sending) -> None:
    """Send on what was held until it was known to whom it goes, as far as that is known now."""
    for row in master_waiting.about(session, touched, stage="route"):
        _route(session, row, sending=sending)


def advance(*, policy: Policy, sending: Sending, transaction: Transaction) -> int:
    """Try everything again that is due at business time, and return how many things ended their wait."""
    ended = 0
    while True:
        with transaction() as session:
            reference.lock(session)
            rows = master_waiting.due(session, now=sending.now, limit=BATCH)
            for row in rows:
                ended += _advance_one(session, row, policy=policy, sending=sending)
        if len(rows) < BATCH:
            return ended


def _advance_one(session: Session, row: Row, *, policy: Policy, sending: Sending) -> bool:
    """Try one thing that is due; whatever it wakes goes with it."""
    if not master_waiting.still_open(session, row["waiting_id"]):
        return True
    if row["stage"] == "route":
        if _route(session, row, sending=sending):
            return True
        _postpone(session, row, policy, sending, row["reason"])
        return False
    outcome = _again(session, row, policy=policy, now=sending.now)
    if outcome is None:
        return True
    if outcome.disposition == "WAITING":
        _look_again(session, row, outcome, policy, sending)
        return False
    if outcome.is_news:
        own = forward.news(said_from(row["said"]), outcome, policy)
        woken = wake(session, outcome.touched, policy=policy, now=sending.now)
        release_routes(session, outcome.touched | woken.touched, sending=sending)
        forward.tell(session, [*own, *woken.told], sending=sending, retry_in=policy.search_interval, late=True)
    return True


def _route(session: Session, row: Row, *, sending: Sending) -> bool:
    """Try to send one held thing, or document, on."""
    if row["said"]["kind"] == documents.KIND:
        return documents.retry(session, row, sending=sending)
    return forward.retry(session, row, sending=sending)


def _again(session: Session, row: Row, *, policy: Policy, now: datetime) -> Outcome | None:
    """Apply one waiting thing and end its wait, unless it has to go on waiting; None: it was refused, and is work."""
    said = said_from(row["said"])
    try:
        outcome = apply(session, said, policy=policy, now=now)
    except RejectedError as error:
        master_waiting.settle(
            session, row["waiting_id"], state="refused", now=now, code=str(error.code), reason=error.reason
        )
        _tell(session, error.code, said, error.reason, now=now)
        _heard(session, said, "REJECTED", str(error.code), error.reason, None, now=now)
        return None
    if outcome.needs_approval:
        master_waiting.ask(session, row["waiting_id"], code=outcome.code, reason=outcome.reason)
        _tell(session, BACKDATED_TOO_FAR, said, outcome.reason, now=now, queue=policy.queue)
        return None
    if outcome.disposition != "WAITING":
        _heard(session, said, outcome.disposition, outcome.code, outcome.reason, outcome, now=now)
        master_waiting.settle(session, row["waiting_id"], state="done", now=now)
        deliver.resolve(
            session, deliver.work_id(DEP_NOT_FOUND, waiting_id(said)), reason="what it needed came", now=now
        )
    return outcome


def _heard(
    session: Session,
    said: Said,
    disposition: Final,
    code: str,
    reason: str,
    outcome: Outcome | None,
    *,
    now: datetime,
) -> None:
    """Keep how the wait of a statement ended: it has one disposition (I5)."""
    name, kind = object_of(said)
    own = outcome.object_id if outcome is not None and outcome.object_id else name
    verdict = ThingVerdict(own, kind, disposition, code, reason)
    statements.heard(session, [Judged(said, verdict, outcome)], now=now)


def _look_again(session: Session, row: Row, outcome: Outcome, policy: Policy, sending: Sending) -> None:
    """Note a look that found nothing; after the last one it is a person's work."""
    if row["attempts"] + 1 < policy.search_attempts:
        _postpone(session, row, policy, sending, outcome.reason)
        return
    said = said_from(row["said"])
    master_waiting.settle(
        session, row["waiting_id"], state="parked", now=sending.now, code=str(DEP_NOT_FOUND), reason=outcome.reason
    )
    _tell(session, DEP_NOT_FOUND, said, outcome.reason, now=sending.now, queue=sending.routes.queue)


def _postpone(session: Session, row: Row, policy: Policy, sending: Sending, reason: str) -> None:
    due_at = sending.now + policy.search_interval
    master_waiting.postpone(
        session, row["waiting_id"], attempts=row["attempts"] + 1, due_at=due_at, code=row["code"], reason=reason
    )


def _tell(
    session: Session, code: ErrorCode, said: Said, reason: str, *, now: datetime, queue: str = "integration"
) -> None:
    """Make a thing that waited in vain a person's work: nobody waits for an answer any more."""
    name, kind = object_of(said)
    summary = f"{said.wire_verb} {said.noun} of {said.source}, {kind} {name}: {reason}"
    deliver.tell(session, code, waiting_id(said), summary, queue=queue, now=now)
