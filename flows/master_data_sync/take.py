"""Taking a message of master data: each object judged by itself, recorded, told on, and answered."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from canonical.codes.message import NOT_SUPPORTED_HERE
from canonical.errors import RejectedError
from canonical.master_data import MasterData, ThingVerdict
from canonical.messages import Message, Reply
from canonical.replies import of_object
from flows.master_data_sync import forward, statements, waking
from flows.master_data_sync.apply import apply, object_of, wait
from flows.master_data_sync.outcome import Outcome
from flows.master_data_sync.policy import Policy
from flows.master_data_sync.queued import queue
from flows.master_data_sync.said import Said, said_in
from flows.master_data_sync.statements import Judged
from flows.master_data_sync.waking import Woken
from flows.routing.deliver import Encode, Sending
from flows.routing.routes import Routes
from store import master_loads, names, reference
from store.session import Session


def take(
    session: Session, message: Message[MasterData], *, policy: Policy, routes: Routes, encode: Encode, now: datetime
) -> Reply:
    """Take one message of master data; the handler for `spine.receive`. `now` is business time.

    Every object ends in one disposition (I5): applied, a repeat, superseded, waiting for what it speaks of, or refused.
    What is applied goes to the roles that the routes name, in the same transaction. OK: nothing is refused; PARTIAL:
    some are, each named in the details; FAILED: all are. While a first-time load is open everything waits for its end.

    Raises:
        RejectedError: a `cancel`: master data is ended or taken back, never withdrawn (NOT_SUPPORTED_HERE).
    """
    payload = message.payload
    if payload.verb == "cancel":
        raise RejectedError("master data is closed or deleted", code=NOT_SUPPORTED_HERE, where="Header/Verb")
    reference.lock(session)
    for one in payload.known_as:
        names.learn(session, one.name, one.object_id, one.object_type)
    verdicts, told, woken, judged = list(payload.refused), list[Said](), Woken(), list[Judged]()
    is_loading = master_loads.is_open(session)
    for said in said_in(message, now=now):
        verdict, outcome = (
            queue(session, said, now=now) if is_loading else _judged(session, said, policy=policy, now=now)
        )
        verdicts.append(verdict)
        judged.append(Judged(said, verdict, outcome))
        if outcome is not None and outcome.is_news:
            told += forward.news(said, outcome, policy)
            freed = waking.wake(session, outcome.touched, policy=policy, now=now)
            woken = Woken(woken.told + freed.told, woken.touched | freed.touched | outcome.touched)
    statements.heard(session, judged, now=now)
    sending = Sending(routes, encode, now)
    # First what was held for want of a territory, then this message, then what had waited for it.
    waking.release_routes(session, woken.touched, sending=sending)
    forward.tell(session, told, sending=sending, retry_in=policy.search_interval)
    forward.tell(session, woken.told, sending=sending, retry_in=policy.search_interval, late=True)
    return _reply(message.header.correlation_id, verdicts)


def _judged(session: Session, said: Said, *, policy: Policy, now: datetime) -> tuple[ThingVerdict, Outcome | None]:
    """Apply one object, or let it wait; return what its sender is told, and the outcome unless it was refused."""
    name, kind = object_of(said)
    try:
        outcome = apply(session, said, policy=policy, now=now)
    except RejectedError as error:
        return ThingVerdict(name, kind, "REJECTED", str(error.code), error.reason), None
    if outcome.disposition == "WAITING":
        wait(session, said, outcome, policy=policy, now=now)
    own = outcome.object_id or name
    return ThingVerdict(own, outcome.object_type, outcome.disposition, reason=outcome.reason), outcome


def _reply(correlation_id: str, verdicts: Sequence[ThingVerdict]) -> Reply:
    """Return what the sender is told: counts by disposition, and each refused object with code and reason."""
    counts = Counter(one.disposition for one in verdicts)
    refused = [one for one in verdicts if one.disposition == "REJECTED"]
    details = {name.lower(): str(number) for name, number in sorted(counts.items())}
    if not refused:
        return Reply("OK", correlation_id, details=details)
    details |= dict(of_object(one.object_type, one.object_id, one.code, one.reason) for one in refused)
    result = "FAILED" if len(refused) == len(verdicts) else "PARTIAL"
    return Reply(result, correlation_id, refused[0].code, refused[0].reason, details)  # type: ignore[arg-type]
