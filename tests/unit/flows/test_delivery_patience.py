"""Destinations that are away, refuse or stumble: retried with patience, spared, paced; leases of relays that die."""

import pytest
from delivery_office import AWAY, SENT, Office

from canonical.codes import message as codes
from canonical.errors import HubError, MisconfiguredError, RejectedError, UnavailableError
from canonical.messages import Outcome
from flows.delivery import DEFAULT, DeliveryPolicy, RelayReport
from store.attempts import DeliveryAttempt
from store.deliveries import Delivery
from store.endpoints import Endpoint


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


def test_a_lease_must_outlive_its_batch() -> None:
    with pytest.raises(ValueError, match="longer than"):
        DeliveryPolicy(batch=20, timeout_s=60, lease_s=900)
