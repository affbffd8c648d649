"""What the site leaves to a person is asked for, once it can be decided, and not before or after."""

from dataclasses import replace
from datetime import date, timedelta

from wave_desk import NOW, POLICY, RULES, frozen, release_days
from wave_town import House, build

from flows.meter_rollout.approvals import pending
from flows.meter_rollout.freezing import freeze
from flows.meter_rollout.planner import plan
from store.session import Transaction

ASKED = replace(RULES, approvals=frozenset({"plan", "release"}))


def asked(transaction: Transaction, after: timedelta = timedelta(0)) -> list[str]:
    return [str(one) for one in pending(policy=POLICY, transaction=transaction, now=NOW + after)]


def test_a_planned_list_waits_for_its_freezing_and_the_next_days_for_their_release(transaction: Transaction) -> None:
    with transaction() as session:
        build(session, [House(n) for n in (1, 2, 3)])
    plan(ASKED, transaction=transaction, now=NOW, by="Ada")
    before = asked(transaction)

    freeze("NORTH-1", transaction=transaction, now=NOW, by="Ada")
    behind = asked(transaction)
    release_days(transaction, date(2026, 12, 1))

    assert before == ["freeze NORTH-1"]
    assert behind == ["release 2026-12-01 of NORTH-1", "release 2026-12-02 of NORTH-1"]
    assert asked(transaction) == behind[1:]
    assert asked(transaction, timedelta(days=30)) == []


def test_a_wave_that_asks_for_nobody_is_asked_for_by_nobody(transaction: Transaction) -> None:
    frozen(transaction, [House(1)])

    assert asked(transaction) == []
