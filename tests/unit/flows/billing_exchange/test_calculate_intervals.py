"""Bills from interval values: local days of 92, 96 and 100 quarter hours, any feed's clock, gaps, versions, buckets."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from billing_contexts import (
    HUB,
    MDMS,
    OCTOBER,
    RESIDUAL,
    agreement,
    at,
    block,
    channel,
    context,
    days,
    figures,
    held,
    meter,
    quantity,
    read,
    register,
    stated,
    tou,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from canonical.errors import RejectedError
from canonical.metering import IntervalBlock
from canonical.periods import Period, expected_intervals, local_day
from flows.billing_exchange.calculate import calculate
from flows.billing_exchange.tou import bucket_at

INTERVAL = [meter("M1", channel())]


def counted(period: Period, minutes: int = 15) -> list[int]:
    return list(range(1, expected_intervals(period, minutes) + 1))


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        ("America/Toronto", date(2026, 3, 8), 92),
        ("America/Toronto", date(2026, 11, 1), 100),
        ("America/Toronto", date(2026, 7, 1), 96),
        ("Australia/Lord_Howe", date(2026, 4, 5), 98),
        ("Australia/Lord_Howe", date(2026, 10, 4), 94),
        ("Africa/Cairo", date(2026, 4, 24), 92),
        ("Asia/Kolkata", date(2026, 3, 29), 96),
    ],
)
def test_a_local_day_has_as_many_quarter_hours_as_its_clock_makes(zone: str, day: date, expected: int) -> None:
    period = local_day(day, ZoneInfo(zone))
    values = counted(period)
    calendar = tou(zone)
    result = calculate(
        context(blocks=[block(period.start, values)], meters=INTERVAL, period=period, zone=zone, calendar=calendar),
        RESIDUAL,
    )

    assert result.determinant is not None
    assert result.determinant.expected_intervals == result.determinant.actual_intervals == expected
    assert result.determinant.days == 1
    assert figures(result)["KWH_TOTAL"] == Decimal(sum(values)).scaleb(-3)


def by_the_instant(period: Period, values: list[int], zone: str) -> dict[str, Decimal]:
    """Buckets summed the slow way: each value by the hour that a wall clock shows at its start."""
    sums = {"ON": 0, "MID": 0, "OFF": 0}
    for n, value in enumerate(values):
        wall = (period.start + n * timedelta(minutes=15)).astimezone(ZoneInfo(zone))
        hour = wall.hour if wall.weekday() < 5 else 0
        sums["ON" if hour in (7, 8, 9, 10, 17, 18) else "MID" if 11 <= hour < 17 else "OFF"] += value
    return {bucket: Decimal(total).scaleb(-3) for bucket, total in sums.items()}


@pytest.mark.parametrize("zone", ["America/Toronto", "Australia/Lord_Howe", "Africa/Cairo", "Europe/Helsinki"])
@pytest.mark.parametrize("month", [3, 4, 10, 11])
def test_buckets_follow_the_wall_clock_through_every_change(zone: str, month: int) -> None:
    period = days(date(2026, month, 1), date(2026, month + 1, 1), zone)
    values = counted(period)
    result = calculate(
        context(
            blocks=[block(period.start, values)],
            meters=INTERVAL,
            period=period,
            zone=zone,
            calendar=tou(zone),
        ),
        RESIDUAL,
    )

    found = figures(result)
    assert {b: found[f"KWH_{b}"] for b in ("ON", "MID", "OFF")} == by_the_instant(period, values, zone)
    assert found["KWH_ON"] + found["KWH_MID"] + found["KWH_OFF"] == found["KWH_TOTAL"]


def nem_blocks(period: Period, values: list[int], offset_hours: int) -> list[IntervalBlock]:
    """The same values as a feed of fixed clock tells them: whole days of 1440 minutes, filled up at both ends."""
    day = timedelta(days=1)
    first = (period.start + timedelta(hours=offset_hours)).replace(hour=0, minute=0) - timedelta(hours=offset_hours)
    blocks = []
    while first < period.end:
        slots = [(first - period.start) // timedelta(minutes=15) + n for n in range(96)]
        blocks.append(block(first, [values[s] if 0 <= s < len(values) else 7_777 for s in slots]))
        first += day
    return blocks


@pytest.mark.parametrize("month", [3, 11])
def test_twin_points_get_the_same_buckets_from_a_nem_clock_and_from_utc(month: int) -> None:
    period = days(date(2026, month, 1), date(2026, month + 1, 1))
    values = counted(period)
    utc = context(blocks=[block(period.start, values)], meters=INTERVAL, period=period, calendar=tou())
    nem = context(blocks=nem_blocks(period, values, -5), meters=INTERVAL, period=period, calendar=tou())

    one, other = calculate(utc, RESIDUAL), calculate(nem, RESIDUAL)

    assert figures(one) == figures(other)
    assert one.determinant is not None
    assert other.determinant is not None
    assert one.determinant.expected_intervals == other.determinant.expected_intervals


@settings(max_examples=30)
@given(cuts=st.sets(st.integers(1, 2975), max_size=6), seed=st.integers(0, 1000))
def test_the_way_values_are_cut_into_blocks_changes_nothing(cuts: set[int], seed: int) -> None:
    values = [(n * 37 + seed) % 900 for n in range(expected_intervals(OCTOBER, 15))]
    edges = [0, *sorted(cuts), len(values)]
    blocks = [block(OCTOBER.start + a * timedelta(minutes=15), values[a:b]) for a, b in pairwise(edges)]

    whole = calculate(context(blocks=[block(OCTOBER.start, values)], meters=INTERVAL, calendar=tou()), RESIDUAL)
    parts = calculate(context(blocks=blocks, meters=INTERVAL, calendar=tou()), RESIDUAL)

    assert figures(whole) == figures(parts)


@given(st.sampled_from(["40", "1", "12.5", "0.4", "120"]), st.integers(0, 2976))
@settings(max_examples=20)
def test_values_of_a_raw_and_an_applied_source_add_up_to_the_same_wherever_one_takes_over(
    multiplier: str, cut: int
) -> None:
    hung, values = [meter("M1", channel(), multiplier=multiplier)], counted(OCTOBER)
    scaled = [int(v * Decimal(multiplier) * 10) for v in values]
    takes_over = OCTOBER.start + cut * timedelta(minutes=15)
    blocks = [block(OCTOBER.start, values[:cut])] if cut else []
    if cut < len(values):
        blocks.append(replace(block(takes_over, scaled[cut:], exponent=-4), source="head-end"))
    alone = calculate(context(blocks=[block(OCTOBER.start, values)], meters=hung), RESIDUAL)
    both = calculate(context(blocks=blocks, meters=hung, multipliers={"head-end": "applied"}), RESIDUAL)

    assert figures(both) == figures(alone)
    assert both.residuals == alone.residuals


def test_interval_sources_have_no_reads_and_the_multiplier_once() -> None:
    hung = [meter("M1", channel(), multiplier="40")]
    values = counted(OCTOBER)
    raw = calculate(context(blocks=[block(OCTOBER.start, values)], meters=hung), RESIDUAL)
    applied = calculate(
        context(blocks=[block(OCTOBER.start, [v * 40 for v in values])], meters=hung, multipliers={"": "applied"}),
        RESIDUAL,
    )

    assert figures(raw) == figures(applied) == {"KWH_TOTAL": Decimal(sum(values) * 40).scaleb(-3)}
    assert raw.determinant is not None
    use = raw.determinant.registers[0]
    assert (use.start_read, use.stop_read, use.raw_difference) == (None, None, None)
    assert quantity(raw, "KWH_TOTAL").source == "INTERVAL"
    assert raw.stops == {}


def test_a_register_beside_the_channel_must_tell_the_same_energy() -> None:
    values = [1000] * expected_intervals(OCTOBER, 15)
    both = [meter("M1", register(), channel())]
    agrees = context(
        read(OCTOBER.start, "0"),
        read(OCTOBER.end, "2976.4"),
        blocks=[block(OCTOBER.start, values)],
        meters=both,
        calendar=tou(),
    )
    differs = context(
        read(OCTOBER.start, "0"),
        read(OCTOBER.end, "3100"),
        blocks=[block(OCTOBER.start, values)],
        meters=both,
        calendar=tou(),
    )

    assert held(calculate(agrees, RESIDUAL)) == []
    assert held(calculate(differs, RESIDUAL)) == ["REGISTER_INTERVAL_MISMATCH"]
    assert calculate(differs, RESIDUAL).holds[0].at_risk == Decimal(124)


def test_a_flat_tariff_is_billed_by_the_register_where_a_meter_has_both() -> None:
    both = [meter("M1", register(), channel())]
    result = calculate(context(read(OCTOBER.start, "0"), read(OCTOBER.end, "50"), meters=both), HUB)

    assert figures(result) == {"KWH_TOTAL": 50}
    assert quantity(result, "KWH_TOTAL").source == "REGISTER"


def test_received_intervals_are_a_flow_of_their_own() -> None:
    hung = [meter("M1", channel("E1"), channel("B1", flow="RECEIVED"))]
    blocks = [
        block(OCTOBER.start, [2] * 2976),
        block(OCTOBER.start, [5] * 2976, flow="RECEIVED"),
    ]
    result = calculate(context(blocks=blocks, meters=hung, agreement=agreement(net_metering=True)), RESIDUAL)

    assert figures(result) == {
        "KWH_TOTAL": Decimal("5.952"),
        "KWH_RCVD_TOTAL": Decimal("14.880"),
        "KWH_NET_TOTAL": Decimal("-8.928"),
    }
    assert result.determinant is not None
    assert result.determinant.expected_intervals == 2976


def test_the_meter_data_systems_interval_determinants_pass_after_the_check() -> None:
    values = [1000] * 2976
    given_ = context(stated("2976"), blocks=[block(OCTOBER.start, values)], meters=INTERVAL)

    assert figures(calculate(given_, MDMS)) == {"KWH_TOTAL": 2976}
    assert held(calculate(given_, MDMS)) == []


def test_a_block_that_only_touches_the_period_tells_nothing_about_it() -> None:
    before = block(at("2026-09-30T00:00:00-04:00"), [9] * 96)
    result = calculate(context(blocks=[before, block(OCTOBER.start, [1] * 2976)], meters=INTERVAL), RESIDUAL)

    assert figures(result) == {"KWH_TOTAL": Decimal("2.976")}


def test_a_calendar_with_a_hole_is_refused_by_code() -> None:
    holed = replace(tou(), windows=tou().windows[:-3])
    with pytest.raises(RejectedError) as caught:
        calculate(context(blocks=[block(OCTOBER.start, [1] * 2976)], meters=INTERVAL, calendar=holed), RESIDUAL)

    assert caught.value.code.name == "CALENDAR_INCOMPLETE"


def test_holidays_have_their_own_windows() -> None:
    thanksgiving = at("2026-10-12T08:00:00-04:00")

    assert bucket_at(tou(), thanksgiving) == "ON"
    assert bucket_at(tou(holidays=[date(2026, 10, 12)]), thanksgiving) == "OFF"


def test_an_unknown_calendar_is_held_where_the_hub_calculates() -> None:
    given_ = context(
        blocks=[block(OCTOBER.start, [1] * 2976)], meters=INTERVAL, agreement=agreement(tou_calendar="TOU")
    )

    assert held(calculate(given_, RESIDUAL)) == ["CALENDAR_UNKNOWN"]


def test_naive_days_of_the_feed_are_not_assumed_anywhere() -> None:
    """A UTC day starts at another instant than a local one: values keep their instants."""
    start = datetime(2026, 10, 1, tzinfo=UTC)
    blocks = [block(start + n * timedelta(days=1), [n + 1] * 96) for n in range(32)]
    result = calculate(context(blocks=blocks, meters=INTERVAL), RESIDUAL)

    # October in Toronto begins at 04:00 UTC: 16 quarter hours of the first UTC day are September's.
    expected = 80 * 1 + sum(96 * (n + 1) for n in range(1, 31)) + 16 * 32
    assert figures(result) == {"KWH_TOTAL": Decimal(expected).scaleb(-3)}
