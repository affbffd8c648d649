"""What is held for a person before it is billed, with code and quantity at risk."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from billing_contexts import (
    HUB,
    OCTOBER,
    SEPTEMBER,
    agreement,
    at,
    context,
    days,
    figures,
    held,
    last_bill,
    read,
)

from canonical.codes import billing as codes
from canonical.errors import ErrorCode
from canonical.periods import Period
from flows.billing_exchange.calculate import BillContext, Calculated, LastBill, calculate


def used(amount: str, **changed: object) -> BillContext:
    return context(read(OCTOBER.start, "1000"), read(OCTOBER.end, str(1000 + Decimal(amount))), **changed)  # type: ignore[arg-type]


def september(**changed: object) -> LastBill:
    return last_bill(SEPTEMBER, stops={("M1", "E1"): Decimal(1000)}, **changed)


def outcome(given: BillContext) -> Calculated:
    return calculate(given, HUB)


def test_a_second_bill_without_usage_on_an_active_agreement_is_held() -> None:
    first = outcome(used("0", last_bill=september()))
    second = outcome(used("0", last_bill=september(zero_cycles=1, daily_quantity=Decimal(3))))

    assert held(first) == []
    assert held(second) == ["ZERO_USAGE"]
    assert second.holds[0].at_risk == 93
    assert figures(second) == {"KWH_TOTAL": 0}


def test_usage_without_an_agreement_is_held_and_none_is_not() -> None:
    ended = agreement(valid_to=SEPTEMBER.start)

    assert held(outcome(used("12", agreement=None))) == ["USAGE_WITHOUT_AGREEMENT"]
    assert held(outcome(used("12", agreement=ended))) == ["USAGE_WITHOUT_AGREEMENT"]
    assert outcome(used("12", agreement=None)).holds[0].at_risk == 12
    assert held(outcome(used("0", agreement=None))) == []


def test_an_agreement_must_cover_the_whole_period_by_local_date() -> None:
    same_day = agreement(valid_from=OCTOBER.start + timedelta(hours=9))
    too_late = agreement(valid_from=OCTOBER.start + timedelta(days=2))
    until_noon = agreement(valid_to=OCTOBER.end - timedelta(hours=12))

    assert held(outcome(used("12", agreement=same_day))) == []
    assert held(outcome(used("12", agreement=too_late))) == ["AGREEMENT_NOT_COVERING"]
    assert held(outcome(used("12", agreement=until_noon))) == ["AGREEMENT_NOT_COVERING"]


def test_usage_far_above_the_last_bills_is_held_and_a_small_one_is_not() -> None:
    assert held(outcome(used("3000", last_bill=september(daily_quantity=Decimal(10))))) == ["IMPLAUSIBLE_USAGE"]
    assert held(outcome(used("1500", last_bill=september(daily_quantity=Decimal(10))))) == []
    assert held(outcome(used("300", last_bill=september(daily_quantity=Decimal("0.1"))))) == []
    assert held(outcome(used("3000"))) == []


def test_a_period_that_overlaps_the_last_bill_is_held_unless_it_replaces_it() -> None:
    overlapping = last_bill(OCTOBER)
    given = used("10", last_bill=overlapping)

    assert held(outcome(given)) == ["PERIOD_OVERLAP"]
    assert outcome(given).holds[0].at_risk == 310
    rebill = replace(given, item=replace(given.item, reason="REBILL", replaces="R0"))
    assert held(outcome(rebill)) == []


def test_a_gap_since_the_last_bill_is_held_unless_nobody_had_an_agreement() -> None:
    august = last_bill(days(date(2026, 8, 1), date(2026, 9, 1)))
    moved_in = agreement(valid_from=OCTOBER.start)

    assert held(outcome(used("10", last_bill=august))) == ["PERIOD_GAP"]
    assert outcome(used("10", last_bill=august)).holds[0].at_risk == 300
    declared = outcome(used("10", last_bill=august, agreement=moved_in))
    assert held(declared) == []
    assert declared.determinant is not None
    assert [r.code for r in declared.determinant.remarks] == ["6034"]


@pytest.mark.parametrize(
    "period",
    [
        Period(OCTOBER.start, OCTOBER.start),
        Period(OCTOBER.start, OCTOBER.start + timedelta(days=500)),
        Period(OCTOBER.start + timedelta(hours=1), OCTOBER.end),
        Period(at("2026-10-01T00:00:00+00:00"), at("2026-11-01T00:00:00+00:00")),
    ],
)
def test_a_period_that_cannot_be_meant_is_held_without_a_figure(period: Period) -> None:
    result = outcome(context(period=period))

    assert "WRONG_PERIOD" in held(result)
    assert result.determinant is None
    assert result.missing == ()


def test_only_cycles_must_begin_and_end_at_midnight() -> None:
    moved = Period(OCTOBER.start + timedelta(hours=14), OCTOBER.end)
    result = outcome(context(read(moved.start, "0"), read(moved.end, "5"), period=moved, reason="MOVE_IN"))

    assert held(result) == []
    assert figures(result) == {"KWH_TOTAL": 5}


def test_a_period_of_a_land_without_midnight_begins_at_the_first_instant_that_exists() -> None:
    cairo = days(date(2026, 4, 24), date(2026, 5, 24), "Africa/Cairo")
    result = outcome(context(read(cairo.start, "0"), read(cairo.end, "30"), period=cairo, zone="Africa/Cairo"))

    assert cairo.start == at("2026-04-24T01:00:00+03:00")
    assert held(result) == []
    assert result.determinant is not None
    assert result.determinant.days == 30


def test_a_period_that_is_not_over_is_held() -> None:
    assert held(outcome(used("1", as_of=OCTOBER.end - timedelta(hours=1)))) == ["WRONG_PERIOD"]
    assert held(outcome(used("1", as_of=OCTOBER.end))) == []


def test_a_bill_that_reaches_back_too_far_for_its_class_is_held_with_the_part_beyond() -> None:
    late = OCTOBER.end + timedelta(days=340)

    result = outcome(used("310", as_of=late))

    assert held(result) == ["BACK_BILLING_LIMIT"]
    assert result.holds[0].at_risk == 6 * 10
    assert held(outcome(used("310", as_of=late, agreement=agreement(customer_class="INDUSTRIAL")))) == []


def test_another_commodity_than_the_usage_points_is_held() -> None:
    given = used("1")
    gas = replace(given, item=replace(given.item, commodity="GAS"))

    assert held(outcome(gas))[0] == "COMMODITY_MISMATCH"


def test_every_code_of_the_area_has_its_own_number_and_name() -> None:
    all_codes = [c for c in vars(codes).values() if isinstance(c, ErrorCode)]

    assert len({c.number for c in all_codes}) == len({c.name for c in all_codes}) == len(all_codes)
    assert all(c.number.startswith("6") for c in all_codes)
    assert all(name == value.name for name, value in vars(codes).items() if isinstance(value, ErrorCode))
