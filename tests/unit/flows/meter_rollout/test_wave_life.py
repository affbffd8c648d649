"""Visits in vain get another day up to a point; waves pause, abort, complete, and are signed by a person."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from wave_desk import (
    NOW,
    POLICY,
    RULES,
    confirm,
    frozen,
    order_in,
    order_of,
    pass_once,
    release_days,
    sending,
    sent_out,
    states,
    unable,
    wave,
)
from wave_town import House

from canonical.codes.rollout_waves import APPROVAL_MISSING, ROLLOUT_STATE, WAVE_NOT_DONE
from canonical.errors import RejectedError
from canonical.messages import Outcome
from flows.meter_rollout import orders_by_person, waves
from flows.meter_rollout.wave_pass import WavesPassed
from store import deliveries, rollout_orders, rollout_waves, work
from store.session import Transaction


def test_a_visit_in_vain_gets_another_day_until_the_attempts_are_used(transaction: Transaction) -> None:
    frozen(transaction, [House(1)])
    release_days(transaction)
    unable(transaction, 1, NOW + timedelta(days=1))

    assert pass_once(transaction, NOW + timedelta(days=1)).replanned == 1
    row = order_of(transaction, 1)
    assert (row["state"], row["planned_day"], row["attempts"]) == ("ELIGIBLE", "2026-12-04", 1)

    release_days(transaction, at=NOW + timedelta(days=2))
    unable(transaction, 1, NOW + timedelta(days=4))
    assert pass_once(transaction, NOW + timedelta(days=4)).given_up == 1
    assert pass_once(transaction, NOW + timedelta(days=5)) == WavesPassed()
    row = order_of(transaction, 1)
    with transaction() as session:
        [item] = work.listed(session, queue="rollout")
    verbs = [sent["verb"] for sent in sent_out(transaction)]
    assert (row["state"], row["code"], row["reason"]) == (
        "UNABLE",
        "8052 ATTEMPTS_USED",
        "2 visits in vain, the last: no access",
    )
    assert (item["code"], item["usage_point"]) == ("8052 ATTEMPTS_USED", "UP-000001")
    assert verbs == ["create", "change"]


def test_a_person_gives_another_visit_or_drops_the_order_and_the_work_is_ended(transaction: Transaction) -> None:
    frozen(transaction, [House(1), House(2)], replace(RULES, attempts=1))
    release_days(transaction)
    for number in (1, 2):
        unable(transaction, number, NOW + timedelta(days=1))
    pass_once(transaction, NOW + timedelta(days=1))
    at = NOW + timedelta(days=1)

    day = orders_by_person.again(
        "N1", "NORTH-1", transaction=transaction, now=at, by="Ada", reason="the customer is at home now"
    )
    orders_by_person.drop(
        "UP-000002", "NORTH-1", policy=POLICY, sending=sending(at), transaction=transaction, by="Ada", reason="refused"
    )
    with transaction() as session:
        assert work.listed(session, queue="rollout") == []
    with pytest.raises(RejectedError) as gone:
        orders_by_person.drop(
            "N2", "NORTH-1", policy=POLICY, sending=sending(at), transaction=transaction, by="Ada", reason="again"
        )
    assert (day, gone.value.code) == ("2026-12-04", ROLLOUT_STATE)
    assert states(transaction) == {1: "ELIGIBLE", 2: "CANCELLED"}
    assert [row["verb"] for row in sent_out(transaction)] == ["create", "create", "cancel"]


def test_a_replanned_visit_takes_no_more_than_the_capacity_of_its_day(transaction: Transaction) -> None:
    frozen(transaction, [House(n) for n in range(1, 9)])
    release_days(transaction, date(2026, 12, 1))
    for number in (1, 2):
        unable(transaction, number, NOW + timedelta(days=1))

    pass_once(transaction, NOW + timedelta(days=1))

    with transaction() as session:
        filled = rollout_waves.orders_by_day(session, "NORTH-1")
    assert {day: number for (day, _), number in filled.items()} == dict.fromkeys(
        ("2026-12-02", "2026-12-03", "2026-12-04", "2026-12-07"), 2
    )


def test_a_day_that_passed_without_release_is_planned_again(transaction: Transaction) -> None:
    frozen(transaction, [House(1)])

    assert pass_once(transaction, NOW + timedelta(days=3)).replanned == 1
    assert order_of(transaction, 1)["planned_day"] == "2026-12-04"


def test_an_order_that_the_work_system_refuses_is_a_persons_work(transaction: Transaction) -> None:
    frozen(transaction, [House(1)])
    release_days(transaction)
    with transaction() as session:
        outcome = Outcome("rejected", "5001 UNKNOWN", "no such premise")
        order = order_in(session, 1)
        found = deliveries.find(session, order["delivery_id"])
        deliveries.settle(found, outcome, now=NOW)
        session.add(found)

    assert pass_once(transaction).refused == 1
    held = order_of(transaction, 1)
    assert (held["state"], held["before"], held["code"]) == ("ON_HOLD", "RELEASED", "8051 NOT_TAKEN_BY_FIELD")
    assert "no such premise" in held["reason"]


def test_an_order_that_is_not_confirmed_in_time_is_told_once_and_may_be_confirmed_yet(
    transaction: Transaction,
) -> None:
    frozen(transaction, [House(1)])
    release_days(transaction)

    assert pass_once(transaction, NOW + timedelta(hours=2)).refused == 1
    assert pass_once(transaction, NOW + timedelta(hours=3)) == WavesPassed()
    with transaction() as session:
        assert len(work.listed(session, queue="rollout")) == 1
    confirm(transaction, sent_out(transaction))
    assert pass_once(transaction, NOW + timedelta(hours=4)).dispatched == 1
    with transaction() as session:
        assert work.listed(session, queue="rollout") == []


def test_what_was_confirmed_in_time_is_not_late_however_long_nobody_looked(transaction: Transaction) -> None:
    frozen(transaction, [House(n) for n in range(1, 6)], replace(RULES, capacity_per_day=5))
    release_days(transaction)
    confirm(transaction, sent_out(transaction))

    passed = pass_once(transaction, NOW + timedelta(hours=5))

    assert POLICY.batch < 5
    assert (passed.dispatched, passed.refused) == (5, 0)


def test_a_paused_wave_releases_nothing_and_goes_on_as_what_it_was(transaction: Transaction) -> None:
    frozen(transaction, [House(n) for n in (1, 2, 3)])
    release_days(transaction, date(2026, 12, 1))
    waves.pause("NORTH-1", transaction=transaction, now=NOW, by="Ada", reason="storm")

    with pytest.raises(RejectedError) as refused:
        release_days(transaction)
    assert refused.value.code == ROLLOUT_STATE
    assert waves.resume("NORTH-1", transaction=transaction, now=NOW, by="Ada") == "RELEASED"
    assert release_days(transaction).orders.total() == 1


def test_an_aborted_wave_withdraws_what_is_in_the_field_and_lets_what_is_done_finish(transaction: Transaction) -> None:
    frozen(transaction, [House(n) for n in (1, 2, 3)])
    release_days(transaction, date(2026, 12, 1))
    with transaction() as session:
        rollout_orders.move(session, [rollout_orders.order_id_of("NORTH-1", "UP-000001")], "DONE_IN_FIELD", now=NOW)

    done = waves.abort(
        "NORTH-1", policy=POLICY, sending=sending(NOW), transaction=transaction, by="Ada", reason="no budget"
    )

    assert (done.cancelled, done.withdrawn, done.going_on) == (2, 1, 1)
    assert states(transaction) == {1: "DONE_IN_FIELD", 2: "CANCELLED", 3: "CANCELLED"}
    assert [(row["verb"], row["lane"]) for row in sent_out(transaction)][2:] == [("cancel", "UP-000002")]


def test_a_wave_is_completed_by_its_orders_and_closed_by_a_person(transaction: Transaction) -> None:
    frozen(transaction, [House(1)])
    release_days(transaction)
    order = [rollout_orders.order_id_of("NORTH-1", "UP-000001")]
    with pytest.raises(RejectedError) as early:
        waves.close("NORTH-1", transaction=transaction, now=NOW, by="Ada")
    with transaction() as session:
        for state in ("DONE_IN_FIELD", "VALIDATED", "CERTIFIED", "CLOSED"):
            rollout_orders.move(session, order, state, now=NOW)

    assert pass_once(transaction).ended == ("NORTH-1",)
    with pytest.raises(RejectedError) as unsigned:
        waves.close("NORTH-1", transaction=transaction, now=NOW, by="hub")
    waves.close("NORTH-1", transaction=transaction, now=NOW, by="Ada", reason="reconciled")
    assert (early.value.code, unsigned.value.code) == (ROLLOUT_STATE, APPROVAL_MISSING)
    assert (wave(transaction)["state"], wave(transaction)["acts"][-1]["by"]) == ("CLOSED", "Ada")


def test_a_completed_wave_with_an_order_open_again_is_not_closed(transaction: Transaction) -> None:
    frozen(transaction, [House(1)])
    release_days(transaction)
    order = [rollout_orders.order_id_of("NORTH-1", "UP-000001")]
    with transaction() as session:
        for state in ("DONE_IN_FIELD", "VALIDATED", "CLOSED"):
            rollout_orders.move(session, order, state, now=NOW)
    pass_once(transaction)
    with transaction() as session:
        rollout_orders.move(session, order, "CORRECTING", now=NOW)

    with pytest.raises(RejectedError) as refused:
        waves.close("NORTH-1", transaction=transaction, now=NOW, by="Ada")
    assert refused.value.code == WAVE_NOT_DONE
    pass_once(transaction)
    assert wave(transaction)["state"] == "RUNNING"
