"""Taking a message of master data: each object judged by itself, recorded, told on, and answered."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from canonical.codes.message import NOT_SUPPORTED_HERE
from canonical.errors import RejectedError
from canonical.master_data import MasterData, ThingVerdict
from canonical.messages import Message, Reply
from canonical.replies import of_object
from canonical.rollout import Completion
from flows.master_data_sync import intake
from flows.master_data_sync.policy import Policy
from flows.master_data_sync.said import said_in
from flows.routing.deliver import Encode, Sending
from flows.routing.routes import Routes
from store import names, reference
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
    message, unheard = _without_field_results(message)
    reference.lock(session)
    for one in payload.known_as:
        names.learn(session, one.name, one.object_id, one.object_type)
    taken = intake.judge(session, said_in(message, now=now), policy=policy, now=now)
    intake.conclude(session, taken, policy=policy, sending=Sending(routes, encode, now))
    return _reply(message.header.correlation_id, [*payload.refused, *unheard, *(one.verdict for one in taken.judged)])


def _without_field_results(message: Message[MasterData]) -> tuple[Message[MasterData], list[ThingVerdict]]:
    """Return a message without work that exchanged nothing, each of which is refused: a rollout alone asks for it."""
    payload = message.payload
    kept = [place for place, one in enumerate(payload.things) if not isinstance(one, Completion)]
    if len(kept) == len(payload.things):
        return message, []
    reason = "only a rollout of meters takes work that exchanged nothing"
    verdicts = [
        ThingVerdict(one.usage_point or one.usage_point_name, "UsagePoint", "REJECTED", str(NOT_SUPPORTED_HERE), reason)
        for one in payload.things
        if isinstance(one, Completion)
    ]
    stated = tuple(payload.stated[place] for place in kept) if payload.stated else ()
    rest = replace(payload, things=tuple(payload.things[place] for place in kept), stated=stated)
    return replace(message, payload=rest), verdicts


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
