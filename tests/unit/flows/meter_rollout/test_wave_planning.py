"""A plan gives every usage point of its area one verdict, and no day more than crews can do."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from wave_town import BEGAN, House, build

from canonical.codes.rollout import INFLIGHT_CONFLICT
from canonical.codes.rollout_waves import ROLLOUT_STATE
from canonical.errors import RejectedError
from canonical.work import WorkItem
from flows.meter_rollout.freezing import freeze, holds
from flows.meter_rollout.planner import Plan, plan
from flows.meter_rollout.rules import Hardware, WaveRules
from store import reference, rollout_orders, rollout_plans, rollout_waves, work
from store.rows import Row
from store.session import Transaction

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
RULES = WaveRules(
    "NORTH-1",
    date(2026, 12, 1),
    date(2026, 12, 11),
    3,
    zone="America/Toronto",
    districts=frozenset({"NORTH"}),
    hardware=(Hardware("NEW-1"),),
)


def test_a_route_is_packed_in_the_order_of_its_walk_into_days_of_capacity(transaction: Transaction) -> None:
    with transaction() as session:
        build(session, [House(n) for n in (10, 9, 100, 11, 2)] + [House(3, route="R2")])

    found = _plan(transaction)
    days = [(row["planned_day"], row["place"], row["usage_point_name"]) for row in _planned(transaction)]

    assert days == [
        ("2026-12-01", 1, "N2"),
        ("2026-12-01", 2, "N9"),
        ("2026-12-01", 3, "N10"),
        ("2026-12-02", 1, "N11"),
        ("2026-12-02", 2, "N100"),
        ("2026-12-02", 3, "N3"),
    ]
    assert found.counts == {"PLANNED": 6}


def test_each_reason_to_be_out_is_named(transaction: Transaction) -> None:
    moved = ((BEGAN, datetime(2026, 12, 3, 5, tzinfo=UTC)), (datetime(2026, 12, 3, 5, tzinfo=UTC), None))
    rules = replace(
        RULES,
        models=frozenset({"OLD-1", "NEW-1"}),
        exclude={"N2": "opt-out", "UP-000003": "court order"},
        net_metering=False,
        first_day=date(2026, 12, 2),
        last_day=date(2026, 12, 4),
    )
    houses = [
        House(1),
        House(2),
        House(3),
        House(4, net_metering=True),
        House(5, special_need="life support"),
        House(6, model="NEW-1"),
        House(7, meters=()),
        House(8, meters=("SA", "SB")),
        House(9, model="OLDER"),
        House(10, agreements=moved),
        House(11, district="SOUTH"),
        House(12, cycle="08"),
        House(13),
        House(14, agreements=()),
    ]
    with transaction() as session:
        build(session, houses, read_dates=[("08", "2026-12-05")])
        work.raise_work(session, [_work("UP-000013")], now=NOW)

    found = _plan(transaction, rules)
    with transaction() as session:
        orders = rollout_orders.all_of_usage_points(session, [house.usage_point for house in houses])
    out = {int(point[3:]): (row["code"][:4], row["reason"]) for point, [row] in orders.items() if row["code"]}

    assert {point: code for point, (code, _) in out.items()} == {
        **dict.fromkeys((2, 3, 4, 5), "8044"),
        **dict.fromkeys((6, 7, 8), "8045"),
        **dict.fromkeys((10, 12), "8048"),
        13: "8012",
    }
    assert out[2][1] == "excluded by name: opt-out"
    assert out[8][1] == "2 meters hang there: SA, SB"
    assert found.counts["8043 NOT_OF_WAVE"] == 1  # number 9; number 11 is not of the area
    assert found.looked_at == 13
    assert {row["usage_point_name"] for row in _planned(transaction)} == {"N1", "N14"}


def test_nobody_is_visited_while_being_billed(transaction: Transaction) -> None:
    with transaction() as session:
        build(session, [House(1, cycle="07"), House(2, cycle="08")], read_dates=[("07", "2026-12-03")])

    _plan(transaction, replace(RULES, clear_before_days=3, clear_after_days=4))
    days = {row["usage_point_name"]: row["planned_day"] for row in _planned(transaction)}

    assert days == {"N1": "2026-12-08", "N2": "2026-12-01"}  # clear from Friday before to the Monday after


def test_what_is_named_is_in_whatever_the_rules_say(transaction: Transaction) -> None:
    with transaction() as session:
        build(session, [House(1), House(2, district="SOUTH", model="ODD"), House(3, district="SOUTH")])

    found = _plan(transaction, replace(RULES, models=frozenset({"OLD-1"}), include=frozenset({"N2"})))

    assert {row["usage_point_name"] for row in _planned(transaction)} == {"N1", "N2"}
    assert found.looked_at == 2


def test_a_full_wave_says_so_of_whoever_finds_no_place(transaction: Transaction) -> None:
    with transaction() as session:
        build(session, [House(n) for n in range(1, 9)])

    found = _plan(transaction, replace(RULES, last_day=date(2026, 12, 2), holidays=frozenset({date(2026, 12, 1)})))

    assert found.counts == {"PLANNED": 3, "8047 WAVE_FULL": 5}


def test_planned_again_the_list_is_the_same_until_it_is_frozen(transaction: Transaction) -> None:
    with transaction() as session:
        build(session, [House(n) for n in range(1, 6)])

    _plan(transaction)
    before = _planned(transaction)
    _plan(transaction)
    assert _planned(transaction) == before

    freeze("NORTH-1", transaction=transaction, now=NOW, by="Ada")
    with pytest.raises(RejectedError) as refused:
        _plan(transaction)
    assert refused.value.code == ROLLOUT_STATE


def test_a_dry_run_says_the_same_and_writes_nothing(transaction: Transaction) -> None:
    with transaction() as session:
        build(session, [House(n) for n in range(1, 6)])

    tried = plan(RULES, transaction=transaction, now=NOW, by="Ada", dry_run=True)
    with transaction() as session:
        assert rollout_waves.listed(session) == []

    assert _plan(transaction) == tried


def test_two_waves_never_hold_the_same_usage_point(transaction: Transaction) -> None:
    with transaction() as session:
        build(session, [House(n) for n in range(1, 4)])

    _plan(transaction)
    second = _plan(transaction, replace(RULES, wave="NORTH-2"))

    assert second.counts == {"8046 IN_OTHER_WAVE": 3}


def test_of_two_plans_made_at_once_whoever_freezes_first_has_the_usage_point(transaction: Transaction) -> None:
    with transaction() as session:
        build(session, [House(1)])
    _plan(transaction)
    _plan(transaction, replace(RULES, wave="NORTH-2", include=frozenset({"N1"})))
    with transaction() as session:
        # As if the second had looked before the first wrote.
        order = rollout_orders.order_id_of("NORTH-2", "UP-000001")
        rollout_orders.change(session, [{"order_id": order, "state": "PLANNED", "code": ""}])

    first = freeze("NORTH-2", transaction=transaction, now=NOW, by="Ada")
    second = freeze("NORTH-1", transaction=transaction, now=NOW, by="Bo")

    assert (first.eligible, second.eligible, second.excluded) == (1, 0, 1)


def test_a_frozen_list_is_proven_by_its_hash_whatever_becomes_of_its_orders(transaction: Transaction) -> None:
    with transaction() as session:
        build(session, [House(1), House(2, net_metering=True)])
    _plan(transaction, replace(RULES, net_metering=False))

    frozen = freeze("NORTH-1", transaction=transaction, now=NOW, by="Ada")
    with transaction() as session:
        order = rollout_orders.order_id_of("NORTH-1", "UP-000001")
        rollout_orders.move(session, [order], "DONE_IN_FIELD", now=NOW + timedelta(days=20), new_meter="M")
        listed = list(rollout_plans.frozen_list(session, "NORTH-1"))

    assert holds("NORTH-1", transaction=transaction)
    assert (frozen.eligible, frozen.excluded) == (1, 1)
    assert {(point, verdict) for point, _, verdict, *_ in listed} == {
        ("UP-000001", "ELIGIBLE"),
        ("UP-000002", "EXCLUDED"),
    }


def test_a_customer_with_two_versions_of_a_usage_point_is_looked_at_once(transaction: Transaction) -> None:
    with transaction() as session:
        build(session, [House(1)])
        row = reference.current(session, reference.USAGE_POINT, "usage_point", {"UP-000001"})[0]
        other = {**_content(row), "route": "R9", "valid_from": datetime(2025, 1, 1, tzinfo=UTC)}
        reference.record(session, reference.USAGE_POINT, [other], now=NOW)

    found = _plan(transaction)

    assert found.counts == {"PLANNED": 1}
    assert [row["route"] for row in _planned(transaction)] == ["R9"]


def _plan(transaction: Transaction, rules: WaveRules = RULES) -> Plan:
    return plan(rules, transaction=transaction, now=NOW, by="Ada")


def _planned(transaction: Transaction) -> list[Row]:
    """Return the planned orders by day and place."""
    with transaction() as session:
        return rollout_plans.of_day(session, "NORTH-1", states=["PLANNED"], days=[], limit=100)


def _content(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in ("row", "version", "known_at", "replaced_at")}


def _work(usage_point: str) -> WorkItem:
    code = str(INFLIGHT_CONFLICT)
    return WorkItem("w1", code, "k", "rollout", "", NOW, Decimal(0), usage_point=usage_point)
