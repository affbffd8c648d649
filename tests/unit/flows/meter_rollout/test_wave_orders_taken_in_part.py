"""Of a message of several orders, those that the work system names as refused are held, and no others."""

from dataclasses import replace

import pytest
from wave_desk import NOW, POLICY, RULES, frozen, order_in, order_of, pass_once, release_days, states
from wave_town import House

from canonical.codes.message import PARTNER_REFUSED, PARTNER_TOOK_PART
from canonical.messages import Outcome
from canonical.refusals import Refusal, refusals_to_text
from store import deliveries, work
from store.session import Transaction

SEVERAL = replace(RULES, capacity_per_day=5, orders_per_message=5)
"""One message of five orders: more than the pass takes at a time."""


def answered(transaction: Transaction, code: str, reason: str) -> None:
    with transaction() as session:
        found = deliveries.find(session, order_in(session, 1)["delivery_id"])
        deliveries.settle(found, Outcome("rejected", code, reason), now=NOW)
        session.add(found)


@pytest.fixture
def told(transaction: Transaction) -> Transaction:
    frozen(transaction, [House(n) for n in range(1, 6)], SEVERAL)
    release_days(transaction, policy=replace(POLICY, batch=100))
    return transaction


def test_those_that_are_named_are_held_with_their_own_reasons(told: Transaction) -> None:
    refused = [
        Refusal("WorkRequest", order_of(told, 2)["order_id"], "2.4", "no such premise"),
        Refusal("UsagePoint", "UP-000005", "2.9", "dog; large"),
    ]
    answered(told, str(PARTNER_TOOK_PART), refusals_to_text(refused))

    passed = pass_once(told)

    assert (passed.dispatched, passed.refused) == (3, 2)
    assert states(told) == {1: "DISPATCHED", 2: "ON_HOLD", 3: "DISPATCHED", 4: "DISPATCHED", 5: "ON_HOLD"}
    assert [order_of(told, n)["reason"] for n in (2, 5)] == ["2.4 no such premise", "2.9 dog, large"]


def test_where_a_refusal_names_none_of_them_nobody_knows_of_the_others(told: Transaction) -> None:
    refused = [Refusal("WorkRequest", order_of(told, 2)["order_id"], "2.4"), Refusal("Work", "their own number", "2.4")]
    answered(told, str(PARTNER_TOOK_PART), refusals_to_text(refused))

    assert pass_once(told).refused == 5
    assert order_of(told, 2)["reason"] == "2.4"


def test_a_message_that_is_refused_whole_holds_them_all(told: Transaction) -> None:
    answered(told, str(PARTNER_REFUSED), "closed for the weekend")

    assert pass_once(told).refused == 5
    assert order_of(told, 4)["reason"] == f"{PARTNER_REFUSED} closed for the weekend"


def test_what_is_taken_when_the_message_is_replayed_is_held_no_more(told: Transaction) -> None:
    refused = [Refusal("WorkRequest", order_of(told, 2)["order_id"], "2.4", "no such premise")]
    answered(told, str(PARTNER_TOOK_PART), refusals_to_text(refused))
    pass_once(told)
    with told() as session:
        found = deliveries.find(session, order_in(session, 2)["delivery_id"])
        deliveries.settle(found, Outcome("confirmed"), now=NOW)
        session.add(found)

    assert pass_once(told).dispatched == 1
    assert states(told)[2] == "DISPATCHED"
    with told() as session:
        assert work.listed(session) == []
