"""A replay is a new attempt of one delivery: shown first, made once, linked to the attempt that it repeats."""

import pytest
from delivery_office import SENT, Office
from sqlmodel import select

from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.messages import Outcome
from store.acts import Act
from store.attempts import DeliveryAttempt
from store.deliveries import Delivery


def parked(office: Office) -> str:
    delivery_id = office.enqueue("part-1")
    office.partner.otherwise = Outcome("rejected", "7004 TRAILER_MISMATCH", "2 lines short")
    office.relay()
    office.partner.otherwise = SENT
    return delivery_id


def test_a_dry_run_shows_the_payload_and_the_last_outcome_and_orders_nothing(office: Office) -> None:
    shown = office.replay(parked(office), dry_run=True)

    assert (shown.state, shown.parcel.body, shown.attempt) == ("parked", b"42 kWh", 1)
    assert shown.last_outcome == "rejected 7004 TRAILER_MISMATCH 2 lines short"
    assert not shown.in_doubt
    assert office.states() == {"part-1": "parked"}
    assert office.relay().carried == 0


def test_a_replay_is_a_linked_attempt_of_the_same_delivery_with_the_same_key(office: Office) -> None:
    delivery_id = parked(office)

    assert office.replay(delivery_id).ordered
    office.relay()

    (row,) = office.rows(Delivery)
    assert (row.delivery_id, row.key, row.state) == (delivery_id, "key-part-1", "sent")
    assert [(a.number, a.outcome, a.replay_of) for a in office.rows(DeliveryAttempt)] == [
        (1, "rejected", None),
        (2, "sent", 1),
    ]


def test_a_double_click_makes_one_attempt(office: Office) -> None:
    delivery_id = parked(office)

    office.replay(delivery_id)
    again = office.replay(delivery_id)
    office.relay()
    with pytest.raises(RejectedError) as third:
        office.replay(delivery_id)

    assert again.ordered
    assert third.value.code is codes.NOT_REPLAYABLE
    assert office.partner.brought == ["part-1", "part-1"]
    with office.transaction() as session:
        assert [(act.subject, act.act, act.by) for act in session.exec(select(Act))] == [
            (delivery_id, "replayed", "ann")
        ]


def test_what_was_sent_may_be_replayed_only_when_its_confirmation_is_overdue(office: Office) -> None:
    from flows.delivery import sweep_confirmations

    due = office.at(900)
    delivery_id = office.enqueue("part-1", confirm_by=due)
    office.relay()
    with pytest.raises(RejectedError):
        office.replay(delivery_id)

    sweep_confirmations(transaction=office.transaction, now=due)
    office.replay(delivery_id)
    office.relay()

    assert office.partner.brought == ["part-1", "part-1"]
    assert office.rows(Delivery)[0].unconfirmed_at is None


def test_a_replay_of_an_unknown_delivery_says_so(office: Office) -> None:
    with pytest.raises(RejectedError) as unknown:
        office.replay("nobody")

    assert unknown.value.code is codes.NOT_IN_STORE
