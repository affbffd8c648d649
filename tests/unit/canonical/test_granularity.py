"""Two systems that keep time differently mean the same instant when one event can be what both hold."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.granularity import SECOND, Grain, coarser, comparable, held_by, same_time

ZONES = ("UTC", "America/Toronto", "Africa/Cairo", "Australia/Lord_Howe")
GRAINS = st.sampled_from(
    [Grain("minute"), SECOND, *(Grain("day", rule, zone) for rule, zone in product(("new", "old"), ZONES))]  # type: ignore[arg-type]
)
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
NEW_DAY, OLD_DAY = Grain("day", "new", "America/Toronto"), Grain("day", "old", "America/Toronto")
TEN = datetime(2026, 5, 4, 14, 0, tzinfo=UTC)
"""Ten o'clock of 4 May in Toronto."""

MIDNIGHT = datetime(2026, 5, 4, 4, 0, tzinfo=UTC)


def test_a_day_of_change_is_held_at_its_first_instant_or_at_the_next_days() -> None:
    assert held_by(TEN, NEW_DAY) == MIDNIGHT
    assert held_by(TEN, OLD_DAY) == MIDNIGHT + timedelta(days=1)
    assert held_by(MIDNIGHT, OLD_DAY) == held_by(MIDNIGHT, NEW_DAY) == MIDNIGHT


@pytest.mark.parametrize(
    ("one", "one_grain", "other", "other_grain", "same"),
    [
        (TEN, SECOND, MIDNIGHT, NEW_DAY, True),
        (TEN, SECOND, MIDNIGHT, OLD_DAY, False),
        (TEN, SECOND, MIDNIGHT + timedelta(days=1), OLD_DAY, True),
        (TEN, SECOND, TEN + timedelta(seconds=20), SECOND, False),
        (TEN, Grain("minute"), TEN + timedelta(seconds=20), SECOND, True),
        (MIDNIGHT, NEW_DAY, MIDNIGHT + timedelta(days=1), OLD_DAY, True),
        (MIDNIGHT, NEW_DAY, MIDNIGHT + timedelta(days=1), NEW_DAY, False),
        (MIDNIGHT, OLD_DAY, MIDNIGHT + timedelta(days=1), OLD_DAY, False),
    ],
)
def test_instants_are_matched_by_the_coarser_of_both(
    one: datetime, one_grain: Grain, other: datetime, other_grain: Grain, same: bool
) -> None:
    assert same_time(one, other, one_grain=one_grain, other_grain=other_grain) is same
    assert same_time(other, one, one_grain=other_grain, other_grain=one_grain) is same


@given(INSTANTS, GRAINS, GRAINS)
def test_what_two_systems_hold_of_one_event_is_the_same_time(at: datetime, one: Grain, other: Grain) -> None:
    assert same_time(held_by(at, one), held_by(at, other), one_grain=one, other_grain=other)


@given(INSTANTS, GRAINS)
def test_an_instant_that_a_system_holds_is_held_as_it_is(at: datetime, grain: Grain) -> None:
    held = held_by(at, grain)

    assert held_by(held, grain) == held
    assert comparable(held, own=grain, by=grain) == held


@given(INSTANTS, st.sampled_from(["new", "old"]), st.sampled_from(ZONES))
def test_a_system_of_seconds_is_compared_as_one_of_days_would_hold_it(at: datetime, rule: str, zone: str) -> None:
    day = Grain("day", rule, zone)  # type: ignore[arg-type]

    assert coarser(SECOND, day) == coarser(day, SECOND) == day
    assert comparable(held_by(at, SECOND), own=SECOND, by=day) == held_by(held_by(at, SECOND), day)


def test_two_systems_of_days_with_different_rules_are_compared_by_the_day_of_change() -> None:
    assert comparable(MIDNIGHT, own=NEW_DAY, by=OLD_DAY) == MIDNIGHT + timedelta(days=1)
    assert comparable(MIDNIGHT + timedelta(days=1), own=OLD_DAY, by=NEW_DAY) == MIDNIGHT
