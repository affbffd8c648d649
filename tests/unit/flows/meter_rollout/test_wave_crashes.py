"""What dies at any of its commits is done by the same command again, and nothing of it twice."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from wave_desk import NOW, POLICY, RULES, encode, frozen, order_of, pass_once, sending, sent_out, states, unable
from wave_town import House, build

from canonical.codes.message import EXPORT_IMPOSSIBLE
from canonical.errors import RejectedError
from canonical.messages import Message, Parcel
from flows.meter_rollout import waves
from flows.meter_rollout.freezing import freeze
from flows.meter_rollout.planner import plan
from flows.meter_rollout.release import release
from flows.routing.deliver import Sending
from flows.routing.routes import Routes
from store import rollout_plans
from store.session import Session, Transaction

HOUSES = [House(n) for n in range(1, 7)]
WIDE = replace(RULES, capacity_per_day=6)


class KilledError(Exception):
    """The process died."""


def killed_at(transaction: Transaction, commit: int) -> Transaction:
    """Return an opener of transactions that dies in the one with that number, before it commits."""
    opened = 0

    @contextmanager
    def opener() -> Iterator[Session]:
        nonlocal opened
        opened += 1
        with transaction() as session:
            yield session
            if opened == commit:
                raise KilledError

    return opener


@pytest.mark.slow
@pytest.mark.parametrize("commit", range(1, 6))
def test_a_release_that_dies_goes_on_where_it_was(commit: int, transaction: Transaction) -> None:
    frozen(transaction, HOUSES, WIDE)

    _twice(lambda opener: release(
        "NORTH-1", [], policy=POLICY, sending=sending(NOW), transaction=opener, by="Ada"
    ), transaction, commit)  # fmt: skip

    assert set(states(transaction).values()) == {"RELEASED"}
    assert sorted(row["lane"] for row in sent_out(transaction)) == [f"UP-{n:06}" for n in range(1, 7)]


@pytest.mark.slow
@pytest.mark.parametrize("commit", range(1, 7))
def test_a_plan_that_dies_leaves_a_draft_and_the_next_one_is_whole(commit: int, transaction: Transaction) -> None:
    with transaction() as session:
        build(session, HOUSES)

    _twice(lambda opener: plan(WIDE, transaction=opener, now=NOW, by="Ada"), transaction, commit)

    with transaction() as session:
        planned = rollout_plans.of_day(session, "NORTH-1", states=["PLANNED"], days=[], limit=100)
    assert [row["place"] for row in planned] == [1, 2, 3, 4, 5, 6]
    assert freeze("NORTH-1", transaction=transaction, now=NOW, by="Ada").eligible == 6


@pytest.mark.slow
@pytest.mark.parametrize("commit", range(1, 5))
def test_an_abort_that_dies_goes_on_where_it_was(commit: int, transaction: Transaction) -> None:
    frozen(transaction, HOUSES, WIDE)
    release("NORTH-1", [], policy=POLICY, sending=sending(NOW), transaction=transaction, by="Ada")

    _twice(lambda opener: waves.abort(
        "NORTH-1", policy=POLICY, sending=sending(NOW), transaction=opener, by="Ada", reason="no budget"
    ), transaction, commit)  # fmt: skip

    assert set(states(transaction).values()) == {"CANCELLED"}
    assert sorted(row["lane"] for row in sent_out(transaction) if row["verb"] == "cancel") == [
        f"UP-{n:06}" for n in range(1, 7)
    ]


def test_an_order_for_which_the_work_system_has_no_words_is_held_and_not_taken_for_told(
    transaction: Transaction,
) -> None:
    frozen(transaction, HOUSES[:2])

    def speechless(role: str, message: Message[Any]) -> Parcel:
        if message.header.lane == "UP-000001":
            raise RejectedError("no such form", code=EXPORT_IMPOSSIBLE)
        return encode(role, message)

    release("NORTH-1", [], policy=POLICY, sending=Sending(Routes(), speechless, NOW), transaction=transaction, by="Ada")
    pass_once(transaction)

    assert states(transaction) == {1: "ON_HOLD", 2: "RELEASED"}
    assert order_of(transaction, 1)["code"] == "8051 NOT_TAKEN_BY_FIELD"


@pytest.mark.parametrize("routes", [Routes(manual=frozenset({"wams"})), Routes(absent=frozenset({"wams"}))])
def test_without_a_work_system_orders_are_dispatched_and_planned_again_like_others(
    routes: Routes, transaction: Transaction
) -> None:
    frozen(transaction, HOUSES[:1])
    by_hand = Sending(routes, encode, NOW)

    release("NORTH-1", [], policy=POLICY, sending=by_hand, transaction=transaction, by="Ada")
    assert pass_once(transaction).dispatched == 1
    unable(transaction, 1, NOW + timedelta(days=1))
    assert pass_once(transaction, NOW + timedelta(days=1)).replanned == 1
    assert sent_out(transaction) == []


def _twice(act: Callable[[Transaction], object], transaction: Transaction, commit: int) -> None:
    """Do something, once with a crash and then whole."""
    try:
        act(killed_at(transaction, commit))
    except KilledError:
        act(transaction)
