"""On-demand reads: others ask the hub for readings; the MDMS is asked, and the answer given at once or sent later.

docs/flows/on_demand_read.md tells how a request lives: store.request_states says in which states.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from canonical.codes import exchange
from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.ids import mint
from canonical.messages import Header, Message, Parcel, Reply
from canonical.metering import MeterReadings
from canonical.questions import ReadingsAnswer, ReadingsAsked, RequestChange, Result
from flows.billing_exchange import readings_arrived
from flows.read_desk import Desk, Encode, HeldAnswer
from flows.read_round import AnswerWriter, Policy, Round, all_failed, ask, put_together
from flows.read_subjects import resolve
from flows.read_withdrawal import withdraw
from store import awaited_answers, deliveries, request_facts, request_turns, requests
from store.request_states import outcome_of
from store.request_turns import Taken
from store.session import Session, Transaction

__all__ = [
    "AnswerWriter",
    "Desk",
    "Encode",
    "HeldAnswer",
    "Policy",
    "advance",
    "answer_now",
    "end_overdue",
    "register",
    "retry",
]

_RESULTS: dict[str, Result] = {"SUCCESSFUL": "OK", "PARTIAL_SUCCESS": "PARTIAL", "FAILED": "FAILED"}


def register(session: Session, message: Message[Any], *, policy: Policy, now: datetime) -> Reply:
    """Keep a request durably, or withdraw or change an earlier one; the handler of `spine.receive`.

    Raises:
        RejectedError: too many objects for a caller who waits, or at all (BULK_NEEDS_ASYNC); times that cannot be
            (SCHEDULE_REFUSED, REQUEST_EXPIRED); too many unanswered requests (TOO_MANY_PENDING); a name
            of several usage points (AMBIGUOUS_SUBJECT); or nothing could be
            withdrawn (REQUEST_NOT_FOUND, REQUEST_AMBIGUOUS, REQUEST_FINAL, REQUEST_UNDER_WAY).
    """
    header, asked = message.header, message.payload
    if isinstance(asked, RequestChange):
        if asked.asked is not None:
            instead = resolve(session, asked.asked)
            _check_size(instead, policy.bulk_limit)
            asked = replace(asked, asked=instead)
        return withdraw(session, header, asked, now=now)
    asked = resolve(session, asked)
    _check_size(asked, policy.bulk_limit if asked.reply_to else policy.sync_limit)
    _check_times(asked, now)
    if asked.reply_to and requests.pending(session, header.source) >= policy.pending_limit:
        raise RejectedError(f"{policy.pending_limit} requests are unanswered", code=exchange.TOO_MANY_PENDING)
    begins = max(now, asked.not_before or now)
    deadline = begins + timedelta(seconds=min(asked.deadline_s or policy.deadline_s, policy.deadline_s))
    request_id = requests.open_request(session, header, asked, deadline=deadline, now=now)
    return Reply("OK", header.correlation_id, details={"request": request_id, "reply_to": asked.reply_to})


def _check_size(asked: ReadingsAsked, allowed: int) -> None:
    objects = len({question.usage_point for question in asked.questions})
    if objects > allowed:
        raise RejectedError(f"{objects} objects, {allowed} are answered so", code=codes.BULK_NEEDS_ASYNC)


def _check_times(asked: ReadingsAsked, now: datetime) -> None:
    """Refuse a request that cannot be begun between its times, or whose caller would wait for its beginning."""
    begins = max(now, asked.not_before or now)
    if asked.expires_at is not None and asked.expires_at <= now:
        raise RejectedError(f"expired at {asked.expires_at.isoformat()}", code=exchange.REQUEST_EXPIRED)
    if asked.expires_at is not None and asked.expires_at <= begins:
        raise RejectedError("it expires before it begins", code=exchange.SCHEDULE_REFUSED)
    if begins > now and not asked.reply_to:
        raise RejectedError("nobody waits for what begins later", code=exchange.SCHEDULE_REFUSED)


def answer_now(request_id: str, *, desk: Desk) -> bytes | None:
    """Return the answer of a request whose caller waits, the first one for a repeat; None while another is at it."""
    policy = desk.policy
    with desk.transaction() as session:
        known = requests.first_answer(session, request_id)
        taken = None
        if known is None:
            taken = request_turns.take(
                session, now=desk.now(), machine_now=desk.machine_now, lease_s=policy.timeout_s * 2 + 60,
                request_id=request_id, only_async=False,
            )  # fmt: skip
    if known is not None or taken is None:
        return known
    parcels = _carry_out(taken, desk)
    return parcels[0].body


def advance(*, desk: Desk) -> bool:
    """Carry out one asynchronous request and enqueue its answer; then end what is overdue. False: nothing was due."""
    policy = desk.policy
    with desk.transaction() as session:
        lease_s = policy.timeout_s * (policy.bulk_limit / 100 + 2)
        taken = request_turns.take(session, now=desk.now(), machine_now=desk.machine_now, lease_s=lease_s)
    if taken is not None:
        _carry_out(taken, desk)
    return end_overdue(desk=desk) > 0 or taken is not None


def retry(request_id: str, *, transaction: Transaction, now: datetime, policy: Policy) -> int:
    """Let the failed objects of an asynchronous request that has ended be asked again; return their number."""
    deadline = now + timedelta(seconds=policy.deadline_s)
    with transaction() as session:
        return request_turns.retry(session, request_id, deadline=deadline)


def end_overdue(*, desk: Desk) -> int:
    """End requests whose deadline has passed, or that were not begun in time; say so to whoever asked."""
    now = desk.now()
    with desk.transaction() as session:
        late = request_turns.overdue(session, now=now)
    for taken in late:
        code = exchange.REQUEST_EXPIRED if taken.is_expired else codes.REQUEST_TIMED_OUT
        reason = "it was not begun in time" if taken.is_expired else "the deadline has passed"
        answer = HeldAnswer(desk.encode, taken.reply_to)
        waited = taken.was == "WAITING"
        found = _together(taken, answer, desk) if waited else all_failed(taken, str(code), reason)
        _give(taken, answer, found, desk)
    return len(late)


def _carry_out(taken: Taken, desk: Desk) -> list[Parcel]:
    """Ask, then write outcome, answer and deliveries in one transaction; return the answer."""
    if taken.round == 1 and desk.policy.coalesce_s > 0:
        found = _same_again(taken, desk)
        if found is not None:
            return [found]
    answer = desk.writer(taken.reply_to)
    try:
        if taken.was == "WAITING":
            return _give(taken, answer, _together(taken, answer, desk), desk)
        found_now = ask(
            taken, answer, meter_data=desk.meter_data, transaction=desk.transaction, now=desk.now(), policy=desk.policy
        )
        return _give(taken, answer, found_now, desk)
    finally:
        answer.close()


def _together(taken: Taken, answer: AnswerWriter, desk: Desk) -> Round:
    """Put together what came in messages of its own."""
    with desk.transaction() as session:
        rows = list(awaited_answers.of_request(session, taken.request_id))
    parts: dict[str, tuple[list[MeterReadings], str]] = {}
    for _, sub_id, bodies, lacking in rows:
        came, lacked = parts.get(sub_id, ([], ""))
        came += [one for body in bodies for one in desk.unpack(body)]
        parts[sub_id] = (came, lacking or lacked)
    return put_together(taken, answer, parts=parts, policy=desk.policy)


def _same_again(taken: Taken, desk: Desk) -> Parcel | None:
    """Answer as somebody was just answered who asked the same; None where nobody was."""
    now = desk.now()
    with desk.transaction() as session:
        since = now - timedelta(seconds=desk.policy.coalesce_s)
        alike = requests.alike_answer(session, taken.request_id, taken.question_key, since=since)
        ends = request_facts.ends_like(session, taken, alike[0]) if alike else {}
    if alike is None:
        return None
    header = _header(taken, mint("request-answer", taken.request_id), now)
    parcel = desk.encode.again(alike[1], header, reply_to=taken.reply_to)
    with desk.transaction() as session:
        if request_turns.settle(session, taken.request_id, ends, now=now) is not None:
            _enqueue(session, taken, header, [parcel], now)
    return parcel


def _header(taken: Taken, message_id: str, now: datetime) -> Header:
    """Return the header of an answer."""
    return Header(
        message_id=message_id,
        source=taken.header.source,
        verb="reply",
        noun="MeterReadings",
        correlation_id=taken.header.correlation_id,
        causation_id=taken.header.message_id,
        created_at=now,
        lane=taken.request_id,
    )


def _give(taken: Taken, answer: AnswerWriter, found: Round, desk: Desk) -> list[Parcel]:
    """Write how a round ended with its answer, and its deliveries where nobody waits."""
    now = desk.now()
    names = () if taken.round == 1 else (taken.round,)
    header = _header(taken, mint("request-answer", taken.request_id, *names), now)
    with desk.transaction() as session:
        before = request_facts.so_far(session, taken.request_id)
        is_first = requests.first_answer(session, taken.request_id) is None
    said = ReadingsAnswer(
        (), tuple(found.unanswered), ",".join(sorted(found.sources)), found.as_of, more=found.waits,
        overall=None if found.waits else _overall(taken, found, before),
        last_of_several=not found.waits and not is_first,
    )  # fmt: skip
    has_news = not found.waits or bool(found.unanswered) or len(found.ends) < len(taken.questions)
    parcels = answer.finish(Message(header, said)) if has_news else []
    with desk.transaction() as session:
        settled = request_turns.settle(session, taken.request_id, found.ends, now=now, retry_at=found.retry_at)
        if settled is not None:
            for sub_id, error in found.follows:
                awaited_answers.expect(session, taken.request_id, sub_id, error.awaited, begun=error.begun, now=now)
            awaited_answers.look_again(session, taken.request_id, now=now)
            _enqueue(session, taken, header, parcels, now, whole=not found.waits and is_first)
            return parcels
    return _give_late(taken, answer, Message(header, said), parcels, desk) if now >= taken.deadline else parcels


def _overall(taken: Taken, found: Round, before: Any) -> Result:
    """Return how the whole request ends with this round."""
    states = [end.state for end in found.ends.values()]
    answered = len(taken.questions) - len(found.ends)
    states += ["SUCCESSFUL"] * (min(answered, 1) + min(before["SUCCESSFUL"], 1))
    states += [state for state in ("PARTIAL_SUCCESS", "FAILED") if before[state]]
    return _RESULTS[outcome_of(states)]


def _enqueue(
    session: Session, taken: Taken, header: Header, parcels: list[Parcel], now: datetime, *, whole: bool = True
) -> None:
    """Keep an answer, and let it go to whoever asked without waiting; in rounds without news nothing goes."""
    for parcel in parcels:
        requests.keep_answer(
            session, taken.request_id, parcel.body or b"", late=False, now=now,
            whole=whole and len(parcels) == 1, path=parcel.path,
        )  # fmt: skip
        if taken.reply_to:
            own = replace(header, message_id=parcel.key or header.message_id)
            deliveries.enqueue(session, header=own, parcel=parcel, destination=taken.reply_to, now=now)


def _give_late(
    taken: Taken, answer: AnswerWriter, message: Message[ReadingsAnswer], parcels: list[Parcel], desk: Desk
) -> list[Parcel]:
    """Keep an answer behind its deadline, marked; its readings count as readings, and whoever asked is told `late`."""
    header = replace(message.header, message_id=mint("late-answer", taken.request_id, taken.round))
    late = replace(message.payload, late=True, overall=None, more=False, last_of_several=False)
    now = message.header.created_at or desk.now()
    late_parcels = answer.finish(Message(header, late))
    with desk.transaction() as session:
        for parcel in late_parcels:
            requests.keep_answer(
                session, taken.request_id, parcel.body or b"", late=True, now=now, whole=False, path=parcel.path
            )
            if taken.reply_to:
                own = replace(header, message_id=parcel.key or header.message_id)
                deliveries.enqueue(session, header=own, parcel=parcel, destination=taken.reply_to, now=now)
    _keep_readings(answer, header, desk, now)
    return parcels


def _keep_readings(answer: AnswerWriter, header: Header, desk: Desk, now: datetime) -> None:
    """Take readings that came too late for their request as readings that were told, a hundred at a time."""
    held: list[MeterReadings] = []
    for one in answer.told():
        held.append(one)
        if len(held) == 100:
            with desk.transaction() as session:
                readings_arrived(session, Message(header, tuple(held)), now)
            held = []
    if held:
        with desk.transaction() as session:
            readings_arrived(session, Message(header, tuple(held)), now)
