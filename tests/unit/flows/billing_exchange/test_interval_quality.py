"""Interval values that are missing, come again, are estimates, or do not fit the period."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from billing_contexts import (
    OCTOBER,
    RESIDUAL,
    SEPTEMBER,
    block,
    channel,
    context,
    days,
    figures,
    held,
    last_bill,
    meter,
    quantity,
    tou,
)

from canonical.billing import Status
from canonical.metering import MISSING
from canonical.periods import Period, expected_intervals
from canonical.quality import Quality
from flows.billing_exchange.calculate import calculate, unanswered

INTERVAL = [meter("M1", channel())]


def test_gaps_are_missing_with_their_spans_and_never_zero() -> None:
    values = list(range(1, 2977))
    values[10:14] = [MISSING] * 4
    values[100] = MISSING
    given_ = context(blocks=[block(OCTOBER.start, values)], meters=INTERVAL)
    result = calculate(given_, RESIDUAL)

    quarter = timedelta(minutes=15)
    assert result.determinant is None
    assert [m.period for m in result.missing] == [
        Period(OCTOBER.start + 10 * quarter, OCTOBER.start + 14 * quarter),
        Period(OCTOBER.start + 100 * quarter, OCTOBER.start + 101 * quarter),
    ]
    answer = unanswered(given_, Status.NO_READ, (), missing=result.missing)
    assert (answer.expected_intervals, answer.missing_intervals, answer.longest_gap_minutes) == (2976, 5, 60)
    assert answer.actual_intervals == 2971


def test_no_block_at_all_is_one_gap_over_the_whole_period() -> None:
    result = calculate(context(meters=INTERVAL), RESIDUAL)

    assert [m.period for m in result.missing] == [OCTOBER]


def test_a_later_version_fills_gaps_and_replaces_values_but_an_estimate_never_replaces_a_measured_one() -> None:
    values = list(range(1, 2977))
    first = [MISSING if n in (3, 4) else v for n, v in enumerate(values)]
    quarter = timedelta(minutes=15)
    fills = block(OCTOBER.start + 3 * quarter, [values[3], values[4]])
    edits = block(OCTOBER.start + 6 * quarter, [1_000_000], quality=Quality.EDITED)
    guesses = block(OCTOBER.start + 20 * quarter, [5_000_000], quality=Quality.ESTIMATED)
    result = calculate(context(blocks=[block(OCTOBER.start, first), fills, edits, guesses], meters=INTERVAL), RESIDUAL)

    assert figures(result)["KWH_TOTAL"] == Decimal(sum(values) - values[6] + 1_000_000).scaleb(-3)
    assert result.determinant is not None
    assert result.determinant.status is Status.ACTUAL


def test_estimated_intervals_are_counted_and_their_energy_named() -> None:
    values = [10] * expected_intervals(OCTOBER, 15)
    runs = [(8, Quality.FINAL_SUBSTITUTE, "F14"), (len(values) - 8, Quality.VALIDATED, "A")]
    given_ = context(blocks=[block(OCTOBER.start, values, runs=runs)], meters=INTERVAL, calendar=tou())
    result = calculate(given_, RESIDUAL)

    assert result.determinant is not None
    assert result.determinant.status is Status.MIXED
    assert result.determinant.estimated_intervals == 8
    assert result.determinant.actual_intervals == len(values) - 8
    assert result.determinant.estimate_method == "F14"
    assert quantity(result, "KWH_TOTAL").estimated_part == Decimal("0.080")
    assert quantity(result, "KWH_OFF").estimated_part == Decimal("0.080")
    assert quantity(result, "KWH_ON").estimated_part == 0
    assert calculate(given_, RESIDUAL, allow_estimates=False).missing[0].period == Period(
        OCTOBER.start, OCTOBER.start + timedelta(hours=2)
    )


def test_blocks_of_different_exponents_are_summed_exactly() -> None:
    values = list(range(1, 2977))
    half = len(values) // 2
    blocks = [
        block(OCTOBER.start, values[:half]),
        block(OCTOBER.start + half * timedelta(minutes=15), [v * 10 for v in values[half:]], exponent=-4),
    ]
    result = calculate(context(blocks=blocks, meters=INTERVAL), RESIDUAL)

    assert figures(result)["KWH_TOTAL"] == Decimal(sum(values)).scaleb(-3)


def test_intervals_that_cross_the_ends_of_the_period_are_held() -> None:
    shifted = block(OCTOBER.start - timedelta(minutes=5), [1] * 2977)
    result = calculate(context(blocks=[shifted], meters=INTERVAL), RESIDUAL)

    assert held(result) == ["INTERVAL_MISALIGNED"]
    assert result.determinant is None


def test_hours_cannot_be_billed_where_the_clock_moves_by_half_an_hour() -> None:
    zone = "Australia/Lord_Howe"
    period = days(date(2026, 4, 1), date(2026, 5, 1), zone)
    hourly = block(period.start, [1] * 721, minutes=60)
    result = calculate(
        context(blocks=[hourly], meters=[meter("M1", channel(minutes=60))], period=period, zone=zone), RESIDUAL
    )

    assert held(result) == ["INTERVAL_MISALIGNED"]


def test_values_that_their_source_takes_back_are_missing_again() -> None:
    quarter = timedelta(minutes=15)
    retracted = block(OCTOBER.start + 8 * quarter, [5, 5], quality=Quality.UNUSABLE)
    result = calculate(context(blocks=[block(OCTOBER.start, [5] * 2976), retracted], meters=INTERVAL), RESIDUAL)

    assert [m.period for m in result.missing] == [Period(OCTOBER.start + 8 * quarter, OCTOBER.start + 10 * quarter)]


def test_a_few_substituted_intervals_do_not_make_a_row_of_estimated_bills() -> None:
    runs = [(1, Quality.SUBSTITUTED, "S14"), (2975, Quality.VALIDATED, "A")]
    given = context(
        blocks=[block(OCTOBER.start, [5] * 2976, runs=runs)],
        meters=INTERVAL,
        last_bill=last_bill(SEPTEMBER, consecutive_estimates=2),
    )
    whole = replace(given, blocks=(block(OCTOBER.start, [5] * 2976, quality=Quality.ESTIMATED),))

    assert held(calculate(given, RESIDUAL)) == []
    assert held(calculate(whole, RESIDUAL)) == ["CONSECUTIVE_ESTIMATES"]
