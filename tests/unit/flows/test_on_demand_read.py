"""On-demand reads: who waits gets the answer, who does not gets a delivery, and every ending is told once."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from read_story import NOW, Mdms, advance, answer, ask, desk, sent, states, withdraw
from sqlmodel import select

import store.tables  # noqa: F401
from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.metering import MeterReadings, ReadingQuestion
from flows import on_demand_read as flow
from flows.on_demand_read import Policy
from store.deliveries import Delivery
from store.request_states import FINAL, NEXT, outcome_of
from store.requests import RequestAnswer
from store.session import Transaction


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
