"""Periods and local days: DST nights, midnights that do not exist, leap days."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.periods import Period, count_days, expected_intervals, local_date, local_day, local_days, start_of_day

ZONES = ["America/Toronto", "Europe/Helsinki", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Kolkata", "America/Havana"]


@pytest.mark.parametrize(
    ("zone", "day", "quarters"),
    [
        ("America/Toronto", date(2026, 3, 8), 92),
        ("America/Toronto", date(2026, 11, 1), 100),
        ("Europe/Helsinki", date(2026, 3, 29), 92),
        ("Europe/London", date(2026, 10, 25), 100),
        ("Australia/Lord_Howe", date(2026, 4, 5), 98),
        ("Australia/Lord_Howe", date(2026, 10, 4), 94),
        ("America/Phoenix", date(2026, 3, 8), 96),
        ("Africa/Cairo", date(2026, 4, 24), 92),
        ("Asia/Beirut", date(2026, 3, 29), 92),
        ("America/Havana", date(2026, 3, 8), 92),
    ],
)
def test_a_local_day_holds_as_many_quarter_hours_as_it_really_has(zone: str, day: date, quarters: int) -> None:
    assert expected_intervals(local_day(day, ZoneInfo(zone)), 15) == quarters


def test_a_day_whose_midnight_does_not_exist_starts_at_its_first_instant() -> None:
    start = start_of_day(date(2026, 4, 24), ZoneInfo("Africa/Cairo"))

    assert start.astimezone(ZoneInfo("Africa/Cairo")).hour == 1
    assert local_date(start - timedelta(seconds=1), ZoneInfo("Africa/Cairo")) == date(2026, 4, 23)


@given(st.dates(date(2020, 1, 1), date(2030, 12, 31)), st.sampled_from(ZONES))
def test_days_meet_without_gap_or_overlap(day: date, name: str) -> None:
    zone = ZoneInfo(name)

    today, tomorrow = local_day(day, zone), local_day(day + timedelta(days=1), zone)

    assert today.end == tomorrow.start
    assert local_date(today.start, zone) == day
    assert local_date(today.end - timedelta(seconds=1), zone) == day


@given(st.dates(date(2020, 1, 1), date(2030, 12, 1)), st.integers(1, 70), st.sampled_from(ZONES))
def test_clock_changes_never_alter_the_number_of_days(day: date, length: int, name: str) -> None:
    zone = ZoneInfo(name)
    period = Period(start_of_day(day, zone), start_of_day(day + timedelta(days=length), zone))

    assert count_days(period, zone) == length
    assert len(list(local_days(period, zone))) == length


def test_a_leap_day_is_a_day() -> None:
    zone = ZoneInfo("America/Toronto")
    period = Period(start_of_day(date(2028, 2, 1), zone), start_of_day(date(2028, 3, 1), zone))

    assert count_days(period, zone) == 29


def test_a_period_keeps_utc_and_refuses_what_is_naive_or_backwards() -> None:
    local = datetime(2026, 11, 1, tzinfo=ZoneInfo("America/Toronto"))

    assert Period(local, local + timedelta(hours=1)).start == datetime(2026, 11, 1, 4, tzinfo=UTC)
    with pytest.raises(ValueError, match="naive"):
        Period(datetime(2026, 11, 1), local)  # noqa: DTZ001
    with pytest.raises(ValueError, match="ends before"):
        Period(local, local - timedelta(hours=1))


def test_start_is_inside_and_end_is_not() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    period = Period(start, start + timedelta(hours=1))

    assert start in period
    assert period.end not in period
    assert not period.overlaps(Period(period.end, period.end + timedelta(hours=1)))
