"""Released orders reach the work system; what came between is held; visits in vain get another day, up to a point."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from wave_town import BEGAN, House, build

from canonical.codes.rollout_waves import APPROVAL_MISSING, ROLLOUT_STATE, STOCK_SHORT, WAVE_NOT_DONE
from canonical.errors import RejectedError
from canonical.messages import Message, Outcome, Parcel
from flows.meter_rollout import orders_by_person, waves
from flows.meter_rollout.freezing import freeze
from flows.meter_rollout.planner import plan
from flows.meter_rollout.policy import Policy
from flows.meter_rollout.release import Released, release
from flows.meter_rollout.rules import Hardware, WaveRules, facts_of, rules_from
from flows.meter_rollout.wave_pass import WavesPassed, pass_waves
from flows.routing.deliver import Sending
from flows.routing.routes import Routes
from store import deliveries, reference, rollout_orders, rollout_waves, work
from store.rows import Row, rows_of
from store.session import Transaction

NOW = datetime(2026, 11, 30, 15, tzinfo=UTC)
POLICY = Policy(zone="America/Toronto", roles={"wams": "wams"}, batch=2)
RULES = WaveRules(
    "NORTH-1",
    date(2026, 12, 1),
    date(2026, 12, 11),
    2,
    zone="America/Toronto",
    hardware=(Hardware("NEW-1", configuration="C1"),),
    attempts=2,
    contractor="FieldCo",
)


def test_released_orders_go_to_the_work_system_and_count_as_dispatched_when_it_confirms(
    transaction: Transaction,
) -> None:
    _frozen(transaction, [House(n) for n in (1, 2, 3)])

    found = _release(transaction, date(2026, 12, 1))
    sent = _deliveries(transaction)
    asked = json.loads(sent[0]["body"])
    assert found.orders == {"2026-12-01": 2}
    assert [(row["destination"], row["lane"], row["verb"]) for row in sent] == [
        ("wams", "UP-000001", "create"),
        ("wams", "UP-000002", "create"),
    ]
    assert (asked["window_from"], asked["window_until"]) == ("2026-12-01T13:00:00+00:00", "2026-12-01T22:00:00+00:00")
    assert (asked["old_serial"], asked["new_model"], asked["attempt"], asked["contractor"]) == (
        "S000001",
        "C1",
        1,
        "FieldCo",
    )

    assert _pass(transaction) == WavesPassed()
    _confirm(transaction, sent)
    assert _pass(transaction).dispatched == 2
    assert _states(transaction) == {1: "DISPATCHED", 2: "DISPATCHED", 3: "ELIGIBLE"}
    assert _wave(transaction)["state"] == "RUNNING"


def test_released_twice_nothing_goes_twice(transaction: Transaction) -> None:
    _frozen(transaction, [House(n) for n in (1, 2, 3)])

    _release(transaction, date(2026, 12, 1))
    again = _release(transaction)

    assert again.orders == {"2026-12-02": 1}
    assert len(_deliveries(transaction)) == 3


def test_a_dry_run_says_what_would_go_and_sends_nothing(transaction: Transaction) -> None:
    _frozen(transaction, [House(n) for n in (1, 2, 3)])

    tried = _release(transaction, dry_run=True)

    assert tried.orders == {"2026-12-01": 2, "2026-12-02": 1}
    assert _deliveries(transaction) == []
    assert (_wave(transaction)["state"], set(_states(transaction).values())) == ("FROZEN", {"ELIGIBLE"})


def test_what_changed_since_the_list_was_frozen_is_held_or_excluded_and_said(transaction: Transaction) -> None:
    _frozen(transaction, [House(n) for n in range(1, 6)])
    with transaction() as session:
        [hung] = reference.current(session, reference.INSTALLATION, "usage_point", {"UP-000001"})
        ended = {**_content(hung), "removed_at": NOW - timedelta(days=1)}
        reference.record(session, reference.INSTALLATION, [ended], now=NOW)
        days = {"cycle": "07", "business_date": "2026-12-02", "period_start": BEGAN, "period_end": NOW}
        [moving] = reference.current(session, reference.AGREEMENT, "usage_point", {"UP-000002"})
        reference.record(session, reference.AGREEMENT, [{**_content(moving), "cycle": "07"}], now=NOW)
        others = reference.current(session, reference.AGREEMENT, "usage_point", {"UP-000004", "UP-000005"})
        reference.record(session, reference.AGREEMENT, [{**_content(row), "cycle": "09"} for row in others], now=NOW)
        reference.record(session, reference.BILL_CYCLE_DAY, [days], now=NOW)

    found = _release(transaction, exclude={"N3": "opt-out"})

    assert _states(transaction) == {1: "EXCLUDED", 2: "ON_HOLD", 3: "EXCLUDED", 4: "RELEASED", 5: "RELEASED"}
    assert found.held == {"8045 NOTHING_TO_EXCHANGE": 1, "8011 BILLING_WINDOW_LOCK": 1, "8044 EXCLUDED_BY_RULE": 1}
    later = _pass(transaction, NOW + timedelta(days=1, hours=1))
    assert later.replanned == 1
    assert _row(transaction, 2)["planned_day"] == "2026-12-08"


def test_a_visit_in_vain_gets_another_day_until_the_attempts_are_used(transaction: Transaction) -> None:
    _frozen(transaction, [House(1)])
    _release(transaction)
    _unable(transaction, 1, NOW + timedelta(days=1))

    assert _pass(transaction, NOW + timedelta(days=1)).replanned == 1
    row = _row(transaction, 1)
    assert (row["state"], row["planned_day"], row["attempts"]) == ("ELIGIBLE", "2026-12-04", 1)

    _release(transaction, at=NOW + timedelta(days=2))
    _unable(transaction, 1, NOW + timedelta(days=4))
    assert _pass(transaction, NOW + timedelta(days=4)).given_up == 1
    assert _pass(transaction, NOW + timedelta(days=5)) == WavesPassed()
    row = _row(transaction, 1)
    with transaction() as session:
        [item] = work.listed(session, queue="rollout")
    verbs = [sent["verb"] for sent in _deliveries(transaction)]
    assert (row["state"], row["code"], row["reason"]) == (
        "UNABLE",
        "8052 ATTEMPTS_USED",
        "2 visits in vain, the last: no access",
    )
    assert (item["code"], item["usage_point"]) == ("8052 ATTEMPTS_USED", "UP-000001")
    assert verbs == ["create", "change"]


def test_a_person_gives_another_visit_or_drops_the_order_and_the_work_is_ended(transaction: Transaction) -> None:
    _frozen(transaction, [House(1), House(2)], replace(RULES, attempts=1))
    _release(transaction)
    for number in (1, 2):
        _unable(transaction, number, NOW + timedelta(days=1))
    _pass(transaction, NOW + timedelta(days=1))
    at = NOW + timedelta(days=1)

    day = orders_by_person.again(
        "N1", "NORTH-1", transaction=transaction, now=at, by="Ada", reason="the customer is at home now"
    )
    orders_by_person.drop(
        "UP-000002", "NORTH-1", policy=POLICY, sending=_sending(at), transaction=transaction, by="Ada", reason="refused"
    )
    with transaction() as session:
        assert work.listed(session, queue="rollout") == []
    with pytest.raises(RejectedError) as gone:
        orders_by_person.drop(
            "N2", "NORTH-1", policy=POLICY, sending=_sending(at), transaction=transaction, by="Ada", reason="again"
        )
    assert (day, gone.value.code) == ("2026-12-04", ROLLOUT_STATE)
    assert _states(transaction) == {1: "ELIGIBLE", 2: "CANCELLED"}
    assert [row["verb"] for row in _deliveries(transaction)] == ["create", "create", "cancel"]


def test_a_replanned_visit_takes_no_more_than_the_capacity_of_its_day(transaction: Transaction) -> None:
    _frozen(transaction, [House(n) for n in range(1, 9)])
    _release(transaction, date(2026, 12, 1))
    for number in (1, 2):
        _unable(transaction, number, NOW + timedelta(days=1))

    _pass(transaction, NOW + timedelta(days=1))

    with transaction() as session:
        filled = rollout_waves.orders_by_day(session, "NORTH-1")
    assert {day: number for (day, _), number in filled.items()} == dict.fromkeys(
        ("2026-12-02", "2026-12-03", "2026-12-04", "2026-12-07"), 2
    )


def test_a_day_that_passed_without_release_is_planned_again(transaction: Transaction) -> None:
    _frozen(transaction, [House(1)])

    assert _pass(transaction, NOW + timedelta(days=3)).replanned == 1
    assert _row(transaction, 1)["planned_day"] == "2026-12-04"


def test_an_order_that_the_work_system_refuses_is_a_persons_work(transaction: Transaction) -> None:
    _frozen(transaction, [House(1)])
    _release(transaction)
    with transaction() as session:
        outcome = Outcome("rejected", "5001 UNKNOWN", "no such premise")
        order = _row_in(session, 1)
        found = deliveries.find(session, order["delivery_id"])
        deliveries.settle(found, outcome, now=NOW)
        session.add(found)

    assert _pass(transaction).refused == 1
    held = _row(transaction, 1)
    assert (held["state"], held["before"], held["code"]) == ("ON_HOLD", "RELEASED", "8051 NOT_TAKEN_BY_FIELD")
    assert "no such premise" in held["reason"]


def test_an_order_that_is_not_confirmed_in_time_is_told_once_and_may_be_confirmed_yet(
    transaction: Transaction,
) -> None:
    _frozen(transaction, [House(1)])
    _release(transaction)

    assert _pass(transaction, NOW + timedelta(hours=2)).refused == 1
    assert _pass(transaction, NOW + timedelta(hours=3)) == WavesPassed()
    _confirm(transaction, _deliveries(transaction))
    assert _pass(transaction, NOW + timedelta(hours=4)).dispatched == 1


def test_a_paused_wave_releases_nothing_and_goes_on_as_what_it_was(transaction: Transaction) -> None:
    _frozen(transaction, [House(n) for n in (1, 2, 3)])
    _release(transaction, date(2026, 12, 1))
    waves.pause("NORTH-1", transaction=transaction, now=NOW, by="Ada", reason="storm")

    with pytest.raises(RejectedError) as refused:
        _release(transaction)
    assert refused.value.code == ROLLOUT_STATE
    assert waves.resume("NORTH-1", transaction=transaction, now=NOW, by="Ada") == "RELEASED"
    assert _release(transaction).orders.total() == 1


def test_an_aborted_wave_withdraws_what_is_in_the_field_and_lets_what_is_done_finish(transaction: Transaction) -> None:
    _frozen(transaction, [House(n) for n in (1, 2, 3)])
    _release(transaction, date(2026, 12, 1))
    with transaction() as session:
        rollout_orders.move(session, [rollout_orders.order_id_of("NORTH-1", "UP-000001")], "DONE_IN_FIELD", now=NOW)

    done = waves.abort(
        "NORTH-1", policy=POLICY, sending=_sending(NOW), transaction=transaction, by="Ada", reason="no budget"
    )

    assert (done.cancelled, done.withdrawn, done.going_on) == (2, 1, 1)
    assert _states(transaction) == {1: "DONE_IN_FIELD", 2: "CANCELLED", 3: "CANCELLED"}
    assert [(row["verb"], row["lane"]) for row in _deliveries(transaction)][2:] == [("cancel", "UP-000002")]


def test_a_wave_is_completed_by_its_orders_and_closed_by_a_person(transaction: Transaction) -> None:
    _frozen(transaction, [House(1)])
    _release(transaction)
    order = [rollout_orders.order_id_of("NORTH-1", "UP-000001")]
    with pytest.raises(RejectedError) as early:
        waves.close("NORTH-1", transaction=transaction, now=NOW, by="Ada")
    with transaction() as session:
        for state in ("DONE_IN_FIELD", "VALIDATED", "CERTIFIED", "CLOSED"):
            rollout_orders.move(session, order, state, now=NOW)

    assert _pass(transaction).ended == ("NORTH-1",)
    with pytest.raises(RejectedError) as unsigned:
        waves.close("NORTH-1", transaction=transaction, now=NOW, by="hub")
    waves.close("NORTH-1", transaction=transaction, now=NOW, by="Ada", reason="reconciled")
    assert (early.value.code, unsigned.value.code) == (ROLLOUT_STATE, APPROVAL_MISSING)
    assert (_wave(transaction)["state"], _wave(transaction)["acts"][-1]["by"]) == ("CLOSED", "Ada")


def test_a_completed_wave_with_an_order_open_again_is_not_closed(transaction: Transaction) -> None:
    _frozen(transaction, [House(1)])
    _release(transaction)
    order = [rollout_orders.order_id_of("NORTH-1", "UP-000001")]
    with transaction() as session:
        for state in ("DONE_IN_FIELD", "VALIDATED", "CLOSED"):
            rollout_orders.move(session, order, state, now=NOW)
    _pass(transaction)
    with transaction() as session:
        rollout_orders.move(session, order, "CORRECTING", now=NOW)

    with pytest.raises(RejectedError) as refused:
        waves.close("NORTH-1", transaction=transaction, now=NOW, by="Ada")
    assert refused.value.code == WAVE_NOT_DONE
    _pass(transaction)
    assert _wave(transaction)["state"] == "RUNNING"


def test_days_are_released_ahead_only_where_the_wave_says_so_and_no_person_has_to(transaction: Transaction) -> None:
    _frozen(transaction, [House(n) for n in (1, 2, 3, 4, 5)], replace(RULES, release_ahead_days=2))
    assert _pass(transaction).released == 0  # a person begins

    _release(transaction, date(2026, 12, 1))
    assert _pass(transaction, NOW).released == 2


def test_orders_for_which_no_meter_lies_in_stock_are_not_released_where_the_wave_wants_them(
    transaction: Transaction,
) -> None:
    _frozen(transaction, [House(1)], replace(RULES, stock="must"))

    with pytest.raises(RejectedError) as refused:
        _release(transaction)

    assert refused.value.code == STOCK_SHORT
    assert refused.value.reason == "NEW-1 (C1): 1 needed, 0 in stock"


def test_where_the_site_asks_a_person_releases(transaction: Transaction) -> None:
    _frozen(transaction, [House(1)], replace(RULES, approvals=frozenset({"release"})))

    with pytest.raises(RejectedError) as refused:
        _release(transaction, by="hub")

    assert refused.value.code == APPROVAL_MISSING


def test_a_contractor_gets_the_orders_of_a_day_in_files_of_many(transaction: Transaction) -> None:
    rules = replace(RULES, capacity_per_day=4, orders_per_message=3, work_system="field")
    _frozen(transaction, [House(n) for n in range(1, 6)], rules)

    _release(transaction, policy=replace(POLICY, batch=100))

    sent = _deliveries(transaction)
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


def _encode(role: str, message: Message[Any]) -> Parcel:
    """Say orders as JSON, whoever is told."""
    payload = message.payload
    said = asdict(payload) if not isinstance(payload, tuple) else [asdict(one) for one in payload]
    body = json.dumps(said, default=lambda one: one.isoformat()).encode()
    return Parcel(f"order for {role}", "application/json", sha256(body).hexdigest(), len(body), body)


def _sending(now: datetime) -> Sending:
    return Sending(Routes(), _encode, now)


def _frozen(transaction: Transaction, houses: Sequence[House], rules: WaveRules = RULES) -> None:
    with transaction() as session:
        build(session, houses)
    plan(rules, transaction=transaction, now=NOW, by="Ada")
    freeze("NORTH-1", transaction=transaction, now=NOW, by="Ada")


def _release(
    transaction: Transaction,
    *days: date,
    at: datetime = NOW,
    by: str = "Ada",
    policy: Policy = POLICY,
    exclude: dict[str, str] | None = None,
    dry_run: bool = False,
) -> Released:
    return release(
        "NORTH-1", days, policy=policy, sending=_sending(at), transaction=transaction, by=by, exclude=exclude,
        dry_run=dry_run,
    )  # fmt: skip


def _pass(transaction: Transaction, at: datetime = NOW) -> WavesPassed:
    return pass_waves(policy=POLICY, sending=_sending(at), transaction=transaction)


def _confirm(transaction: Transaction, rows: Sequence[Row]) -> None:
    with transaction() as session:
        for row in rows:
            found = deliveries.find(session, row["delivery_id"])
            deliveries.settle(found, Outcome("confirmed"), now=NOW)
            session.add(found)


def _unable(transaction: Transaction, number: int, at: datetime) -> None:
    order = rollout_orders.order_id_of("NORTH-1", f"UP-{number:06}")
    with transaction() as session:
        rollout_orders.move(session, [order], "UNABLE", now=at, reason="no access")


def _deliveries(transaction: Transaction) -> list[Row]:
    """Return what goes out, in order, with its bytes."""
    table, payload = deliveries.DELIVERY, deliveries.DELIVERY_PAYLOAD
    query = table.join(payload, payload.c.delivery_id == table.c.delivery_id).select()
    with transaction() as session:
        columns = [table.c.sequence, table.c.delivery_id, table.c.destination, table.c.lane, table.c.verb]
        chosen = query.with_only_columns(*columns, payload.c.body).order_by(table.c.sequence)
        return rows_of(session, chosen)


def _row(transaction: Transaction, number: int) -> Row:
    with transaction() as session:
        return _row_in(session, number)


def _row_in(session: Any, number: int) -> Row:
    order = rollout_orders.order_id_of("NORTH-1", f"UP-{number:06}")
    return rollout_orders.of_ids(session, [order])[order]


def _states(transaction: Transaction) -> dict[int, str]:
    with transaction() as session:
        points = [f"UP-{number:06}" for number in range(1, 20)]
        orders = rollout_orders.all_of_usage_points(session, points)
    return {int(point[3:]): rows[0]["state"] for point, rows in orders.items()}


def _wave(transaction: Transaction) -> Row:
    with transaction() as session:
        return rollout_waves.find(session, "NORTH-1")


def _content(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in ("row", "version", "known_at", "replaced_at")}
