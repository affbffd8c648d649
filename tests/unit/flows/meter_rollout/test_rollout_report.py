"""The report of a rollout equals a plain recount of what happened, at any instant, of any wave."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rollout_report_world import BEGIN, ZONE, Told, World, build

from canonical.codes.rollout_waves import WAVE_UNKNOWN
from canonical.errors import RejectedError
from flows.meter_rollout.policy import Policy
from flows.meter_rollout.report import read_report
from flows.meter_rollout.report_counting import OUT
from flows.meter_rollout.report_figures import AGES, RolloutReport, age_of, percent
from store import bulk, rollout_orders, shipments, unbilled
from store.rollout import ORDER
from store.rollout_report import NOT_DONE, STOPPED
from store.session import Session, Transaction, open_engine, transactions

POLICY = Policy(zone=ZONE)
SOON = timedelta(days=60)

Step = tuple[str, datetime, datetime]


@pytest.mark.slow
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), hours=st.integers(0, 400), wave=st.sampled_from(["", "north-1", "south-1"]))
def test_figures_equal_a_plain_recount_of_a_random_world(
    sqlite_databases: Callable[[], str], seed: int, hours: int, wave: str
) -> None:
    engine = open_engine(sqlite_databases())
    transaction = transactions(engine)
    world = build(transaction, seed)
    now = BEGIN + timedelta(hours=hours)

    report = read_report(policy=POLICY, transaction=transaction, now=now, wave=wave, worst=99)

    engine.dispose()
    _agrees(report, world, now, wave)


def test_figures_are_the_same_on_both_databases(transaction: Transaction) -> None:
    world = build(transaction, 7, orders=40)

    report = read_report(policy=POLICY, transaction=transaction, now=world.end, worst=99)

    _agrees(report, world, world.end, "")


def test_a_past_day_is_told_as_it_was_known_at_its_end(transaction: Transaction) -> None:
    build(transaction, 3, orders=40)
    end = datetime(2026, 11, 5, 5, tzinfo=UTC)
    day = (end - timedelta(hours=1)).astimezone(ZoneInfo(ZONE)).date()

    then = read_report(policy=POLICY, transaction=transaction, now=end - timedelta(microseconds=1))
    past = read_report(policy=POLICY, transaction=transaction, now=end + SOON, day=day)
    other = read_report(policy=POLICY, transaction=transaction, now=end + SOON)

    assert past == then
    assert other.states != then.states


def test_a_hub_without_orders_has_a_report_of_nothing(transaction: Transaction) -> None:
    report = read_report(policy=POLICY, transaction=transaction, now=BEGIN)

    assert (report.listed, report.done, report.days, report.deviations, report.unbilled_run) == (0, 0, (), (), None)
    assert report.to_certified.p50_minutes is None
    assert percent(report.first_time, report.judged) == "-"


def test_a_wave_that_nobody_planned_is_named(transaction: Transaction) -> None:
    with pytest.raises(RejectedError) as refused:
        read_report(policy=POLICY, transaction=transaction, now=BEGIN, wave="nowhere")

    assert refused.value.code == WAVE_UNKNOWN


def test_ages_are_told_by_whole_days() -> None:
    assert [AGES[age_of(days)] for days in (0, 1, 3, 4, 7, 8, 30, 31)] == [
        "same day", "1-3", "1-3", "4-7", "4-7", "8-30", "8-30", ">30",
    ]  # fmt: skip


def test_unbilled_energy_of_exchanges_under_way_is_told_once_and_that_of_others_is_not(
    transaction: Transaction,
) -> None:
    build(transaction, 5, orders=0)
    day = BEGIN.date().isoformat()
    with transaction() as session:
        given = [("U1", "VALIDATED", None), ("U1", "DONE_IN_FIELD", None), ("U2", "CLOSED", BEGIN), ("U3", "", None)]
        for n, (point, state, closed_at) in enumerate(given):
            if state:
                row = {"order_id": f"o{n}", "usage_point": point, "state": state, "wave": "north-1"}
                _insert(session, {**row, "done_at": BEGIN, "closed_at": closed_at})
        run = {"day": day, "as_of": BEGIN, "counted_at": BEGIN, "state": "DONE", "currency": "CAD", "minor_digits": 2}
        unbilled.begin(session, {**run, "entries": 3})
        unbilled.write(session, [_entry(day, point, n) for n, point in enumerate(("U1", "U2", "U3"))])

    report = read_report(policy=POLICY, transaction=transaction, now=BEGIN + timedelta(hours=1), wave="north-1")
    south = read_report(policy=POLICY, transaction=transaction, now=BEGIN + timedelta(hours=1), wave="south-1")

    [one] = report.unbilled
    assert (one.reason, one.entries, one.quantity_micro, one.money_minor) == ("BILL_THROUGH_METER_CHANGE", 1, 1, 700)
    assert south.unbilled == ()


def test_blocked_meters_of_shipments_are_counted_by_lot(transaction: Transaction) -> None:
    with transaction() as session:
        for n, state in enumerate(("BLOCKED", "BLOCKED", "STOCK")):
            shipments.keep(session, [_shipped(n, state)])

    report = read_report(policy=POLICY, transaction=transaction, now=BEGIN)

    assert [(row["shipment"], row["lot"], row["meters"]) for row in report.blocked] == [("S1", "L1", 2)]


def _agrees(report: RolloutReport, world: World, now: datetime, wave: str) -> None:
    """Compare a report with a plain recount."""
    mine = [one for one in world.orders if not wave or one.wave == wave]
    past = {one.order_id: [step for step in one.steps if step[2] <= now] for one in mine}
    states = {one.order_id: _state(one, past[one.order_id]) for one in mine}
    listed = [one for one in mine if one.wave and states[one.order_id] not in OUT]
    done = [one for one in mine if _is_done(past[one.order_id])]
    looks = [look for one in done if (look := _first_look(past[one.order_id]))]

    assert report.states == Counter(states[one.order_id] for one in mine if one.wave)
    assert (report.listed, report.done) == (len(listed), sum(bool(one.wave) for one in done))
    assert report.unplanned == sum(not one.wave for one in done)
    assert (report.judged, report.first_time) == (len(looks), looks.count("VALIDATED"))
    _durations_agree(report, [past[one.order_id] for one in done], now)
    _days_agree(report, listed, [one for one in done if one.wave], past)
    visits = [why for of, _, known, why in world.visits if known <= now and wave in ("", of)]
    assert report.reasons == Counter(visits)
    _work_agrees(report, world, now, wave)


def _durations_agree(report: RolloutReport, done: list[list[Step]], now: datetime) -> None:
    minutes, awaited, silent = [], 0, 0
    for steps in done:
        at = _done_at(steps)
        after = [(state, known) for state, _, known in steps if known >= at]
        certified = [known for state, known in after if state == "CERTIFIED"]
        minutes += [int((max(certified) - at).total_seconds()) // 60] if certified else []
        if any(state == "VALIDATED" for state, _ in after) and at + timedelta(hours=24) <= now:
            awaited += 1
            silent += not any(state in ("HEARD", "VERIFIED", "CERTIFIED", "CLOSED") for state, _ in after)
    assert (report.awaited, report.silent, report.certified) == (awaited, silent, len(minutes))
    minutes.sort()
    found = (report.to_certified.p50_minutes, report.to_certified.p95_minutes)
    size = len(minutes)
    assert found == ((minutes[(size + 1) // 2 - 1], minutes[-(-size * 95 // 100) - 1]) if size else (None, None))


def _days_agree(report: RolloutReport, listed: list[Told], done: list[Told], past: dict[str, list[Step]]) -> None:
    planned = Counter(one.planned_day for one in listed if one.planned_day)
    worked = Counter(_local(_done_at(past[one.order_id])) for one in done)
    by_day = {one.day: one for one in report.days}
    assert {day: one.planned for day, one in by_day.items() if one.planned} == planned
    assert {day: one.done for day, one in by_day.items() if one.done} == worked
    for day, one in by_day.items():
        assert one.remaining_by_plan == len(listed) - sum(n for on, n in planned.items() if on <= day)
        if one.remaining is not None:
            assert one.remaining == len(listed) - sum(n for on, n in worked.items() if on <= day)
    assert list(by_day) == sorted(by_day)


def _work_agrees(report: RolloutReport, world: World, now: datetime, wave: str) -> None:
    raised, still = Counter[str](), Counter[str]()
    for name, turns in world.work.items():
        code, of, _ = name.split("|")
        known = [is_open for at, is_open in turns if at <= now]
        if known and wave in ("", of):
            raised[code] += 1
            still[code] += known[-1]
    assert {one.code: one.raised for one in report.deviations} == raised
    assert {one.code: one.open for one in report.deviations} == dict(still)
    assert all(sum(one.ages) == one.open for one in report.deviations)
    assert sum(report.trend.values()) == raised.total() == sum(one.raised for one in report.days)
    assert sum(one.raised for one in report.groups["district"]) == raised.total()


def _state(one: Told, steps: list[Step]) -> str:
    if steps:
        return steps[-1][0]
    return "EXCLUDED" if one.steps[-1][0] == "EXCLUDED" else "PLANNED"


def _is_done(steps: list[Step]) -> bool:
    is_done = False
    for state, _, _ in steps:
        is_done = state == "DONE_IN_FIELD" or (is_done and state not in NOT_DONE)
    return is_done


def _done_at(steps: list[Step]) -> datetime:
    return [valid for state, valid, _ in steps if state == "DONE_IN_FIELD"][-1]


def _first_look(steps: list[Step]) -> str:
    for (before, _, _), (state, _, _) in pairwise(steps):
        if before == "DONE_IN_FIELD" and state in ("VALIDATED", *STOPPED):
            return state
    return ""


def _local(at: datetime) -> str:
    return at.astimezone(ZoneInfo(ZONE)).date().isoformat()


def _insert(session: Session, row: dict[str, object]) -> None:
    bulk.insert(session, ORDER, [{**rollout_orders.BLANK, **row}])


def _entry(day: str, point: str, n: int) -> dict[str, object]:
    return {
        "day": day, "agreement": f"A{n}", "usage_point": point, "account": "", "customer_class": "C", "tariff": "R1",
        "cycle": "07", "commodity": "ELECTRICITY", "unit": "kWh", "reason": "BILL_THROUGH_METER_CHANGE",
        "evidence": "why", "as_of": BEGIN, "since": BEGIN, "since_by": "billed", "due": day, "age_days": 0,
        "age": "0-5", "basis": "reads", "average_by": "", "quantity_micro": 1, "averaged_micro": 0,
        "corrected_micro": 0, "received_micro": 2, "money_minor": 700, "read_at": None, "billed_reads": {},
        "latest_reads": {}, "work": [], "counted_at": BEGIN,
    }  # fmt: skip


def _shipped(n: int, state: str) -> dict[str, object]:
    return {
        "meter": f"M{n}", "manufacturer": "ACME", "serial": f"S{n}", "shipment": "S1", "lot": "L1", "model": "X",
        "firmware": "", "configuration": "", "facts": {}, "has_keys": True, "key_reference": "", "state": state,
        "code": "8091 LOT_FAILED" if state == "BLOCKED" else "", "told": {}, "shipped_at": BEGIN, "known_at": BEGIN,
        "changed_at": BEGIN,
    }  # fmt: skip
