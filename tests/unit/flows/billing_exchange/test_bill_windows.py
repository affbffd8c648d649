"""Windows, loading cut-offs and the missing-read ladder."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from decimal import Decimal

import pytest
from billing_contexts import at
from hypothesis import given
from hypothesis import strategies as st

from canonical.errors import RejectedError
from flows.billing_exchange.policy import Policy
from flows.billing_exchange.windows import (
    due_rung,
    is_too_late_to_load,
    ladder,
    loading_cutoff,
    next_due,
    next_load,
    window_of,
)

TORONTO = Policy(zone="America/Toronto", loading_cutoff=time(17, 30))
MORNING = at("2026-10-15T06:00:00-04:00")


def test_a_window_from_midnight_closes_at_its_hour_of_the_interfaces_clock() -> None:
    window = window_of(TORONTO, received_at=MORNING)

    assert window.period.start == at("2026-10-15T00:00:00-04:00")
    assert window.deadline == at("2026-10-15T17:00:00-04:00")


@pytest.mark.parametrize(
    ("received", "closes"),
    [
        ("2026-03-08T01:00:00-05:00", "2026-03-08T17:00:00-04:00"),
        ("2026-11-01T00:30:00-04:00", "2026-11-01T17:00:00-05:00"),
    ],
)
def test_seventeen_hours_from_midnight_is_five_o_clock_when_the_clock_changes(received: str, closes: str) -> None:
    assert window_of(TORONTO, received_at=at(received)).deadline == at(closes)


def test_a_window_from_receipt_counts_elapsed_hours() -> None:
    policy = replace(TORONTO, window_start="ReceivedDatetime", window_hours=Decimal(6))
    window = window_of(policy, received_at=at("2026-11-01T00:30:00-04:00"))

    assert window.deadline - window.period.start == timedelta(hours=6)


def test_what_comes_after_the_window_is_worked_until_the_next_days_close() -> None:
    evening = at("2026-10-15T18:00:00-04:00")

    assert window_of(TORONTO, received_at=evening).deadline == at("2026-10-16T17:00:00-04:00")


def test_an_items_own_deadline_overrides_and_one_that_is_past_leaves_no_time() -> None:
    noon = at("2026-10-15T12:00:00-04:00")

    assert window_of(TORONTO, received_at=MORNING, deadline=noon).deadline == noon
    assert window_of(TORONTO, received_at=MORNING, deadline=MORNING - timedelta(hours=1)).deadline == MORNING


def test_without_window_and_deadline_the_item_is_critical() -> None:
    policy = replace(TORONTO, window_start="NoBillWindow")

    with pytest.raises(RejectedError) as caught:
        window_of(policy, received_at=MORNING)

    assert caught.value.code.number == "6008"
    assert caught.value.code.severity == "FATAL"
    assert window_of(policy, received_at=MORNING, deadline=MORNING + timedelta(hours=1)).period.start == MORNING


def test_a_part_that_is_ready_after_the_cut_off_waits_for_the_next_load() -> None:
    window = window_of(TORONTO, received_at=MORNING)
    late = at("2026-10-15T17:31:00-04:00")

    assert loading_cutoff(TORONTO, MORNING) == at("2026-10-15T17:30:00-04:00")
    assert not is_too_late_to_load(TORONTO, ready_at=at("2026-10-15T17:30:00-04:00"), window=window)
    assert is_too_late_to_load(TORONTO, ready_at=late, window=window)
    assert next_load(TORONTO, late) == at("2026-10-16T00:00:00-04:00")
    assert next_load(TORONTO, MORNING) == MORNING
    assert next_load(replace(TORONTO, loading_cutoff=None), late) == late


def test_the_ladder_climbs_from_receipt_and_from_the_deadline() -> None:
    window = window_of(TORONTO, received_at=MORNING)
    rungs = ladder(TORONTO, window, roles=frozenset({"cis", "mdms", "hes"}))

    assert [(r.name, r.due - window.received_at) for r in rungs[:4]] == [
        ("check", timedelta(0)),
        ("reread_1", timedelta(minutes=5)),
        ("reread_2", timedelta(hours=1)),
        ("backfill", timedelta(hours=4)),
    ]
    assert [(r.name, window.deadline - r.due, r.accept_estimates) for r in rungs[4:]] == [
        ("estimate", timedelta(hours=2), True),
        ("decide", timedelta(minutes=30), True),
    ]
    assert not any(r.accept_estimates or r.role_absent for r in rungs[:4])
    assert rungs[1].asked == "hes"


def test_a_rung_whose_role_is_absent_is_marked_and_asked_of_the_meter_data_system() -> None:
    rungs = ladder(TORONTO, window_of(TORONTO, received_at=MORNING), roles=frozenset({"cis", "mdms"}))

    assert [(r.name, r.asked) for r in rungs if r.role_absent] == [
        ("reread_1", "mdms"),
        ("reread_2", "mdms"),
        ("backfill", "mdms"),
    ]


def test_a_policy_without_estimates_has_no_estimate_rung() -> None:
    policy = replace(TORONTO, estimation_allowed=False)
    rungs = ladder(policy, window_of(policy, received_at=MORNING))

    assert "estimate" not in [r.name for r in rungs]
    assert not any(r.accept_estimates for r in rungs)


@given(minutes=st.integers(0, 3000))
def test_every_ladder_ends_with_a_decision_before_the_deadline_and_in_order(minutes: int) -> None:
    window = window_of(TORONTO, received_at=MORNING, deadline=MORNING + timedelta(minutes=minutes))
    rungs = ladder(TORONTO, window)

    assert rungs[-1].ask == "decide"
    assert window.received_at <= rungs[-1].due <= window.deadline
    assert [r.due for r in rungs] == sorted(r.due for r in rungs)
    assert [r.number for r in rungs] == list(range(1, len(rungs) + 1))


def test_a_late_pass_goes_to_the_highest_rung_that_is_due() -> None:
    window = window_of(TORONTO, received_at=MORNING)
    rungs = ladder(TORONTO, window)

    def standing(climbed: int, now: datetime) -> str | None:
        rung = due_rung(rungs, climbed=climbed, now=now)
        return rung.name if rung else None

    assert standing(0, MORNING) == "check"
    assert standing(1, MORNING + timedelta(hours=2)) == "reread_2"
    assert standing(3, MORNING + timedelta(hours=2)) is None
    assert next_due(rungs, climbed=3) == MORNING + timedelta(hours=4)
    assert next_due(rungs, climbed=6) is None
