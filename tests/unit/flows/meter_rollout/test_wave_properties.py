"""Whatever the rules, no day gets more than crews can do, nobody is planned twice, everybody has one verdict."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wave_town import House, build

from flows.meter_rollout.packing import Packer
from flows.meter_rollout.planner import plan
from flows.meter_rollout.rules import Hardware, WaveRules, facts_of, rules_from
from flows.meter_rollout.working_days import billing_span, blocked_days, is_working, working_days
from store import rollout_orders
from store.rollout_states import FINAL, NEXT_OF_ORDER
from store.session import Transaction

pytestmark = pytest.mark.slow

FIRST = date(2026, 12, 1)
NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
DAYS = st.integers(0, 13).map(lambda n: FIRST + timedelta(days=n))
SETS = st.frozensets(DAYS, max_size=10)
NAMES = [f"N{n}" for n in range(1, 41)]
TOWN = [
    House(
        n,
        district="NORTH" if n % 3 else "SOUTH",
        route=f"R{n % 4}",
        cycle=f"0{n % 5}",
        model="OLD-1" if n % 7 else "OLD-2",
        customer_class="RESIDENTIAL" if n % 6 else "COMMERCIAL",
        net_metering=n % 11 == 0,
        special_need="life support" if n == 13 else "",
        meters=() if n == 17 else ("",),
    )
    for n in range(1, 41)
]
RULES = st.builds(
    WaveRules,
    st.just("W"),
    st.just(FIRST),
    DAYS,
    st.integers(1, 9),
    zone=st.just("America/Toronto"),
    districts=st.sampled_from([frozenset(), frozenset({"NORTH"}), frozenset({"SOUTH", "NORTH"})]),
    routes=st.frozensets(st.sampled_from(["R0", "R1", "R2"]), max_size=2),
    cycles=st.frozensets(st.sampled_from(["00", "01", "02", "03"]), max_size=3),
    models=st.sampled_from([frozenset(), frozenset({"OLD-1"})]),
    customer_classes=st.sampled_from([frozenset(), frozenset({"RESIDENTIAL"})]),
    include=st.frozensets(st.sampled_from(NAMES), max_size=4),
    exclude=st.dictionaries(st.sampled_from(NAMES), st.just("opt-out"), max_size=5),
    net_metering=st.booleans(),
    first_installations=st.booleans(),
    holidays=SETS,
    clear_before_days=st.integers(0, 4),
    clear_after_days=st.integers(0, 6),
    hardware=st.just((Hardware("NEW-1"),)),
)


@given(
    st.integers(1, 4),
    st.lists(st.tuples(SETS, SETS, st.none() | DAYS), max_size=40),
    st.dictionaries(DAYS, st.integers(0, 4), max_size=5),
)
def test_a_packer_keeps_capacity_and_closed_days_and_refuses_only_when_nothing_is_left(
    capacity: int, calls: list[tuple[frozenset[date], frozenset[date], date | None]], filled: dict[date, int]
) -> None:
    days = tuple(FIRST + timedelta(days=n) for n in range(10))
    packer = Packer(days, capacity, dict(filled))
    placed: Counter[date] = Counter(filled)
    for closed, also, after in calls:
        slot = packer.place(closed, also, after=after)
        open_days = [day for day in days if day not in closed | also and (after is None or day > after)]
        with_room = [day for day in open_days if placed[day] < capacity]
        assert (slot.day if slot is not None else None) == (with_room[0] if with_room else None)
        if slot is not None:
            placed[slot.day] += 1
            assert slot.place == placed[slot.day] <= capacity


@given(st.lists(DAYS, max_size=4), RULES)
def test_a_billing_window_has_its_working_days_before_the_read_date(read_dates: list[date], rules: WaveRules) -> None:
    for read_date in read_dates:
        begin, end = billing_span(rules, read_date)
        before = [begin + timedelta(days=n) for n in range((read_date - begin).days)]
        assert sum(is_working(rules, day) for day in before) == rules.clear_before_days
        assert end - read_date == timedelta(days=rules.clear_after_days)
        assert {begin, read_date, end} <= blocked_days(rules, read_dates)
    assert all(is_working(rules, day) and rules.first_day <= day <= rules.last_day for day in working_days(rules))


@given(RULES)
def test_rules_come_back_from_what_is_kept_of_them(rules: WaveRules) -> None:
    assert rules_from(facts_of(rules)) == rules


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rules=RULES)
def test_every_usage_point_of_an_area_has_exactly_one_verdict_and_the_same_rules_give_the_same_plan(
    transaction: Transaction, rules: WaveRules
) -> None:
    with transaction() as session:
        build(session, TOWN, read_dates=[("01", "2026-12-03"), ("02", "2026-12-10")])

    first = plan(rules, transaction=transaction, now=NOW, by="Ada")
    orders = _orders(transaction)
    again = plan(rules, transaction=transaction, now=NOW, by="Ada")

    area = [
        house
        for house in TOWN
        if f"N{house.number}" in rules.include
        or (
            (not rules.districts or house.district in rules.districts)
            and (not rules.routes or house.route in rules.routes)
        )
    ]
    planned = [row for row in orders.values() if row["state"] == "PLANNED"]
    per_day = Counter(row["planned_day"] for row in planned)
    assert first.looked_at == len(area)
    assert len(orders) == first.looked_at - first.counts["8043 NOT_OF_WAVE"]
    assert len(planned) == first.counts["PLANNED"]
    assert all(number <= rules.capacity_per_day for number in per_day.values())
    assert set(per_day) <= {day.isoformat() for day in working_days(rules)}
    assert len({(row["planned_day"], row["place"]) for row in planned}) == len(planned)
    assert not {row["usage_point_name"] for row in planned} & set(rules.exclude)
    assert all(row["code"] and row["reason"] for row in orders.values() if row["state"] == "EXCLUDED")
    assert (again, _orders(transaction)) == (first, orders)


def test_every_state_of_an_order_leads_to_an_end() -> None:
    reaches = set(FINAL)
    while True:
        more = {state for state, after in NEXT_OF_ORDER.items() if reaches & set(after)} - reaches
        if not more:
            break
        reaches |= more

    assert reaches == set(NEXT_OF_ORDER)


def _orders(transaction: Transaction) -> dict[str, dict[str, object]]:
    with transaction() as session:
        found = rollout_orders.all_of_usage_points(session, [house.usage_point for house in TOWN])
    return {point: rows[0] for point, rows in found.items()}
