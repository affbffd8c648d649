"""Seasons of a calendar: buckets stand apart by season, add up to the total, and nothing is lost when they change."""

from datetime import date, time, timedelta
from decimal import Decimal

import pytest
from billing_contexts import (
    HUB,
    agreement,
    block,
    channel,
    context,
    days,
    held,
    last_bill,
    meter,
    read,
    register,
)  # fmt: skip
from hypothesis import given, settings
from hypothesis import strategies as st

from canonical.billing import Quantity, Status
from canonical.customers import TouCalendar, TouWindow
from canonical.errors import RejectedError
from canonical.periods import expected_intervals
from canonical.reading_types import register_code
from flows.billing_exchange.calculate import Calculated, calculate
from flows.billing_exchange.policy import Policy
from flows.billing_exchange.seasons import season_spans, seasons_of

SUMMER, WINTER = ("SUMMER", "05-01", "09-30"), ("WINTER", "10-01", "04-30")


def seasonal(*more: TouWindow) -> TouCalendar:
    """In summer ON from noon, in winter ON from 18:00; else OFF."""
    windows = [
        TouWindow("ALL", time(0), time(12), "OFF", *SUMMER), TouWindow("ALL", time(12), time(0), "ON", *SUMMER),
        TouWindow("ALL", time(0), time(18), "OFF", *WINTER), TouWindow("ALL", time(18), time(0), "ON", *WINTER),
    ]  # fmt: skip
    return TouCalendar("TOU", 1, "America/Toronto", (*windows, *more))


OVER_THE_CHANGE = days(date(2026, 9, 16), date(2026, 10, 16))
TARIFF = agreement(tou_calendar="TOU")


def quantities(result: Calculated) -> tuple[Quantity, ...]:
    assert result.determinant is not None, (result.missing, result.holds)
    return result.determinant.quantities


def by_season(result: Calculated) -> dict[tuple[str, str], Decimal]:
    return {(q.code, q.season): q.quantity for q in quantities(result)}


def test_a_period_over_a_change_of_season_has_two_determinants_for_each_bucket() -> None:
    hours = expected_intervals(OVER_THE_CHANGE, 60)
    given_ = context(
        blocks=[block(OVER_THE_CHANGE.start, [1000] * hours, minutes=60)], meters=[meter("M1", channel(minutes=60))],
        period=OVER_THE_CHANGE, calendar=seasonal(), agreement=TARIFF,
    )  # fmt: skip

    assert by_season(calculate(given_, HUB)) == {
        ("KWH_TOTAL", ""): 720, ("KWH_ON", "SUMMER"): 15 * 12, ("KWH_OFF", "SUMMER"): 15 * 12,
        ("KWH_ON", "WINTER"): 15 * 6, ("KWH_OFF", "WINTER"): 15 * 18,
    }  # fmt: skip


def test_a_period_within_one_season_names_it_on_every_bucket() -> None:
    period = days(date(2026, 12, 20), date(2027, 1, 20))
    hours = expected_intervals(period, 60)
    given_ = context(
        blocks=[block(period.start, [10] * hours, minutes=60)], meters=[meter("M1", channel(minutes=60))],
        period=period, calendar=seasonal(), agreement=TARIFF,
    )  # fmt: skip

    assert {q.season for q in quantities(calculate(given_, HUB)) if q.tou_bucket} == {"WINTER"}


@settings(max_examples=25, deadline=None)
@given(values=st.lists(st.integers(0, 9_999), min_size=13, max_size=31), decimals=st.integers(0, 2))
def test_over_24_months_of_changing_seasons_no_kwh_is_gained_or_lost(values: list[int], decimals: int) -> None:
    policy = Policy(determinants="hub", rounding="interval_residual", decimals=decimals)
    exact, billed, day, bill = Decimal(0), Decimal(0), date(2026, 1, 16), None
    for n in range(24):
        after = (day.replace(day=1) + timedelta(days=32)).replace(day=16)
        period, day = days(day, after), after
        used = [(values[m % len(values)] * (n + 1)) % 977 for m in range(expected_intervals(period, 60))]
        given_ = context(
            blocks=[block(period.start, used, minutes=60)], meters=[meter("M1", channel(minutes=60))], period=period,
            calendar=seasonal(), agreement=TARIFF, last_bill=bill,
        )  # fmt: skip
        result = calculate(given_, policy)
        found = quantities(result)
        total = next(q.quantity for q in found if not q.tou_bucket)
        assert sum(q.quantity for q in found if q.tou_bucket) == total
        exact, billed = exact + Decimal(sum(used)).scaleb(-3), billed + total
        bill = last_bill(period, residuals=result.residuals)

    assert bill is not None
    assert exact == billed + bill.residuals["KWH_TOTAL"]
    assert abs(bill.residuals["KWH_TOTAL"]) < Decimal(1).scaleb(-decimals)


def test_registers_that_ran_through_a_change_of_season_cannot_be_told_apart() -> None:
    tiers = [register("T1", tou=1), register("T3", tou=3)]
    codes = [register_code("ELECTRICITY", "DELIVERED", tier) for tier in (1, 3)]
    reads = [
        read(when, value, code=code) for code in codes for when, value in ((OVER_THE_CHANGE.start, "5"),
        (OVER_THE_CHANGE.end, "8"))
    ]  # fmt: skip
    given_ = context(
        *reads, meters=[meter("M1", *tiers)], period=OVER_THE_CHANGE, calendar=seasonal(), agreement=TARIFF
    )

    result = calculate(given_, HUB)

    assert held(result) == ["TOU_NOT_READY"]
    assert result.determinant is not None
    assert (result.determinant.status, by_season(result)) == (Status.PARTIAL, {("KWH_TOTAL", ""): Decimal(6)})


def test_a_bucket_of_one_season_alone_needs_no_split() -> None:
    critical = TouCalendar("TOU", 1, "America/Toronto", (
        TouWindow("ALL", time(0), time(0), "OFF", *WINTER), TouWindow("ALL", time(0), time(18), "MID", *SUMMER),
        TouWindow("ALL", time(18), time(0), "ON", *SUMMER),
    ))  # fmt: skip

    assert {b: seasons_of(critical, OVER_THE_CHANGE, b) for b in ("ON", "MID", "OFF")} == {
        "ON": {"SUMMER"}, "MID": {"SUMMER"}, "OFF": {"WINTER"},
    }  # fmt: skip


def test_a_period_is_cut_at_local_midnight_of_each_change() -> None:
    whole = days(date(2026, 4, 1), date(2026, 11, 1))
    first, second, third = season_spans(seasonal(), whole)

    assert (first, second, third) == (
        days(date(2026, 4, 1), date(2026, 5, 1)),
        days(date(2026, 5, 1), date(2026, 10, 1)),
        days(date(2026, 10, 1), date(2026, 11, 1)),
    )


def test_a_leap_day_belongs_to_the_season_around_it() -> None:
    assert seasons_of(seasonal(), days(date(2028, 2, 29), date(2028, 3, 1)), "ON") == {"WINTER"}


@pytest.mark.parametrize("more", [TouWindow("ALL", time(0), time(0), "ON", "PEAK", "07-01", "07-31")])
def test_seasons_that_overlap_are_refused(more: TouWindow) -> None:
    with pytest.raises(RejectedError, match="overlap"):
        seasons_of(seasonal(more), days(date(2026, 7, 1), date(2026, 7, 2)), "ON")


def test_a_window_of_the_whole_year_stands_beside_seasonal_ones() -> None:
    windows = (
        TouWindow("WEEKEND", time(0), time(0), "OFF"), TouWindow("WEEKDAY", time(0), time(0), "MID", *SUMMER),
        TouWindow("WEEKDAY", time(0), time(0), "ON", *WINTER),
    )  # fmt: skip
    calendar = TouCalendar("TOU", 1, "America/Toronto", windows)

    assert seasons_of(calendar, OVER_THE_CHANGE, "OFF") == {""}
