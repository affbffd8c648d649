"""Rounding over many bills: no kWh gained or lost, buckets add up to the total (ruling 12)."""

from datetime import date, timedelta
from decimal import Decimal

from billing_contexts import block, channel, context, days, figures, last_bill, meter, read, register, tou
from hypothesis import given, settings
from hypothesis import strategies as st

from canonical.periods import expected_intervals
from canonical.reading_types import register_code
from flows.billing_exchange.calculate import LastBill, calculate
from flows.billing_exchange.policy import Policy
from flows.billing_exchange.rounding import rounded, with_residual

BUCKETS = ("KWH_ON", "KWH_MID", "KWH_OFF")


@given(
    periods=st.lists(st.tuples(*(st.integers(0, 10_000_000) for _ in BUCKETS)), min_size=24, max_size=24),
    decimals=st.integers(0, 3),
)
def test_over_24_periods_residuals_gain_and_lose_nothing(periods: list[tuple[int, ...]], decimals: int) -> None:
    carried: dict[str, Decimal] = {}
    billed = dict.fromkeys(("KWH_TOTAL", *BUCKETS), Decimal(0))
    exact = dict.fromkeys(("KWH_TOTAL", *BUCKETS), Decimal(0))
    for period in periods:
        parts = {code: Decimal(v).scaleb(-5) for code, v in zip(BUCKETS, period, strict=True)}
        total = sum(parts.values(), Decimal(0))
        figures_, carried = with_residual("KWH_TOTAL", total, parts, carried=carried, decimals=decimals)
        assert figures_["KWH_TOTAL"] == sum(figures_[code] for code in BUCKETS)
        for code, value in (parts | {"KWH_TOTAL": total}).items():
            billed[code] += figures_[code]
            exact[code] += value

    for code, value in exact.items():
        assert value == billed[code] + carried[code]
        assert abs(carried[code]) < Decimal(1).scaleb(-decimals)


@given(carried=st.integers(-499, 499), parts=st.lists(st.integers(0, 10_000_000), min_size=1, max_size=4))
def test_a_tariff_that_changes_its_buckets_loses_no_residual(carried: int, parts: list[int]) -> None:
    exact = {f"KWH_{n}": Decimal(p).scaleb(-3) for n, p in enumerate(parts)}
    total, before = sum(exact.values(), Decimal(0)), Decimal(carried).scaleb(-3)
    billed, after = with_residual("KWH_TOTAL", total, exact, carried={"KWH_TOTAL": before}, decimals=0)

    assert total + before == billed["KWH_TOTAL"] + after["KWH_TOTAL"]
    assert sum(after[c] for c in exact) == after["KWH_TOTAL"]
    assert sum(billed[c] for c in exact) == billed["KWH_TOTAL"]


@settings(max_examples=40, deadline=None)
@given(
    used=st.lists(st.integers(0, 900_000), min_size=24, max_size=24),
    multiplier=st.sampled_from(["1", "40", "0.125"]),
    decimals=st.integers(0, 3),
)
def test_over_24_bills_from_cumulative_reads_nothing_is_gained_or_lost(
    used: list[int], multiplier: str, decimals: int
) -> None:
    policy = Policy(determinants="hub", rounding="cumulative", decimals=decimals)
    registers = [register("T1", tou=1), register("T3", tou=3)]
    codes = [register_code("ELECTRICITY", "DELIVERED", tier) for tier in (1, 3)]
    shown, day, billed = [Decimal("5.678"), Decimal("9.432")], date(2026, 1, 1), Decimal(0)
    first, bill = list(shown), None
    for n, amount in enumerate(used):
        period = days(day, day + timedelta(days=30))
        day += timedelta(days=30)
        before = list(shown)
        shown[n % 2] += Decimal(amount).scaleb(-3)
        reads = [read(period.start, v, code=c) for v, c in zip(before, codes, strict=True)]
        reads += [read(period.end, v, code=c) for v, c in zip(shown, codes, strict=True)]
        hung = [meter("M1", *registers, multiplier=multiplier)]
        result = calculate(context(*reads, period=period, meters=hung, last_bill=bill), policy)
        found = figures(result)
        assert found["KWH_TOTAL"] == found["KWH_ON"] + found["KWH_OFF"]
        billed += found["KWH_TOTAL"]
        bill = last_bill(period, stops=result.stops)

    factor = Decimal(multiplier)
    ends = [(rounded(v * factor, decimals), rounded(b * factor, decimals)) for v, b in zip(shown, first, strict=True)]
    assert billed == sum(after - before for after, before in ends)


def test_over_24_bills_from_intervals_the_residual_is_carried_from_bill_to_bill() -> None:
    policy = Policy(determinants="hub", rounding="interval_residual", decimals=0)
    bill: LastBill | None = None
    exact, billed, day = Decimal(0), Decimal(0), date(2026, 1, 1)
    for n in range(24):
        period = days(day, day + timedelta(days=7))
        day += timedelta(days=7)
        values = [(n * 131 + m * 17) % 53 for m in range(expected_intervals(period, 15))]
        result = calculate(
            context(
                blocks=[block(period.start, values)],
                meters=[meter("M1", channel())],
                period=period,
                calendar=tou(),
                last_bill=bill,
            ),
            policy,
        )
        found = figures(result)
        assert found["KWH_ON"] + found["KWH_MID"] + found["KWH_OFF"] == found["KWH_TOTAL"]
        assert found["KWH_TOTAL"] == found["KWH_TOTAL"].to_integral_value()
        exact, billed = exact + Decimal(sum(values)).scaleb(-3), billed + found["KWH_TOTAL"]
        bill = last_bill(period, residuals=result.residuals)

    assert bill is not None
    assert exact == billed + bill.residuals["KWH_TOTAL"]
    assert abs(bill.residuals["KWH_TOTAL"]) <= Decimal("0.5")
