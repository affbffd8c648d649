"""An order goes only where its life allows, and every step of it is kept."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from canonical.codes.rollout import INFLIGHT_CONFLICT
from canonical.codes.rollout_waves import ORDER_UNKNOWN, ROLLOUT_STATE
from canonical.errors import RejectedError
from canonical.rollout import OrderState, WaveState
from store import rollout_orders, rollout_waves
from store.rollout_orders import Move
from store.rollout_states import FINAL, NEXT_OF_ORDER, NEXT_OF_WAVE, OPEN, check_wave
from store.session import Session, Transaction

NOW = datetime(2026, 12, 1, 6, tzinfo=UTC)
LATER = NOW + timedelta(hours=3)


def test_a_step_is_written_with_its_history_in_valid_and_known_time(transaction: Transaction) -> None:
    with transaction() as session:
        _given(session, "o1", "o2")
        rollout_orders.move(session, ["o1", "o2"], "DONE_IN_FIELD", now=LATER, valid_at=NOW, message_id="m1")
        rows = rollout_orders.of_ids(session, ["o1", "o2"])
        lines = rollout_orders.history(session, "o2")

    assert {(row["state"], row["done_at"], row["attempts"]) for row in rows.values()} == {("DONE_IN_FIELD", LATER, 1)}
    assert [(line["state"], line["valid_at"], line["known_at"], line["message_id"]) for line in lines] == [
        ("ELIGIBLE", NOW, NOW, ""),
        ("DONE_IN_FIELD", NOW, LATER, "m1"),
    ]


def test_a_hold_remembers_what_it_interrupts_and_lets_it_go_on(transaction: Transaction) -> None:
    with transaction() as session:
        _given(session, "o1")
        rollout_orders.move(session, ["o1"], "RELEASED", now=NOW)
        rollout_orders.move(session, ["o1"], "ON_HOLD", now=NOW, code=INFLIGHT_CONFLICT, reason="moves out")
        held = rollout_orders.of_ids(session, ["o1"])["o1"]
        rollout_orders.move(session, ["o1"], "RELEASED", now=LATER)
        goes_on = rollout_orders.of_ids(session, ["o1"])["o1"]

    assert (held["state"], held["before"], held["code"]) == ("ON_HOLD", "RELEASED", "8012 INFLIGHT_CONFLICT")
    assert (goes_on["state"], goes_on["before"], goes_on["code"]) == ("RELEASED", "", "")


def test_a_step_that_does_not_follow_is_refused_and_nothing_of_the_batch_is_written(transaction: Transaction) -> None:
    with transaction() as session:
        _given(session, "o1", "o2")
        with pytest.raises(RejectedError) as refused:
            rollout_orders.move_each(session, [Move("o1", "RELEASED"), Move("o2", "CERTIFIED")], now=NOW)
        states = {row["state"] for row in rollout_orders.of_ids(session, ["o1", "o2"]).values()}

    assert refused.value.code == ROLLOUT_STATE
    assert states == {"ELIGIBLE"}


def test_an_order_that_is_not_there_is_named(transaction: Transaction) -> None:
    with transaction() as session, pytest.raises(RejectedError) as refused:
        rollout_orders.move(session, ["nobody"], "RELEASED", now=NOW)

    assert refused.value.code == ORDER_UNKNOWN


def test_each_order_of_a_batch_keeps_its_own_columns(transaction: Transaction) -> None:
    moves = [
        Move("o1", "UNABLE", columns={"planned_day": "2026-12-09"}),
        Move("o2", "DONE_IN_FIELD", columns={"new_meter": "M9", "due_at": LATER}),
        Move("o2", "VALIDATED"),
    ]
    with transaction() as session:
        _given(session, "o1", "o2")
        rollout_orders.move_each(session, moves, now=NOW)
        rows = rollout_orders.of_ids(session, ["o1", "o2"])
        found = rollout_orders.due(session, now=LATER, limit=10)

    assert (rows["o1"]["planned_day"], rows["o1"]["attempts"], rows["o1"]["new_meter"]) == ("2026-12-09", 1, "")
    assert (rows["o2"]["new_meter"], rows["o2"]["validated_at"], rows["o2"]["state"]) == ("M9", NOW, "VALIDATED")
    assert [row["order_id"] for row in found] == ["o2"]


def test_only_an_open_order_holds_its_usage_point(transaction: Transaction) -> None:
    with transaction() as session:
        _given(session, "o1", "o2", "o3")
        rollout_orders.move(session, ["o2"], "EXCLUDED", now=NOW, reason="opt-out")
        rollout_orders.move(session, ["o3"], "RELEASED", now=NOW)
        rollout_orders.insert(session, [{"order_id": "x3", "usage_point": "UP-o3", "state": "ELIGIBLE"}], now=NOW)
        held = rollout_orders.of_usage_points(session, ["UP-o1", "UP-o2", "UP-o3", "UP-none"])
        out = rollout_orders.excluded(session, ["UP-o1", "UP-o2"])

    assert {point: row["order_id"] for point, row in held.items()} == {"UP-o1": "o1", "UP-o3": "o3"}
    assert {point: row["reason"] for point, row in out.items()} == {"UP-o2": "opt-out"}


def test_every_state_has_its_place_in_the_tables_and_every_open_one_has_a_way_on() -> None:
    assert set(NEXT_OF_ORDER) == set(get_args(OrderState))
    assert set(NEXT_OF_WAVE) == set(get_args(WaveState))
    assert all(NEXT_OF_ORDER[state] for state in OPEN)
    assert set(OPEN) | set(FINAL) == set(get_args(OrderState))


@pytest.mark.parametrize("old", get_args(WaveState))
@pytest.mark.parametrize("new", get_args(WaveState))
def test_a_wave_takes_exactly_the_steps_of_its_table(old: WaveState, new: WaveState) -> None:
    if new in NEXT_OF_WAVE[old]:
        check_wave(old, new, wave="W")
        return
    with pytest.raises(RejectedError) as refused:
        check_wave(old, new, wave="W")

    assert refused.value.code == ROLLOUT_STATE


def test_every_act_upon_a_wave_is_kept_with_who_and_why(transaction: Transaction) -> None:
    wave = {"wave": "W", "rules": {}, "first_day": "2026-12-01", "last_day": "2026-12-05", "capacity_per_day": 5}
    with transaction() as session:
        rollout_waves.insert(session, wave, now=NOW, by="Ada")
        planned = rollout_waves.move(session, rollout_waves.find(session, "W"), "PLANNED", now=LATER, by="Ada", act="x")
        rollout_waves.note(session, planned, "looked at", now=LATER, by="Bo", reason="too many")
        after = rollout_waves.find(session, "W")

    assert (after["state"], after["planned_at"]) == ("PLANNED", LATER)
    assert [(act["act"], act["by"], act["reason"]) for act in after["acts"]] == [
        ("planned", "Ada", ""),
        ("x", "Ada", ""),
        ("looked at", "Bo", "too many"),
    ]


def _given(session: Session, *names: str) -> None:
    """Insert eligible orders."""
    rows = [{"order_id": name, "wave": "W", "usage_point": f"UP-{name}", "state": "ELIGIBLE"} for name in names]
    rollout_orders.insert(session, rows, now=NOW)
