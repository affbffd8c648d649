"""On-demand reads: others ask the hub for readings; the MDMS is asked, and the answer given at once or sent later."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from canonical.codes import message as codes
from canonical.errors import ErrorCode, RejectedError, UnavailableError
from canonical.ids import mint
from canonical.messages import Header, Message, Parcel, Reply
from canonical.metering import MeterReadings
from canonical.ports import MeterDataSystem
from canonical.questions import ReadingsAnswer, ReadingsAsked, RequestChange, Unanswered
from store import deliveries, readings, requests, withdrawals
from store.requests import Taken
from store.session import Session, Transaction


@dataclass(frozen=True, slots=True)
class Policy:
    """What a site allows."""

    role: str = "mdms"
    """Role that is asked."""

    sync_limit: int = 20
    """Usage points that are answered while the caller waits."""

    bulk_limit: int = 5000
    """Usage points of one request at all."""

    deadline_s: float = 3600.0
    """How long a request may take, in business seconds, where it does not say so itself."""

    timeout_s: float = 30.0
    """Patience with one question to the role."""

    from_store: bool = False
    """Whether what the hub holds may be told, with source and time, while the role is away."""


class Encode(Protocol):
    """Says an answer in the words of whoever asked."""

    def __call__(self, message: Message[ReadingsAnswer], *, reply_to: str) -> Parcel:
        """Return the answer as wire bytes; pure."""
        ...


def register(session: Session, message: Message[Any], *, policy: Policy, now: datetime) -> Reply:
    """Keep a request durably, or withdraw or change an earlier one; the handler of `spine.receive`.

    Raises:
        RejectedError: too many objects for a caller who waits, or at all (BULK_NEEDS_ASYNC); or nothing could be
            withdrawn (REQUEST_NOT_FOUND, REQUEST_AMBIGUOUS, REQUEST_FINAL, REQUEST_UNDER_WAY).
    """
    header, payload = message.header, message.payload
    if isinstance(payload, RequestChange):
        return _withdraw(session, header, payload, policy=policy, now=now)
    _check_size(payload, policy)
    deadline = now + timedelta(seconds=min(payload.deadline_s or policy.deadline_s, policy.deadline_s))
    request_id = requests.open_request(session, header, payload, deadline=deadline, now=now)
    return Reply("OK", header.correlation_id, details={"request": request_id, "reply_to": payload.reply_to})


def _check_size(asked: ReadingsAsked, policy: Policy) -> None:
    allowed = policy.bulk_limit if asked.reply_to else policy.sync_limit
    if len(asked.questions) > allowed:
        raise RejectedError(f"{len(asked.questions)} objects, {allowed} are answered so", code=codes.BULK_NEEDS_ASYNC)


_REFUSALS: dict[str, ErrorCode] = {
    "not found": codes.REQUEST_NOT_FOUND,
    "ambiguous": codes.REQUEST_AMBIGUOUS,
    "final": codes.REQUEST_FINAL,
    "under way": codes.REQUEST_UNDER_WAY,
}


def _withdraw(session: Session, header: Header, change: RequestChange, *, policy: Policy, now: datetime) -> Reply:
    """Withdraw or change a request: done, or one of four coded refusals."""
    if change.asked is not None:
        allowed = policy.bulk_limit
        if len(change.asked.questions) > allowed:
            raise RejectedError(f"more than {allowed} objects", code=codes.BULK_NEEDS_ASYNC)
    outcome, request_id = withdrawals.withdraw(
        session,
        source=header.source,
        correlation_id=header.correlation_id,
        message_id=change.message_id,
        now=now,
        instead=change.asked,
        code=str(codes.CANCELLED_BY_CALLER),
    )
    if outcome != "done":
        raise RejectedError(f"request {header.correlation_id}: {outcome}", code=_REFUSALS[outcome])
    return Reply("OK", header.correlation_id, details={"withdrawn": request_id})


def answer_now(
    request_id: str,
    *,
    meter_data: MeterDataSystem,
    encode: Encode,
    transaction: Transaction,
    now: Callable[[], datetime],
    machine_now: datetime,
    policy: Policy,
) -> bytes | None:
    """Return the answer of a request whose caller waits, the first one for a repeat; None while another is at it."""
    with transaction() as session:
        known = requests.first_answer(session, request_id)
        lease_s = policy.timeout_s * 2 + 60
        taken = (
            requests.take(session, machine_now=machine_now, lease_s=lease_s, request_id=request_id, only_async=False)
            if known is None
            else None
        )
    if known is not None or taken is None:
        return known
    return _carry_out(taken, meter_data=meter_data, encode=encode, transaction=transaction, now=now, policy=policy)


def advance(
    *,
    meter_data: MeterDataSystem,
    encode: Encode,
    transaction: Transaction,
    now: Callable[[], datetime],
    machine_now: datetime,
    policy: Policy,
) -> bool:
    """Carry out one asynchronous request and enqueue its answer; then end what is overdue. False: nothing was due."""
    with transaction() as session:
        lease_s = policy.timeout_s * (policy.bulk_limit / 100 + 2)
        taken = requests.take(session, machine_now=machine_now, lease_s=lease_s)
    if taken is not None:
        _carry_out(taken, meter_data=meter_data, encode=encode, transaction=transaction, now=now, policy=policy)
    return end_overdue(encode=encode, transaction=transaction, now=now()) > 0 or taken is not None


def _carry_out(
    taken: Taken,
    *,
    meter_data: MeterDataSystem,
    encode: Encode,
    transaction: Transaction,
    now: Callable[[], datetime],
    policy: Policy,
) -> bytes:
    """Ask, then write outcome, answer and delivery in one transaction; return the answer's bytes."""
    found = _ask(taken, meter_data, transaction, now(), policy)
    return _give(taken, found, encode=encode, transaction=transaction, now=now())


def _ask(
    taken: Taken, meter_data: MeterDataSystem, transaction: Transaction, now: datetime, policy: Policy
) -> ReadingsAnswer:
    """Return what the role says, or the hub's own store where the role is away and the site allows it."""
    try:
        told = tuple(meter_data.readings(taken.questions, timeout_s=policy.timeout_s))
    except UnavailableError as error:
        if policy.from_store and not any(question.fresh for question in taken.questions):
            return _from_store(taken, transaction, now)
        return _nothing(taken, str(codes.PARTNER_AWAY), error.reason)
    except RejectedError as error:
        return _nothing(taken, str(error.code), error.reason)
    return ReadingsAnswer(told, _missing(taken, told), policy.role)


def _from_store(taken: Taken, transaction: Transaction, now: datetime) -> ReadingsAnswer:
    """Return what the hub holds for a request."""
    told: list[MeterReadings] = []
    with transaction() as session:
        for question in taken.questions:
            held = readings.held(session, [question.usage_point], question.period).get(question.usage_point)
            if held is not None:
                meters = [one.meter for one in held.registers] + [one.meter for one in held.blocks]
                meter = next(iter(meters), "")
                told.append(MeterReadings(question.usage_point, meter, held.registers, held.blocks))
    return ReadingsAnswer(tuple(told), _missing(taken, told), "store", now)


def _missing(taken: Taken, told: Sequence[MeterReadings]) -> tuple[Unanswered, ...]:
    """Return the objects of a request that nothing was said of."""
    known = {one.usage_point for one in told}
    reason = "no readings of it for the span"
    return tuple(
        Unanswered(point, str(codes.READINGS_UNAVAILABLE), reason)
        for point in dict.fromkeys(question.usage_point for question in taken.questions)
        if point not in known
    )


def _nothing(taken: Taken, code: str, reason: str) -> ReadingsAnswer:
    """Return an answer in which every object failed alike."""
    points = dict.fromkeys(question.usage_point for question in taken.questions)
    return ReadingsAnswer((), tuple(Unanswered(point, code, reason) for point in points))


def end_overdue(*, encode: Encode, transaction: Transaction, now: datetime) -> int:
    """End requests whose deadline has passed, and say so to whoever asked; return their number."""
    with transaction() as session:
        late = requests.overdue(session, now=now)
    for taken in late:
        found = _nothing(taken, str(codes.REQUEST_TIMED_OUT), "the deadline has passed")
        _give(taken, found, encode=encode, transaction=transaction, now=now)
    return len(late)


def _give(taken: Taken, found: ReadingsAnswer, *, encode: Encode, transaction: Transaction, now: datetime) -> bytes:
    """Write how a request ended with its answer, and its delivery where nobody waits; a late answer is only kept."""
    header = Header(
        message_id=mint("request-answer", taken.request_id),
        source=taken.header.source,
        verb="reply",
        noun="MeterReadings",
        correlation_id=taken.header.correlation_id,
        causation_id=taken.header.message_id,
        created_at=now,
        lane=taken.request_id,
    )
    message = Message(header, found)
    parcel = encode(message, reply_to=taken.reply_to)
    body = parcel.body or b""
    failed = {one.object_id: (one.code, one.reason) for one in found.unanswered}
    with transaction() as session:
        end = requests.settle(session, taken.request_id, failed, now=now)
        requests.keep_answer(session, taken.request_id, body, late=end is None, now=now)
        if end is not None and taken.reply_to:
            deliveries.enqueue(session, header=header, parcel=parcel, destination=taken.reply_to, now=now)
    return body
