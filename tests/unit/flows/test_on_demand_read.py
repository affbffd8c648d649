"""On-demand reads: who waits gets the answer, who does not gets a delivery, and every ending is told once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import SQLModel, col, select

import store.tables  # noqa: F401
from canonical.codes import message as codes
from canonical.errors import RejectedError, UnavailableError
from canonical.messages import Header, Message, Parcel
from canonical.metering import MeterReadings, ReadingQuestion, RegisterReading, UsagePoint
from canonical.periods import Period
from canonical.quality import Quality
from canonical.questions import ReadingsAnswer, ReadingsAsked, RequestChange
from canonical.replies import said_in
from flows import on_demand_read as flow
from flows import reference
from flows.on_demand_read import Desk, HeldAnswer, Policy
from flows.read_round import ask as ask_round
from store import request_turns
from store.deliveries import Delivery, DeliveryPayload
from store.request_states import FINAL, NEXT, outcome_of
from store.requests import RequestAnswer, ServiceRequest
from store.session import Transaction, open_engine, transactions

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = Period(NOW - timedelta(days=1), NOW)
POLICY = Policy(sync_limit=2, bulk_limit=4)


@dataclass
class Mdms:
    """Knows every usage point but `unknown`."""

    away: bool = False
    asked: list[str] = field(default_factory=list)

    def readings(self, questions: Sequence[ReadingQuestion], *, timeout_s: float) -> Iterator[MeterReadings]:
        if self.away:
            raise UnavailableError("away", code=codes.PARTNER_AWAY)
        for question in questions:
            self.asked.append(question.usage_point)
            if question.usage_point != "unknown":
                yield MeterReadings(question.usage_point, "m")


class Encoder:
    """Says an answer as one line."""

    def __call__(self, message: Message[ReadingsAnswer], *, reply_to: str) -> Parcel:
        said, found = [f"{one.object_id}={one.code}" for one in message.payload.unanswered], message.payload
        marks = "".join(f" {name}" for name in ("more", "last_of_several", "late") if getattr(found, name))
        told = ",".join(one.usage_point for one in found.readings)
        return self._parcel(f"{found.result} {found.source} [{told}] {said}{marks}".encode(), message.header)

    def again(self, body: bytes, header: Header, *, reply_to: str) -> Parcel:
        return self._parcel(body + b" again", header)

    def _parcel(self, body: bytes, header: Header) -> Parcel:
        return Parcel("answer", "text/plain", sha256(body).hexdigest(), len(body), body, key=header.message_id)


def desk(transaction: Transaction, mdms: Any, now: datetime = NOW, policy: Policy = POLICY) -> Desk:
    return Desk(mdms, Encoder(), transaction, lambda: now, now, policy)


@pytest.fixture
def transaction(tmp_path: Path) -> Iterator[Transaction]:
    engine = open_engine(f"sqlite:///{tmp_path / 'hub.db'}")
    SQLModel.metadata.create_all(engine)
    yield transactions(engine)
    engine.dispose()


def ask(
    transaction: Transaction,
    *points: str,
    reply_to: str = "",
    message_id: str = "m-1",
    correlation: str = "c-1",
    deadline_s: float | None = None,
    types: tuple[str, ...] = (),
    reasons: tuple[str, ...] = ("inquiry",),
    policy: Policy = POLICY,
    **times: Any,
) -> str:
    questions = tuple(ReadingQuestion(point, DAY, reason, False, types) for reason in reasons for point in points)
    header = Header(message_id, "cis", "get", "MeterReadings", correlation)
    with transaction() as session:
        asked = ReadingsAsked(questions, reply_to, deadline_s, **times)
        reply = flow.register(session, Message(header, asked), policy=policy, now=NOW)
    return reply.details["request"]


def answer(transaction: Transaction, request_id: str, mdms: Any, policy: Policy = POLICY) -> bytes | None:
    return flow.answer_now(request_id, desk=desk(transaction, mdms, policy=policy))


def advance(transaction: Transaction, mdms: Any, now: datetime = NOW, policy: Policy = POLICY) -> bool:
    return flow.advance(desk=desk(transaction, mdms, now, policy))


def sent(transaction: Transaction) -> list[str]:
    """Return what went to reply addresses, in order."""
    with transaction() as session:
        query = select(DeliveryPayload.body).join(Delivery, col(Delivery.delivery_id) == DeliveryPayload.delivery_id)
        return [body.decode() for body in session.exec(query.order_by(col(Delivery.sequence))).all()]


def know(transaction: Transaction, *points: str) -> None:
    """Tell the hub of usage points."""
    since = datetime(2020, 1, 1, tzinfo=UTC)
    with transaction() as session:
        known = [UsagePoint(point, point, "UTC", "ELECTRICITY", "AMI", since) for point in points]
        reference.record(session, known, now=since)


def states(transaction: Transaction) -> list[tuple[str, str, str]]:
    with transaction() as session:
        rows = session.exec(select(ServiceRequest)).all()
        return sorted((row.level, row.object_id, row.state) for row in rows)


def withdraw(transaction: Transaction, kind: str, *points: str, message_ids: tuple[str, ...] = ()) -> str:
    asked = ReadingsAsked(tuple(ReadingQuestion(p, DAY, "inquiry") for p in points)) if kind == "change" else None
    header = Header("m-9", "cis", kind, "MeterReadings", "c-1")
    try:
        with transaction() as session:
            change = RequestChange(kind, message_ids, asked)  # type: ignore[arg-type]
            flow.register(session, Message(header, change), policy=POLICY, now=NOW)
    except RejectedError as error:
        return error.code.name
    return "done"


def test_who_waits_gets_an_error_for_each_object_that_failed_and_a_repeat_the_first_answer(
    transaction: Transaction,
) -> None:
    mdms = Mdms()
    request_id = ask(transaction, "up-1", "unknown")

    first = answer(transaction, request_id, mdms)
    again = answer(transaction, request_id, mdms)

    assert first == again == b"PARTIAL mdms [up-1] ['unknown=1155 DEP_NOT_FOUND']"
    assert mdms.asked == ["up-1", "unknown"]
    assert states(transaction) == [
        ("child", "unknown", "FAILED"),
        ("child", "up-1", "SUCCESSFUL"),
        ("parent", "", "PARTIAL_SUCCESS"),
        ("sub", "", "PARTIAL_SUCCESS"),
    ]


def test_too_many_objects_are_refused_to_who_waits_and_at_all(transaction: Transaction) -> None:
    with pytest.raises(RejectedError) as sync:
        ask(transaction, "a", "b", "c")
    with pytest.raises(RejectedError) as bulk:
        ask(transaction, "a", "b", "c", "d", "e", reply_to="reply:cis")

    assert sync.value.code is bulk.value.code is codes.BULK_NEEDS_ASYNC
    assert states(transaction) == []


def test_who_does_not_wait_gets_one_delivery(transaction: Transaction) -> None:
    ask(transaction, "a", "b", "c", reply_to="reply:cis")

    assert advance(transaction, Mdms())
    assert not advance(transaction, Mdms())

    with transaction() as session:
        gone = session.exec(select(Delivery)).all()
    assert [(one.destination, one.correlation_id) for one in gone] == [("reply:cis", "c-1")]


def test_behind_the_deadline_the_caller_is_told_and_a_late_answer_is_kept_and_told_as_late(
    transaction: Transaction,
) -> None:
    request_id = ask(transaction, "a", reply_to="reply:cis", deadline_s=60)
    late = NOW + timedelta(seconds=61)

    class Slow(Mdms):
        def readings(self, questions: Sequence[ReadingQuestion], *, timeout_s: float) -> Iterator[MeterReadings]:
            flow.end_overdue(desk=desk(transaction, self, late))
            return super().readings(questions, timeout_s=timeout_s)

    clock = iter([NOW])
    slow = Slow()
    flow.advance(desk=replace(desk(transaction, slow), now=lambda: next(clock, late)))

    with transaction() as session:
        kept = [(one.late, one.body.decode()) for one in session.exec(select(RequestAnswer)).all()]
    told = ["FAILED  [] ['a=1140 REQUEST_TIMED_OUT']", "OK mdms [a] [] late"]
    assert kept == [(False, told[0]), (True, told[1])]
    assert (sent(transaction), request_id != "") == (told, True)


def test_while_the_mdms_is_away_the_store_answers_only_where_the_site_allows(transaction: Transaction) -> None:
    refused = answer(transaction, ask(transaction, "a", message_id="m-1"), Mdms(away=True))
    allowed = answer(transaction, ask(transaction, "a", message_id="m-2"), Mdms(away=True), Policy(from_store=True))

    assert refused == b"FAILED  [] ['a=1116 PARTNER_AWAY']"
    assert allowed == b"FAILED store [] ['a=1155 DEP_NOT_FOUND']"


@pytest.mark.parametrize("kind", ["cancel", "change"])
def test_withdrawing_has_five_outcomes(transaction: Transaction, kind: str) -> None:
    assert withdraw(transaction, kind, "b") == "REQUEST_NOT_FOUND"
    ask(transaction, "a", reply_to="reply:cis")
    assert withdraw(transaction, kind, "b") == "done"
    if kind == "change":
        advance(transaction, Mdms())
    assert withdraw(transaction, kind, "b") == "REQUEST_FINAL"
    ask(transaction, "a", reply_to="reply:cis", message_id="m-2")
    assert withdraw(transaction, kind, "b") == "REQUEST_AMBIGUOUS"

    class Busy(Mdms):
        said = ""

        def readings(self, questions: Sequence[ReadingQuestion], *, timeout_s: float) -> Iterator[MeterReadings]:
            self.said = withdraw(transaction, kind, "b", message_ids=("m-2",))
            return super().readings(questions, timeout_s=timeout_s)

    busy = Busy()
    advance(transaction, busy)
    assert busy.said == "REQUEST_UNDER_WAY"


def test_a_changed_request_asks_the_new_question(transaction: Transaction) -> None:
    ask(transaction, "a", reply_to="reply:cis")
    mdms = Mdms()

    withdraw(transaction, "change", "b", "c")
    advance(transaction, mdms)

    assert mdms.asked == ["b", "c"]


def test_only_failures_leave_a_final_state_and_parents_follow_their_children() -> None:
    assert {state for state in FINAL if NEXT.get(state)} == {"FAILED", "PARTIAL_SUCCESS"}
    assert outcome_of(["SUCCESSFUL", "SUCCESSFUL"]) == "SUCCESSFUL"
    assert outcome_of(["SUCCESSFUL", "FAILED"]) == "PARTIAL_SUCCESS"
    assert outcome_of(["FAILED"]) == outcome_of([]) == "FAILED"


def test_an_object_that_nobody_knows_is_searched_for_and_only_it_is_asked_again(transaction: Transaction) -> None:
    ask(transaction, "a", "unknown", reply_to="reply:cis")
    policy, mdms = replace(POLICY, search_attempts=3, search_interval_s=60.0), Mdms()

    advance(transaction, mdms, policy=policy)
    assert not advance(transaction, mdms, NOW + timedelta(seconds=59), policy)
    paused = states(transaction)
    for minute in (1, 2):
        assert advance(transaction, mdms, NOW + timedelta(minutes=minute), policy)

    assert ("parent", "", "PAUSED") in paused
    assert ("child", "a", "SUCCESSFUL") in paused
    assert mdms.asked == ["a", "unknown", "unknown", "unknown"]
    assert sent(transaction) == [
        "PARTIAL mdms [a] [] more",
        "PARTIAL mdms [] ['unknown=1155 DEP_NOT_FOUND'] last_of_several",
    ]
    assert ("parent", "", "PARTIAL_SUCCESS") in states(transaction)


def test_an_object_that_is_found_while_it_is_searched_for_makes_the_request_whole(transaction: Transaction) -> None:
    ask(transaction, "unknown", reply_to="reply:cis")

    class Later(Mdms):
        def readings(self, questions: Sequence[ReadingQuestion], *, timeout_s: float) -> Iterator[MeterReadings]:
            yield from (MeterReadings(one.usage_point, "m") for one in questions)

    advance(transaction, Mdms())
    assert sent(transaction) == []
    advance(transaction, Later(), NOW + timedelta(minutes=10))

    assert sent(transaction) == ["OK mdms [unknown] []"]


def test_what_the_role_lacks_of_a_known_object_is_said_at_once(transaction: Transaction) -> None:
    know(transaction, "unknown")
    ask(transaction, "a", "unknown", reply_to="reply:cis")

    advance(transaction, Mdms())

    assert sent(transaction) == ["PARTIAL mdms [a] ['unknown=1141 READINGS_UNAVAILABLE']"]


def test_while_the_role_is_away_who_does_not_wait_is_answered_later_and_told_nothing_twice(
    transaction: Transaction,
) -> None:
    ask(transaction, "a", reply_to="reply:cis")

    advance(transaction, Mdms(away=True))
    advance(transaction, Mdms(away=True), NOW + timedelta(seconds=31))
    assert not advance(transaction, Mdms(), NOW + timedelta(seconds=62))
    advance(transaction, Mdms(), NOW + timedelta(seconds=95))

    assert sent(transaction) == ["OK mdms [a] []"]


def test_the_same_question_within_a_minute_is_asked_once_whoever_asks(transaction: Transaction) -> None:
    mdms = Mdms()
    first = ask(transaction, "b", "a")
    second = ask(transaction, "a", "b", message_id="m-2", reply_to="reply:cis")
    third = ask(transaction, "a", message_id="m-3", reply_to="reply:cis")

    answer(transaction, first, mdms)
    advance(transaction, mdms, NOW + timedelta(seconds=60))
    advance(transaction, mdms, NOW + timedelta(seconds=61))
    ask(transaction, "a", "b", message_id="m-4", reply_to="reply:cis")
    advance(transaction, mdms, NOW + timedelta(seconds=200))

    assert (second, third) != (first, first)
    assert mdms.asked == ["b", "a", "a", "a", "b"]
    assert sent(transaction)[0] == "OK mdms [b,a] [] again"


def test_a_request_for_later_waits_for_its_time_and_can_be_cancelled_until_then(transaction: Transaction) -> None:
    hour = timedelta(hours=1)
    ask(transaction, "a", reply_to="reply:cis", not_before=NOW + hour)
    ask(transaction, "b", reply_to="reply:cis", message_id="m-2", correlation="c-2", not_before=NOW + hour)

    assert not advance(transaction, Mdms(), NOW + timedelta(minutes=59))
    assert withdraw(transaction, "cancel", message_ids=("m-1",)) == "done"
    assert advance(transaction, Mdms(), NOW + hour)

    assert sent(transaction) == ["OK mdms [b] []"]


def test_a_request_that_was_not_begun_in_time_expires_and_its_caller_is_told(transaction: Transaction) -> None:
    ask(transaction, "a", reply_to="reply:cis", expires_at=NOW + timedelta(minutes=1))

    advance(transaction, Mdms(), NOW + timedelta(minutes=1))

    assert sent(transaction) == ["FAILED  [] ['a=1156 REQUEST_EXPIRED']"]


@pytest.mark.parametrize(
    ("reply_to", "begins", "ends", "code"),
    [
        ("", 60, None, "SCHEDULE_REFUSED"),
        ("reply:cis", 60, 30, "SCHEDULE_REFUSED"),
        ("reply:cis", None, -1, "REQUEST_EXPIRED"),
    ],
)
def test_times_that_cannot_be_are_refused(
    transaction: Transaction, reply_to: str, begins: int | None, ends: int | None, code: str
) -> None:
    times: dict[str, Any] = {
        name: None if minutes is None else NOW + timedelta(minutes=minutes)
        for name, minutes in (("not_before", begins), ("expires_at", ends))
    }

    with pytest.raises(RejectedError) as refused:
        ask(transaction, "a", reply_to=reply_to, **times)

    assert refused.value.code.name == code


def test_high_priority_goes_first(transaction: Transaction) -> None:
    ask(transaction, "a", reply_to="reply:cis")
    ask(transaction, "b", reply_to="reply:cis", message_id="m-2", priority="high")

    advance(transaction, Mdms())

    assert sent(transaction) == ["OK mdms [b] []"]


def test_a_caller_has_no_more_unanswered_requests_than_the_site_keeps(transaction: Transaction) -> None:
    ask(transaction, "a", reply_to="reply:cis")

    with pytest.raises(RejectedError) as refused:
        ask(transaction, "b", reply_to="reply:cis", message_id="m-2", policy=replace(POLICY, pending_limit=1))

    assert refused.value.code.name == "TOO_MANY_PENDING"


def test_only_the_reading_types_that_were_asked_for_are_told_and_those_that_lack_are_named(
    transaction: Transaction,
) -> None:
    delivered, received = (f"0.0.0.1.{flow}.1.12.0.0.0.0.0.0.0.0.3.72.0" for flow in (1, 19))

    class Both(Mdms):
        def readings(self, questions: Sequence[ReadingQuestion], *, timeout_s: float) -> Iterator[MeterReadings]:
            for one in questions:
                said = [delivered] if one.usage_point == "a" else [delivered, received]
                registers = tuple(
                    RegisterReading(one.usage_point, "m", code, NOW, Decimal(1), Quality.RAW, "", "mdms")
                    for code in said
                )
                yield MeterReadings(one.usage_point, "m", registers)

    with_one = ask(transaction, "b", types=(received,))
    with_both = ask(transaction, "a", "b", message_id="m-2", types=(delivered, received))
    held = HeldAnswer(Encoder(), "")
    with transaction() as session:
        taken = request_turns.take(session, now=NOW, machine_now=NOW, lease_s=1, request_id=with_one, only_async=False)
    assert taken is not None
    ask_round(taken, held, meter_data=Both(), transaction=transaction, now=NOW, policy=POLICY)  # type: ignore[arg-type]

    assert [reading.reading_type for one in held.held for reading in one.registers] == [received]
    body = answer(transaction, with_both, Both())
    assert body == b"PARTIAL mdms [a,b] ['a=1159 READING_TYPES_UNAVAILABLE']"
    assert ("child", "a", "PARTIAL_SUCCESS") in states(transaction)


def test_one_request_may_ask_for_several_purposes(transaction: Transaction) -> None:
    class Picky(Mdms):
        def readings(self, questions: Sequence[ReadingQuestion], *, timeout_s: float) -> Iterator[MeterReadings]:
            yield from (MeterReadings(one.usage_point, "m") for one in questions if one.reason == "moveIn")

    know(transaction, "a")
    body = answer(transaction, ask(transaction, "a", reasons=("moveOut", "moveIn")), Picky())

    assert body == b"PARTIAL mdms [a] ['a=1141 READINGS_UNAVAILABLE']"
    assert [row for row in states(transaction) if row[0] == "sub"] == [("sub", "", "FAILED"), ("sub", "", "SUCCESSFUL")]


def test_of_several_requests_as_many_are_cancelled_as_can_be_and_the_others_are_named(
    transaction: Transaction,
) -> None:
    for number in range(4):
        ask(transaction, f"up-{number}", reply_to="reply:cis", message_id=f"m-{number}", correlation=f"c-{number}")
    advance(transaction, Mdms())

    header = Header("m-9", "cis", "cancel", "MeterReadings", "c-9")
    with transaction() as session:
        names = ("m-0", "m-1", "m-2", "m-7")
        reply = flow.register(session, Message(header, RequestChange("cancel", names)), policy=POLICY, now=NOW)

    assert (reply.result, reply.code) == ("PARTIAL", "1161 PARTLY_CANCELLED")
    assert (reply.details["cancelled"], reply.details["of"]) == ("2", "4")
    assert [(one.object_id, one.code) for one in said_in(reply.details)] == [
        ("m-0", "1138 REQUEST_FINAL"),
        ("m-7", "1136 REQUEST_NOT_FOUND"),
    ]


def test_a_half_answered_request_is_cancelled_for_the_rest(transaction: Transaction) -> None:
    ask(transaction, "a", "unknown", reply_to="reply:cis")
    advance(transaction, Mdms())

    header = Header("m-9", "cis", "cancel", "MeterReadings", "c-1")
    with transaction() as session:
        reply = flow.register(session, Message(header, RequestChange("cancel")), policy=POLICY, now=NOW)

    assert (reply.result, reply.details["cancelled_objects"], reply.details["of_objects"]) == ("PARTIAL", "1", "2")
    assert ("child", "a", "SUCCESSFUL") in states(transaction)
    assert ("parent", "", "CANCELLED") in states(transaction)


def test_only_the_failed_objects_of_an_ended_request_are_tried_again(transaction: Transaction) -> None:
    know(transaction, "unknown")
    request_id = ask(transaction, "a", "unknown", reply_to="reply:cis")
    advance(transaction, Mdms())

    assert flow.retry(request_id, desk=desk(transaction, Mdms())) == 1
    mdms = Mdms()
    advance(transaction, mdms)

    assert mdms.asked == ["unknown"]
    assert sent(transaction)[1] == "PARTIAL mdms [] ['unknown=1141 READINGS_UNAVAILABLE'] last_of_several"
