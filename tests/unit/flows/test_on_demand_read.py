"""On-demand reads: who waits gets the answer, who does not gets a delivery, and every ending is told once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from sqlmodel import SQLModel, select

import store.tables  # noqa: F401
from canonical.codes import message as codes
from canonical.errors import RejectedError, UnavailableError
from canonical.messages import Header, Message, Parcel
from canonical.metering import MeterReadings, ReadingQuestion
from canonical.periods import Period
from canonical.questions import ReadingsAnswer, ReadingsAsked, RequestChange
from flows import on_demand_read as flow
from flows.on_demand_read import Policy
from store.deliveries import Delivery
from store.requests import FINAL, NEXT, RequestAnswer, ServiceRequest, outcome_of
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


def encode(message: Message[ReadingsAnswer], *, reply_to: str) -> Parcel:
    said = [f"{one.object_id}={one.code}" for one in message.payload.unanswered]
    body = f"{message.payload.result} {message.payload.source} {said}".encode()
    return Parcel("answer", "text/plain", sha256(body).hexdigest(), len(body), body, key=message.header.message_id)


@pytest.fixture
def transaction(tmp_path: Path) -> Iterator[Transaction]:
    engine = open_engine(f"sqlite:///{tmp_path / 'hub.db'}")
    SQLModel.metadata.create_all(engine)
    yield transactions(engine)
    engine.dispose()


def ask(
    transaction: Transaction, *points: str, reply_to: str = "", message_id: str = "m-1", deadline_s: float | None = None
) -> str:
    questions = tuple(ReadingQuestion(point, DAY, "inquiry") for point in points)
    header = Header(message_id, "cis", "get", "MeterReadings", "c-1")
    with transaction() as session:
        asked = ReadingsAsked(questions, reply_to, deadline_s)
        reply = flow.register(session, Message(header, asked), policy=POLICY, now=NOW)
    return reply.details["request"]


def answer(transaction: Transaction, request_id: str, mdms: Mdms, policy: Policy = POLICY) -> bytes | None:
    return flow.answer_now(
        request_id,
        meter_data=mdms,  # type: ignore[arg-type]
        encode=encode,
        transaction=transaction,
        now=lambda: NOW,
        machine_now=NOW,
        policy=policy,
    )


def advance(transaction: Transaction, mdms: Mdms, now: datetime = NOW) -> bool:
    return flow.advance(
        meter_data=mdms,  # type: ignore[arg-type]
        encode=encode,
        transaction=transaction,
        now=lambda: now,
        machine_now=now,
        policy=POLICY,
    )


def states(transaction: Transaction) -> list[tuple[str, str, str]]:
    with transaction() as session:
        rows = session.exec(select(ServiceRequest)).all()
        return sorted((row.level, row.object_id, row.state) for row in rows)


def withdraw(transaction: Transaction, kind: str, *points: str, message_id: str = "") -> str:
    asked = ReadingsAsked(tuple(ReadingQuestion(p, DAY, "inquiry") for p in points)) if kind == "change" else None
    header = Header("m-9", "cis", kind, "MeterReadings", "c-1")
    try:
        with transaction() as session:
            change = RequestChange(kind, message_id, asked)  # type: ignore[arg-type]
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

    assert first == again == b"PARTIAL mdms ['unknown=1141 READINGS_UNAVAILABLE']"
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
        sent = session.exec(select(Delivery)).all()
    assert [(one.destination, one.correlation_id) for one in sent] == [("reply:cis", "c-1")]


def test_behind_the_deadline_the_caller_is_told_once_and_a_late_answer_is_kept_and_marked(
    transaction: Transaction,
) -> None:
    request_id = ask(transaction, "a", reply_to="reply:cis", deadline_s=60)
    late = NOW + timedelta(seconds=61)

    class Slow(Mdms):
        def readings(self, questions: Sequence[ReadingQuestion], *, timeout_s: float) -> Iterator[MeterReadings]:
            flow.end_overdue(encode=encode, transaction=transaction, now=late)
            return super().readings(questions, timeout_s=timeout_s)

    advance(transaction, Slow())

    with transaction() as session:
        kept = [(one.late, one.body) for one in session.exec(select(RequestAnswer)).all()]
        sent = len(session.exec(select(Delivery)).all())
    assert kept == [(False, b"FAILED  ['a=1140 REQUEST_TIMED_OUT']"), (True, b"OK mdms []")]
    assert (sent, request_id != "") == (1, True)


def test_while_the_mdms_is_away_the_store_answers_only_where_the_site_allows(transaction: Transaction) -> None:
    refused = answer(transaction, ask(transaction, "a", message_id="m-1"), Mdms(away=True))
    allowed = answer(transaction, ask(transaction, "a", message_id="m-2"), Mdms(away=True), Policy(from_store=True))

    assert refused == b"FAILED  ['a=1116 PARTNER_AWAY']"
    assert allowed == b"FAILED store ['a=1141 READINGS_UNAVAILABLE']"


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
            self.said = withdraw(transaction, kind, "b", message_id="m-2")
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
