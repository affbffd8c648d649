"""What goes out: carried once, in order, retried with patience, parked with its reason, confirmed by the other side."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import pytest
from sqlmodel import col, select

from canonical.codes import message as codes
from canonical.errors import HubError, MisconfiguredError, RejectedError, UnavailableError
from canonical.messages import Header, Message, Outcome, Parcel
from flows.delivery import DEFAULT, DeliveryPolicy, RelayReport, relay_once, replay, sweep_confirmations
from store import deliveries
from store.deliveries import Delivery, DeliveryAttempt
from store.dispatch import Endpoint
from store.session import Transaction

SENT, AWAY = Outcome("sent"), Outcome("unavailable", "1005 ATTEMPTS_EXHAUSTED", "no answer")


class Partner:
    """A destination that answers as it is told, and remembers what it was brought."""

    def __init__(self) -> None:
        self.brought: list[str] = []
        self.answers: dict[str, Outcome | HubError] = {}
        self.otherwise: Outcome | HubError = SENT
        self.meanwhile: Callable[[], object] = lambda: None

    def encode(self, message: Message[Any], *, spool: Path) -> Parcel:
        return parcel(message.header.message_id)

    def carry(self, parcels: Sequence[Parcel], *, spool: Path, timeout_s: float) -> Sequence[Outcome]:
        self.meanwhile()
        outcomes = []
        for each in parcels:
            answer = self.answers.get(each.name, self.otherwise)
            if isinstance(answer, HubError):
                raise answer
            self.brought.append(each.name)
            outcomes.append(answer)
        return outcomes


def parcel(name: str, body: bytes = b"42 kWh") -> Parcel:
    digest = sha256(body).hexdigest()
    return Parcel(name, "text/plain", digest, len(body), body, key=f"key-{name}", confirm_name=f"ack-{name}")


class Office:
    """The hub's way out to one partner."""

    def __init__(self, transaction: Transaction, now: datetime, spool: Path) -> None:
        self.transaction, self.now, self.spool = transaction, now, spool
        self.partner = Partner()
        self.policy = DEFAULT

    def enqueue(self, name: str, **facts: Any) -> str:
        given = {key: facts.pop(key) for key in ("confirm_by", "body") if key in facts}
        header = Header(name, "hub", "created", "MeterReadings", **facts)
        with self.transaction() as session:
            return deliveries.enqueue(
                session,
                header=header,
                parcel=parcel(name, given.get("body", b"42 kWh")),
                destination="cis",
                now=self.now,
                confirm_by=given.get("confirm_by"),
            )

    def relay(self, *, later_s: float = 0) -> RelayReport:
        return relay_once(
            {"cis": self.partner},
            transaction=self.transaction,
            spool=self.spool,
            now=self.now,
            machine_now=self.at(later_s),
            policies={"cis": self.policy},
        )

    def at(self, later_s: float) -> datetime:
        return self.now + timedelta(seconds=later_s)

    def states(self) -> dict[str, str]:
        return {row.name: row.state for row in self.rows(Delivery)}

    def rows(self, table: Any) -> list[Any]:
        order = DeliveryAttempt.number if table is DeliveryAttempt else None
        with self.transaction() as session:
            query = select(table)
            return list(session.exec(query.order_by(col(order)) if order else query).all())

    def confirm(self, name: str, state: Literal["confirmed", "rejected"], code: str = "") -> str | None:
        with self.transaction() as session:
            return deliveries.confirm(
                session, destination="cis", confirm_name=f"ack-{name}", outcome=Outcome(state, code), now=self.now
            )

    def replay(self, delivery_id: str, *, dry_run: bool = False) -> Any:
        return replay(
            delivery_id, transaction=self.transaction, now=self.now, machine_now=self.now, by="ann", dry_run=dry_run
        )


@pytest.fixture
def office(transaction: Transaction, now: datetime, tmp_path: Path) -> Office:
    return Office(transaction, now, tmp_path)


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


def test_retries_wait_longer_each_time_and_end_parked(office: Office) -> None:
    office.policy = DeliveryPolicy(breaker_failures=100)
    office.partner.otherwise = AWAY
    delivery_id = office.enqueue("part-1")
    clock, waits = 0.0, []

    for failures in range(1, 8):
        assert office.relay(later_s=clock).postponed == 1
        wait = office.policy.wait_s(delivery_id, failures)
        assert office.relay(later_s=clock + wait - 1).carried == 0
        waits.append(wait)
        clock += wait + 0.001
    last = office.relay(later_s=clock)

    steps = [30, 60, 120, 240, 480, 900, 900]
    assert all(step / 2 <= wait <= step for step, wait in zip(steps, waits, strict=True))
    assert last == RelayReport(carried=1, parked=1)
    (row,) = office.rows(Delivery)
    assert (row.state, row.code, row.attempts) == ("parked", "1005 ATTEMPTS_EXHAUSTED", 8)
    assert [attempt.number for attempt in office.rows(DeliveryAttempt)] == list(range(1, 9))


def test_waits_of_deliveries_that_failed_together_spread_but_repeat_themselves() -> None:
    waits = [DEFAULT.wait_s(f"delivery-{n}", 1) for n in range(50)]

    assert len(set(waits)) == 50
    assert waits == [DEFAULT.wait_s(f"delivery-{n}", 1) for n in range(50)]


@pytest.mark.parametrize(
    ("raised", "report", "state"),
    [
        (UnavailableError("cut", code=codes.CLAIM_LOST), RelayReport(carried=1, postponed=1), "pending"),
        (RejectedError("no", code=codes.NOT_IN_STORE), RelayReport(carried=1, parked=1), "parked"),
    ],
)
def test_what_a_port_raises_becomes_an_outcome(
    office: Office, raised: HubError, report: RelayReport, state: str
) -> None:
    office.partner.otherwise = raised
    office.enqueue("part-1")

    assert office.relay() == report
    assert office.states() == {"part-1": state}
    assert office.rows(DeliveryAttempt)[0].code == str(raised.code)


def test_a_refusal_that_names_no_parcel_is_settled_parcel_by_parcel(office: Office) -> None:
    office.partner.answers["b"] = RejectedError("no", code=codes.NOT_IN_STORE)
    for name in "abc":
        office.enqueue(name)

    office.relay()

    assert office.states() == {"a": "sent", "b": "parked", "c": "sent"}


def test_a_wrong_setup_calls_a_person_and_uses_up_no_attempt(office: Office) -> None:
    office.partner.otherwise = MisconfiguredError("host key changed", code=codes.NOT_IN_STORE)
    office.enqueue("part-1")

    report = office.relay()

    assert report.misconfigured == ["cis: 1008 NOT_IN_STORE: host key changed"]
    assert office.relay(later_s=60).carried == 0
    (row,) = office.rows(Delivery)
    assert (row.state, row.failures) == ("pending", 0)
    office.partner.otherwise = SENT
    assert office.relay(later_s=DEFAULT.cap_s).sent == 1


def test_the_breaker_opens_after_failures_in_a_row_lets_one_try_and_closes_on_an_answer(office: Office) -> None:
    office.policy = DeliveryPolicy(batch=1, breaker_failures=2, breaker_open_s=60)
    office.partner.otherwise = AWAY
    for name in "abcd":
        office.enqueue(name)
    office.relay()
    office.relay()

    while_open = office.relay(later_s=59)
    office.policy = DeliveryPolicy(batch=10, breaker_failures=2, breaker_open_s=60)
    probe = office.relay(later_s=60)
    still_open = office.relay(later_s=60 + 119)
    office.partner.otherwise = SENT
    second_probe = office.relay(later_s=60 + 120)
    closed = office.relay(later_s=60 + 120)

    assert while_open.carried == 0
    assert (probe.carried, probe.postponed) == (1, 1)
    assert still_open.carried == 0
    assert (second_probe.carried, second_probe.sent) == (1, 1)
    assert closed.sent == 3
    (endpoint,) = office.rows(Endpoint)
    assert (endpoint.failures, endpoint.openings, endpoint.open_until) == (0, 0, None)


def test_what_is_due_for_a_destination_without_a_port_is_named(office: Office) -> None:
    office.enqueue("part-1")

    report = relay_once({}, transaction=office.transaction, spool=office.spool, now=office.now, machine_now=office.now)

    assert report == RelayReport(unserved=["cis"])
    assert office.states() == {"part-1": "pending"}


def test_no_more_deliveries_begin_in_a_minute_than_the_destination_permits(office: Office) -> None:
    office.policy = DeliveryPolicy(per_minute=2)
    for name in "abc":
        office.enqueue(name)

    assert [office.relay(later_s=s).carried for s in (0, 59, 60)] == [2, 0, 1]


def test_no_more_deliveries_are_under_way_than_the_destination_permits(office: Office) -> None:
    office.policy = DeliveryPolicy(in_flight=2)
    for name in "abc":
        office.enqueue(name)
    other: list[RelayReport] = []
    office.partner.meanwhile = lambda: other.append(office.relay()) if not other else None

    office.relay()

    assert other == [RelayReport()]
    assert office.relay().carried == 1


def test_what_lost_its_meaning_is_not_sent(office: Office) -> None:
    office.enqueue("stale", expires_at=office.now)
    office.enqueue("fresh", expires_at=office.at(1))

    office.relay()

    assert office.states() == {"stale": "cancelled", "fresh": "sent"}
    assert office.rows(Delivery)[0].code == "1006 DELIVERY_EXPIRED"


def test_a_relay_that_died_is_replaced_when_its_lease_ends(office: Office) -> None:
    def die() -> None:
        raise KeyError("a relay that dies")

    delivery_id = office.enqueue("part-1")
    office.partner.meanwhile = die
    with pytest.raises(KeyError):
        office.relay()
    office.partner.meanwhile = lambda: None

    assert office.replay(delivery_id, dry_run=True).in_doubt
    assert office.relay(later_s=DEFAULT.lease_s - 1).carried == 0
    assert office.relay(later_s=DEFAULT.lease_s).sent == 1
    assert [attempt.outcome for attempt in office.rows(DeliveryAttempt)] == ["", "sent"]


def test_a_relay_that_lost_its_lease_changes_nothing(office: Office) -> None:
    office.enqueue("part-1")

    def slow() -> None:
        office.partner.meanwhile = lambda: None
        office.relay(later_s=DEFAULT.lease_s)
        office.partner.answers["part-1"] = Outcome("rejected", "6011 UNKNOWN_REGISTER")

    office.partner.meanwhile = slow
    office.relay()

    assert office.states() == {"part-1": "sent"}
    assert [attempt.outcome for attempt in office.rows(DeliveryAttempt)] == ["rejected", "sent"]


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


def test_a_lease_must_outlive_its_batch() -> None:
    with pytest.raises(ValueError, match="longer than"):
        DeliveryPolicy(batch=20, timeout_s=60, lease_s=900)
