"""One message from wire to reply: archived whatever happens, handled once, a repeat told the same."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from canonical.codes import message as codes
from canonical.errors import MisconfiguredError, RejectedError, UnavailableError
from canonical.messages import Header, Message, Reply
from flows.spine import receive
from store import acts, claims, messages
from store.acts import Act
from store.claims import MessageClaim
from store.messages import MessageAttempt, StoredMessage
from store.session import Transaction


def translate(raw: bytes) -> Message[str]:
    """Read `<id> <text>`."""
    if b" " not in raw:
        raise RejectedError("no text", code=codes.NOT_IN_STORE, where="line 1")
    message_id, words = raw.decode().split(" ", 1)
    header = Header(message_id, "mdms", "created", "MeterReadings", correlation_id=f"corr-{message_id}", lane="up-1")
    return Message(header, words)


class Desk:
    """The hub's side of a message: notes an effect, or fails as it is told."""

    def __init__(self, transaction: Transaction, now: datetime) -> None:
        self.transaction = transaction
        self.now = now
        self.failing: list[Exception] = []
        self.opened = 0

    def handle(self, session: Session, message: Message[str]) -> Reply:
        acts.note(session, message.header.message_id, "handled", by="desk", reason=message.payload, at=self.now)
        if self.failing:
            raise self.failing.pop()
        return Reply("OK", message.header.correlation_id, details={"words": message.payload})

    def counted(self) -> AbstractContextManager[Session]:
        self.opened += 1
        return self.transaction()

    def take(self, raw: bytes, *, later_s: float = 0, handle: Callable[..., Reply] | None = None) -> Reply:
        return receive(
            raw,
            source="mdms",
            translate=translate,
            handle=handle or self.handle,
            transaction=self.counted,
            now=self.now,
            machine_now=self.now + timedelta(seconds=later_s),
        )

    def rows(self, table: Any) -> list[Any]:
        with self.transaction() as session:
            return list(session.exec(select(table)).all())


@pytest.fixture
def desk(transaction: Transaction, now: datetime) -> Desk:
    return Desk(transaction, now)


def test_a_message_is_archived_claimed_and_handled_in_three_transactions(desk: Desk) -> None:
    reply = desk.take(b"m1 42 kWh")

    assert reply == Reply("OK", "corr-m1", details={"words": "42 kWh"})
    assert desk.opened == 3
    (entry,) = desk.rows(StoredMessage)
    assert (entry.state, entry.message_id, entry.size, entry.business_key) == ("done", "m1", 9, "up-1")
    with desk.transaction() as session:
        assert messages.body(session, entry.entry) == b"m1 42 kWh"


def test_a_repeated_message_gets_the_first_reply_and_is_handled_once(desk: Desk) -> None:
    first = desk.take(b"m1 42 kWh")
    second = desk.take(b"m1 42 kWh")

    assert second == first
    assert len(desk.rows(Act)) == 1
    assert len(desk.rows(StoredMessage)) == 1
    assert [attempt.outcome for attempt in desk.rows(MessageAttempt)] == ["done", "repeat"]


def test_an_id_that_comes_again_with_other_bytes_is_refused_and_the_first_stays(desk: Desk) -> None:
    desk.take(b"m1 42 kWh")

    reply = desk.take(b"m1 43 kWh")

    assert (reply.result, reply.code) == ("FAILED", "1001 MSG_ID_REUSED")
    assert [(row.state, row.code) for row in desk.rows(StoredMessage)] == [
        ("done", ""),
        ("parked", "1001 MSG_ID_REUSED"),
    ]
    assert {row.message_id for row in desk.rows(StoredMessage)} == {"m1"}
    assert desk.take(b"m1 42 kWh").result == "OK"


def test_what_cannot_be_read_is_archived_and_parked_with_code_and_place(desk: Desk) -> None:
    reply = desk.take(b"gibberish")

    assert reply == Reply("FAILED", "", "1008 NOT_IN_STORE", "line 1: no text")
    (entry,) = desk.rows(StoredMessage)
    assert (entry.state, entry.code, entry.place) == ("parked", "1008 NOT_IN_STORE", "line 1")
    with desk.transaction() as session:
        assert messages.body(session, entry.entry) == b"gibberish"


def test_a_rejected_message_leaves_no_effect_and_its_repeat_gets_the_same_refusal(desk: Desk) -> None:
    desk.failing = [RejectedError("unknown meter", code=codes.NOT_IN_STORE)]

    first = desk.take(b"m1 42 kWh")
    second = desk.take(b"m1 42 kWh")

    assert first == second == Reply("FAILED", "corr-m1", "1008 NOT_IN_STORE", "unknown meter")
    assert desk.rows(Act) == []


@pytest.mark.parametrize("kind", [UnavailableError, MisconfiguredError])
def test_a_message_that_could_not_be_handled_now_is_handled_by_the_retry_at_once(
    desk: Desk, kind: type[UnavailableError]
) -> None:
    desk.failing = [kind("away", code=codes.CLAIM_LOST)]

    with pytest.raises(kind):
        desk.take(b"m1 42 kWh")
    reply = desk.take(b"m1 42 kWh")

    assert reply.result == "OK"
    assert len(desk.rows(Act)) == 1
    assert len(desk.rows(StoredMessage)) == 1
    assert [attempt.outcome for attempt in desk.rows(MessageAttempt)] == ["unavailable", "done"]


def test_while_a_worker_holds_the_message_another_is_told_so(desk: Desk) -> None:
    desk.failing = [KeyError("a worker that dies")]
    with pytest.raises(KeyError):
        desk.take(b"m1 42 kWh")

    reply = desk.take(b"m1 42 kWh", later_s=claims.LEASE_S - 1)

    assert (reply.result, reply.reason) == ("BUSY", "being processed")
    assert desk.rows(Act) == []


def test_a_claim_whose_worker_died_is_taken_over_when_its_lease_ends(desk: Desk) -> None:
    desk.failing = [KeyError("a worker that dies")]
    with pytest.raises(KeyError):
        desk.take(b"m1 42 kWh")

    reply = desk.take(b"m1 42 kWh", later_s=claims.LEASE_S)

    assert reply.result == "OK"
    assert len(desk.rows(Act)) == 1


def test_a_worker_that_lost_its_claim_leaves_no_effect(desk: Desk) -> None:
    desk.failing = [KeyError("a worker that dies")]
    with pytest.raises(KeyError):
        desk.take(b"m1 42 kWh")

    def overtaken(session: Session, message: Message[str]) -> Reply:
        """While this worker is slow, its lease ends and the claim changes hands."""
        claim = session.exec(select(MessageClaim)).one()
        claim.token += 1
        return desk.handle(session, message)

    with pytest.raises(UnavailableError) as lost:
        desk.take(b"m1 42 kWh", later_s=claims.LEASE_S, handle=overtaken)

    assert lost.value.code is codes.CLAIM_LOST
    assert desk.rows(Act) == []


def test_two_senders_may_use_the_same_id(desk: Desk) -> None:
    desk.take(b"m1 42 kWh")

    reply = receive(
        b"m1 another", source="cis", translate=translate, handle=desk.handle, transaction=desk.transaction, now=desk.now
    )

    assert reply.result == "OK"
    assert len(desk.rows(Act)) == 2
