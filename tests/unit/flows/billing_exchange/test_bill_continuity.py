"""Estimates, customers' reads, and bills that continue each other (invariant I2)."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from billing_contexts import HUB, OCTOBER, SEPTEMBER, context, days, figures, held, last_bill, quantity, read
from hypothesis import given
from hypothesis import strategies as st

from canonical.billing import Status
from canonical.quality import Quality
from flows.billing_exchange.calculate import calculate

START, STOP = OCTOBER.start, OCTOBER.end


def test_an_estimate_counts_only_when_the_rung_and_the_policy_allow_it() -> None:
    given_ = context(read(START, "100"), read(STOP, "200", quality=Quality.ESTIMATED))

    assert calculate(given_, HUB, allow_estimates=False).missing[0].why.startswith("only an estimate")
    assert calculate(given_, replace(HUB, estimation_allowed=False)).determinant is None
    allowed = calculate(given_, HUB)
    assert allowed.determinant is not None
    assert allowed.determinant.status is Status.ESTIMATED
    assert allowed.determinant.estimate_method == "E"
    assert quantity(allowed, "KWH_TOTAL").estimated_part == Decimal(100)


def test_a_third_estimate_in_a_row_is_held() -> None:
    given_ = context(read(START, "100"), read(STOP, "200", quality=Quality.ESTIMATED))
    stops = {("M1", "E1"): Decimal(100)}

    second = calculate(replace(given_, last_bill=last_bill(SEPTEMBER, stops=stops, consecutive_estimates=1)), HUB)
    third = calculate(replace(given_, last_bill=last_bill(SEPTEMBER, stops=stops, consecutive_estimates=2)), HUB)

    assert held(second) == []
    assert held(third) == ["CONSECUTIVE_ESTIMATES"]


def test_a_customers_read_makes_the_bill_a_customers() -> None:
    result = calculate(context(read(START, "100"), read(STOP, "200", quality=Quality.CUSTOMER)), HUB)

    assert result.determinant is not None
    assert result.determinant.status is Status.CUSTOMER


def test_a_bill_starts_where_the_last_one_stopped_even_when_no_read_is_told_again() -> None:
    bill = last_bill(SEPTEMBER, stops={("M1", "E1"): Decimal("99.5")})
    result = calculate(context(read(STOP, "200"), last_bill=bill), HUB)

    assert figures(result) == {"KWH_TOTAL": Decimal("100.5")}
    assert held(result) == []


def test_a_start_read_that_is_not_the_last_stop_read_is_held_with_the_difference() -> None:
    bill = last_bill(SEPTEMBER, stops={("M1", "E1"): Decimal(80)})
    result = calculate(context(read(START, "100"), read(STOP, "200"), last_bill=bill), HUB)

    assert held(result) == ["CONTINUITY_BROKEN"]
    assert result.holds[0].at_risk == Decimal(20)


def test_the_estimate_that_was_billed_stays_and_the_next_actual_settles_it() -> None:
    bill = last_bill(SEPTEMBER, stops={("M1", "E1"): Decimal(80)}, consecutive_estimates=1)
    result = calculate(context(read(START, "100"), read(STOP, "200"), last_bill=bill), HUB)

    assert held(result) == []
    assert figures(result) == {"KWH_TOTAL": Decimal(120)}
    assert result.determinant is not None
    assert result.determinant.status is Status.ACTUAL
    assert [(r.code, r.quantity) for r in result.determinant.remarks] == [("6018", Decimal(20))]


@given(steps=st.lists(st.tuples(st.integers(0, 400_000), st.integers(-3_000, 3_000)), min_size=2, max_size=8))
def test_consecutive_bills_add_up_to_the_reads_whatever_was_estimated(steps: list[tuple[int, int]]) -> None:
    """Invariant I2: no kWh twice and none lost, with an estimate billed at every other end and told better later."""
    truth, bill, billed = Decimal(500), None, Decimal(0)
    day = date(2026, 1, 1)
    for n, (used, error) in enumerate(steps):
        period = days(day, day + timedelta(days=30))
        day += timedelta(days=30)
        opening, truth = truth, truth + Decimal(used).scaleb(-3)
        is_estimate = n % 2 == 0 and n < len(steps) - 1
        end = max(truth + Decimal(error).scaleb(-3), Decimal(0)) if is_estimate else truth
        quality = Quality.ESTIMATED if is_estimate else Quality.VALIDATED
        given_ = context(
            read(period.start, opening), read(period.end, end, quality=quality), period=period, last_bill=bill
        )
        result = calculate(given_, HUB)
        billed += figures(result)["KWH_TOTAL"]
        bill = last_bill(
            period, stops=result.stops, consecutive_estimates=int(is_estimate), daily_quantity=result.daily_quantity
        )

    assert bill is not None
    assert billed == bill.stops["M1", "E1"] - Decimal(500)


def test_nothing_is_billed_on_estimates_in_a_district_in_storm_mode() -> None:
    given_ = context(read(START, "100"), read(STOP, "200", quality=Quality.ESTIMATED))
    stormy = replace(given_, usage_point=replace(given_.usage_point, district="NORTH"))
    policy = replace(HUB, storm_districts=frozenset({"NORTH"}))

    assert calculate(stormy, policy).determinant is None
    assert calculate(stormy, HUB).determinant is not None
    assert calculate(given_, policy).determinant is not None
