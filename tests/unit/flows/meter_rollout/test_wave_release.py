"""Released orders reach the work system; what came between is held, excluded or given another day."""

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
from wave_desk import (
    NOW,
    POLICY,
    RULES,
    confirm,
    content,
    frozen,
    order_of,
    pass_once,
    release_days,
    sent_out,
    states,
    wave,
)
from wave_town import BEGAN, House

from canonical.codes.rollout_waves import APPROVAL_MISSING, STOCK_SHORT
from canonical.errors import RejectedError
from flows.meter_rollout.release import PASSED
from flows.meter_rollout.rules import facts_of, rules_from
from flows.meter_rollout.wave_pass import WavesPassed
from store import reference
from store.session import Transaction


def test_released_orders_go_to_the_work_system_and_count_as_dispatched_when_it_confirms(
    transaction: Transaction,
) -> None:
    frozen(transaction, [House(n) for n in (1, 2, 3)])

    found = release_days(transaction, date(2026, 12, 1))
    sent = sent_out(transaction)
    asked = json.loads(sent[0]["body"])
    assert found.orders == {"2026-12-01": 2}
    assert [(row["destination"], row["lane"], row["verb"]) for row in sent] == [
        ("wams", "UP-000001", "create"),
        ("wams", "UP-000002", "create"),
    ]
    assert (asked["window_from"], asked["window_until"]) == ("2026-12-01T13:00:00+00:00", "2026-12-01T22:00:00+00:00")
    assert sent[0]["expires_at"].isoformat() == asked["window_until"]
    assert (asked["old_serial"], asked["new_model"], asked["attempt"], asked["contractor"]) == (
        "S000001",
        "C1",
        1,
        "FieldCo",
    )

    assert pass_once(transaction) == WavesPassed()
    confirm(transaction, sent)
    assert pass_once(transaction).dispatched == 2
    assert states(transaction) == {1: "DISPATCHED", 2: "DISPATCHED", 3: "ELIGIBLE"}
    assert wave(transaction)["state"] == "RUNNING"


def test_a_day_that_has_passed_is_not_released_but_planned_again(transaction: Transaction) -> None:
    frozen(transaction, [House(n) for n in (1, 2, 3)])

    late = release_days(transaction, at=NOW + timedelta(days=2))

    assert (late.orders, late.held) == ({"2026-12-02": 1}, {PASSED: 2})
    assert pass_once(transaction, NOW + timedelta(days=2)).replanned == 2


def test_released_twice_nothing_goes_twice(transaction: Transaction) -> None:
    frozen(transaction, [House(n) for n in (1, 2, 3)])

    release_days(transaction, date(2026, 12, 1))
    again = release_days(transaction)

    assert again.orders == {"2026-12-02": 1}
    assert len(sent_out(transaction)) == 3


def test_a_dry_run_says_what_would_go_and_sends_nothing(transaction: Transaction) -> None:
    frozen(transaction, [House(n) for n in (1, 2, 3)])

    tried = release_days(transaction, dry_run=True)

    assert tried.orders == {"2026-12-01": 2, "2026-12-02": 1}
    assert sent_out(transaction) == []
    assert (wave(transaction)["state"], set(states(transaction).values())) == ("FROZEN", {"ELIGIBLE"})


def test_what_changed_since_the_list_was_frozen_is_held_or_excluded_and_said(transaction: Transaction) -> None:
    frozen(transaction, [House(n) for n in range(1, 6)])
    with transaction() as session:
        [hung] = reference.current(session, reference.INSTALLATION, "usage_point", {"UP-000001"})
        ended = {**content(hung), "removed_at": NOW - timedelta(days=1)}
        reference.record(session, reference.INSTALLATION, [ended], now=NOW)
        days = {"cycle": "07", "business_date": "2026-12-02", "period_start": BEGAN, "period_end": NOW}
        [moving] = reference.current(session, reference.AGREEMENT, "usage_point", {"UP-000002"})
        reference.record(session, reference.AGREEMENT, [{**content(moving), "cycle": "07"}], now=NOW)
        others = reference.current(session, reference.AGREEMENT, "usage_point", {"UP-000004", "UP-000005"})
        reference.record(session, reference.AGREEMENT, [{**content(row), "cycle": "09"} for row in others], now=NOW)
        reference.record(session, reference.BILL_CYCLE_DAY, [days], now=NOW)

    found = release_days(transaction, exclude={"N3": "opt-out"})

    assert states(transaction) == {1: "EXCLUDED", 2: "ON_HOLD", 3: "EXCLUDED", 4: "RELEASED", 5: "RELEASED"}
    assert found.held == {"8045 NOTHING_TO_EXCHANGE": 1, "8011 BILLING_WINDOW_LOCK": 1, "8044 EXCLUDED_BY_RULE": 1}
    later = pass_once(transaction, NOW + timedelta(days=1, hours=1))
    assert later.replanned == 1
    assert order_of(transaction, 2)["planned_day"] == "2026-12-08"


def test_days_are_released_ahead_only_where_the_wave_says_so_and_no_person_has_to(transaction: Transaction) -> None:
    frozen(transaction, [House(n) for n in (1, 2, 3, 4, 5)], replace(RULES, release_ahead_days=2))
    assert pass_once(transaction).released == 0  # a person begins

    release_days(transaction, date(2026, 12, 1))
    assert pass_once(transaction, NOW).released == 2


def test_orders_for_which_no_meter_lies_in_stock_are_not_released_where_the_wave_wants_them(
    transaction: Transaction,
) -> None:
    frozen(transaction, [House(1)], replace(RULES, stock="must"))

    with pytest.raises(RejectedError) as refused:
        release_days(transaction)

    assert refused.value.code == STOCK_SHORT
    assert refused.value.reason == "NEW-1 (C1): 1 needed, 0 in stock"


def test_where_the_site_asks_a_person_releases(transaction: Transaction) -> None:
    frozen(transaction, [House(1)], replace(RULES, approvals=frozenset({"release"})))

    with pytest.raises(RejectedError) as refused:
        release_days(transaction, by="hub")

    assert refused.value.code == APPROVAL_MISSING


def test_a_contractor_gets_the_orders_of_a_day_in_files_of_many(transaction: Transaction) -> None:
    rules = replace(RULES, capacity_per_day=4, orders_per_message=3, work_system="field")
    frozen(transaction, [House(n) for n in range(1, 6)], rules)

    release_days(transaction, policy=replace(POLICY, batch=100))

    sent = sent_out(transaction)
    assert [(row["destination"], len(json.loads(row["body"]))) for row in sent] == [
        ("field", 3),
        ("field", 1),
        ("field", 1),
    ]


def test_the_rules_of_a_wave_are_kept_as_they_are() -> None:
    rules = replace(
        RULES, exclude={"N1": "opt-out"}, holidays=frozenset({date(2026, 12, 8)}), include=frozenset({"N2"})
    )

    assert rules_from(json.loads(json.dumps(facts_of(rules)))) == rules
