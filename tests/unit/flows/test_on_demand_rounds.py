"""On-demand reads in rounds: searched for, tried again, at their time, the same asked once, counted when cancelled."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from read_story import NOW, POLICY, Encoder, Mdms, advance, answer, ask, know, sent, states, withdraw

import store.tables  # noqa: F401
from canonical.errors import RejectedError
from canonical.messages import Header, Message
from canonical.metering import MeterReadings, ReadingQuestion, RegisterReading
from canonical.quality import Quality
from canonical.questions import RequestChange
from canonical.replies import said_in
from flows import on_demand_read as flow
from flows.on_demand_read import HeldAnswer
from flows.read_round import ask as ask_round
from store import request_turns
from store.session import Transaction


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

    assert flow.retry(request_id, transaction=transaction, now=NOW, policy=POLICY) == 1
    mdms = Mdms()
    advance(transaction, mdms)

    assert mdms.asked == ["unknown"]
    assert sent(transaction)[1] == "PARTIAL mdms [] ['unknown=1141 READINGS_UNAVAILABLE'] last_of_several"
