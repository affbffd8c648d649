"""What goes out: carried once, in order, parked with its reason, confirmed by the other side."""

from datetime import datetime

import pytest
from delivery_office import AWAY, Office

from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.messages import Outcome
from flows.delivery import RelayReport, relay_once, sweep_confirmations
from store import deliveries
from store.deliveries import Delivery


def test_a_delivery_is_carried_once_and_sent_is_not_confirmed(office: Office) -> None:
    office.enqueue("part-1")

    first, second = office.relay(), office.relay()

    assert (first, second) == (RelayReport(carried=1, sent=1), RelayReport())
    assert office.partner.brought == ["part-1"]
    assert office.states() == {"part-1": "sent"}


def test_the_same_key_is_enqueued_once_for_each_destination(office: Office) -> None:
    first, second = office.enqueue("part-1"), office.enqueue("part-1")

    assert first == second
    assert len(office.rows(Delivery)) == 1


def test_a_key_that_comes_again_with_other_bytes_is_refused(office: Office) -> None:
    office.enqueue("part-1")

    with pytest.raises(RejectedError) as refused:
        office.enqueue("part-1", body=b"43 kWh")

    assert refused.value.code is codes.DELIVERY_KEY_REUSED


def test_high_priority_goes_before_normal_and_each_in_order_of_enqueue(office: Office) -> None:
    for name, priority in (("a", "normal"), ("b", "high"), ("c", "normal"), ("d", "high")):
        office.enqueue(name, priority=priority)

    office.relay()

    assert office.partner.brought == ["b", "d", "a", "c"]


def test_a_lane_has_one_delivery_under_way_in_order_of_enqueue_whatever_its_priority(office: Office) -> None:
    for name, lane, priority in (
        ("a1", "a", "normal"),
        ("a2", "a", "high"),
        ("b1", "b", "normal"),
        ("free", "", "high"),
    ):
        office.enqueue(name, lane=lane, priority=priority)

    office.relay()
    first = list(office.partner.brought)
    office.relay()

    assert first == ["free", "a1", "b1"]
    assert office.partner.brought == ["free", "a1", "b1", "a2"]


def test_a_delivery_that_waits_for_its_retry_holds_its_lane_and_no_other(office: Office) -> None:
    office.partner.answers["a1"] = AWAY
    for name, lane in (("a1", "a"), ("a2", "a"), ("b1", "b")):
        office.enqueue(name, lane=lane)

    office.relay()
    office.relay()

    assert office.partner.brought == ["a1", "b1"]
    assert office.states() == {"a1": "pending", "a2": "pending", "b1": "sent"}


def test_a_refused_delivery_is_parked_with_code_and_payload_and_frees_its_lane(office: Office) -> None:
    office.partner.answers["a1"] = Outcome("rejected", "6011 UNKNOWN_REGISTER", "register T9")
    office.enqueue("a1", lane="a")
    office.enqueue("a2", lane="a")

    office.relay()
    office.relay()

    parked, sent = office.rows(Delivery)
    assert (parked.state, parked.code, parked.reason) == ("parked", "6011 UNKNOWN_REGISTER", "register T9")
    assert sent.state == "sent"
    assert office.replay(parked.delivery_id, dry_run=True).parcel.body == b"42 kWh"


def test_what_is_due_for_a_destination_without_a_port_is_named(office: Office) -> None:
    office.enqueue("part-1")

    report = relay_once({}, transaction=office.transaction, spool=office.spool, now=office.now, machine_now=office.now)

    assert report == RelayReport(unserved=["cis"])
    assert office.states() == {"part-1": "pending"}


def test_what_lost_its_meaning_is_not_sent(office: Office) -> None:
    office.enqueue("stale", expires_at=office.now)
    office.enqueue("fresh", expires_at=office.at(1))

    office.relay()

    assert office.states() == {"stale": "cancelled", "fresh": "sent"}
    assert office.rows(Delivery)[0].code == "1006 DELIVERY_EXPIRED"


def test_the_destination_confirms_or_refuses_what_it_was_sent(office: Office) -> None:
    first, second = office.enqueue("part-1"), office.enqueue("part-2")
    office.relay()

    assert office.confirm("part-1", "confirmed") == first
    assert office.confirm("part-2", "rejected", "7004 TRAILER_MISMATCH") == second
    assert office.confirm("part-1", "rejected") == first
    assert office.confirm("part-9", "confirmed") is None
    assert office.states() == {"part-1": "confirmed", "part-2": "parked"}


def test_a_confirmation_that_comes_before_our_own_record_counts(office: Office) -> None:
    office.enqueue("part-1")
    office.partner.meanwhile = lambda: office.confirm("part-1", "confirmed")

    office.relay()

    assert office.states() == {"part-1": "confirmed"}
    assert office.relay(later_s=3600).carried == 0


def test_an_overdue_confirmation_is_found_once_and_nothing_is_sent_again(office: Office) -> None:
    due = office.at(900)
    delivery_id = office.enqueue("part-1", confirm_by=due)
    office.enqueue("part-2", confirm_by=due)
    office.enqueue("part-3")
    office.relay()
    office.confirm("part-2", "confirmed")
    opened: list[str] = []

    def sweep(now: datetime) -> list[str]:
        return [
            overdue.delivery_id
            for overdue in sweep_confirmations(
                transaction=office.transaction, now=now, found=lambda _session, each: opened.append(each.delivery_id)
            )
        ]

    assert [sweep(office.at(899)), sweep(due), sweep(due)] == [[], [delivery_id], []]
    assert opened == [delivery_id]
    assert office.relay(later_s=7200).carried == 0
    assert office.states() == {"part-1": "sent", "part-2": "confirmed", "part-3": "sent"}


def test_a_delivery_is_withdrawn_only_before_it_goes(office: Office) -> None:
    waiting = office.enqueue("part-1")
    with office.transaction() as session:
        assert deliveries.cancel(session, waiting, reason="not wanted")
    gone = office.enqueue("part-2")

    office.relay()

    with office.transaction() as session:
        assert not deliveries.cancel(session, gone, reason="too late")
    assert office.partner.brought == ["part-2"]
