"""Bills from cumulative registers: differences, rollover, multiplier, estimates, continuity."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from billing_contexts import (
    HUB,
    OCTOBER,
    SEPTEMBER,
    agreement,
    context,
    days,
    figures,
    held,
    last_bill,
    meter,
    read,
    register,
)
from hypothesis import given
from hypothesis import strategies as st

from canonical.billing import Status
from canonical.quality import Quality
from canonical.reading_types import Commodity, register_code
from flows.billing_exchange.calculate import calculate

START, STOP = OCTOBER.start, OCTOBER.end


def test_a_register_is_billed_by_the_difference_of_its_reads() -> None:
    result = calculate(context(read(START, "100.500"), read(STOP, "430.750")), HUB)

    assert figures(result) == {"KWH_TOTAL": Decimal("330.250")}
    assert result.determinant is not None
    assert result.determinant.status is Status.ACTUAL
    assert result.determinant.days == 31
    use = result.determinant.registers[0]
    assert (use.start_read, use.stop_read, use.raw_difference) == (
        Decimal("100.500"),
        Decimal("430.750"),
        Decimal("330.250"),
    )
    assert result.stops == {("M1", "E1"): Decimal("430.750")}
    assert not result.missing
    assert not result.holds


def test_the_trail_lets_a_person_recompute_the_bill() -> None:
    result = calculate(context(read(START, "100"), read(STOP, "104"), meters=[meter(multiplier="40")]), HUB)

    assert any("104" in step and "100" in step and "x 40 = 160" in step for step in result.trail)


def test_reads_of_people_beside_those_of_an_mdms_that_applies_multipliers_are_billed_once_each() -> None:
    ct, feeds = [meter(multiplier="40")], {"mdms": "applied", "walker": "raw", "": "applied"}
    start, stop = read(START, "4004", source="mdms"), read(STOP, "112.3", source="walker")
    result = calculate(context(start, stop, meters=ct, multipliers=feeds), HUB)

    assert figures(result) == {"KWH_TOTAL": Decimal(488)}
    assert result.determinant is not None
    use = result.determinant.registers[0]
    assert (use.start_read, use.stop_read) == (Decimal("100.1"), Decimal("112.3"))


def test_the_multiplier_is_applied_once_to_raw_reads_and_not_again_to_applied_ones() -> None:
    ct = [meter(multiplier="40")]
    raw = calculate(context(read(START, "100.1"), read(STOP, "112.3"), meters=ct), HUB)
    applied = calculate(context(read(START, "4004"), read(STOP, "4492"), meters=ct, multipliers={"": "applied"}), HUB)

    assert figures(raw) == figures(applied) == {"KWH_TOTAL": Decimal("488.000")}
    assert raw.determinant is not None
    assert applied.determinant is not None
    assert applied.determinant.registers[0].stop_read == raw.determinant.registers[0].stop_read == Decimal("112.3")
    assert applied.determinant.meters[0].multiplier_applied


def test_an_applied_read_that_the_multiplier_does_not_divide_keeps_its_energy_exactly() -> None:
    result = calculate(
        context(read(START, "100"), read(STOP, "200"), meters=[meter(multiplier="3")], multipliers={"": "applied"}), HUB
    )

    assert figures(result) == {"KWH_TOTAL": Decimal(100)}


@given(
    reads=st.lists(st.integers(0, 99_999_999), min_size=2, max_size=2).map(sorted),
    multiplier=st.sampled_from(["1", "40", "0.5", "120"]),
)
def test_a_quantity_is_always_the_raw_difference_times_the_multiplier(reads: list[int], multiplier: str) -> None:
    start, stop = (Decimal(r).scaleb(-3) for r in reads)
    result = calculate(context(read(START, start), read(STOP, stop), meters=[meter(multiplier=multiplier)]), HUB)

    assert result.determinant is not None
    use = result.determinant.registers[0]
    assert use.raw_difference is not None
    assert use.quantity == use.raw_difference * Decimal(multiplier) == (stop - start) * Decimal(multiplier)


def test_a_register_near_its_end_that_restarts_has_rolled_over() -> None:
    result = calculate(context(read(START, "99950"), read(STOP, "250"), meters=[meter("M1", register(dials=5))]), HUB)

    assert figures(result) == {"KWH_TOTAL": Decimal(300)}
    assert result.determinant is not None
    assert result.determinant.registers[0].rollovers == 1


@given(start=st.integers(90_001, 99_999), used=st.integers(1, 9_999))
def test_a_rollover_loses_no_energy(start: int, used: int) -> None:
    stop = (start + used) % 100_000
    result = calculate(
        context(read(START, str(start)), read(STOP, str(stop)), meters=[meter("M1", register(dials=5))]), HUB
    )

    assert figures(result) == {"KWH_TOTAL": Decimal(used)}


def test_a_rollover_that_would_mean_too_much_usage_is_held_without_a_figure() -> None:
    result = calculate(context(read(START, "95000"), read(STOP, "60000"), meters=[meter("M1", register(dials=5))]), HUB)

    assert held(result) == ["IMPLAUSIBLE_ROLLOVER"]
    assert result.determinant is None


def test_history_bounds_what_a_rollover_may_mean() -> None:
    bill = last_bill(SEPTEMBER, stops={("M1", "E1"): Decimal(95000)}, daily_quantity=Decimal(10))
    result = calculate(
        context(read(START, "95000"), read(STOP, "20000"), meters=[meter("M1", register(dials=5))], last_bill=bill), HUB
    )

    assert held(result) == ["IMPLAUSIBLE_ROLLOVER"]


def test_a_stop_read_below_a_start_read_in_the_middle_of_the_range_is_negative_usage_and_held() -> None:
    result = calculate(context(read(START, "500"), read(STOP, "480")), HUB)

    assert held(result) == ["NEGATIVE_USAGE"]
    assert figures(result) == {"KWH_TOTAL": Decimal(-20)}
    assert result.holds[0].at_risk == Decimal(20)


def test_a_read_with_more_digits_than_dials_is_held() -> None:
    result = calculate(
        context(read(START, "99990"), read(STOP, "100020"), meters=[meter("M1", register(dials=5))]), HUB
    )

    assert held(result) == ["READ_BEYOND_DIALS"]


def test_a_missing_stop_read_is_named_with_meter_register_and_instant() -> None:
    result = calculate(context(read(START, "100")), HUB)

    assert result.determinant is None
    assert [(m.meter, m.register, m.at) for m in result.missing] == [("M1", "E1", STOP)]


def test_a_read_of_another_meter_never_answers() -> None:
    result = calculate(context(read(START, "100"), read(STOP, "200", meter="M2")), HUB)

    assert [m.at for m in result.missing] == [STOP]


def test_an_unusable_read_is_no_read() -> None:
    result = calculate(context(read(START, "100"), read(STOP, "200", quality=Quality.UNUSABLE)), HUB)

    assert [m.at for m in result.missing] == [STOP]


def test_time_of_use_registers_become_buckets_that_add_up_to_the_total() -> None:
    registers = [register("T", decimals=3), register("T1", tou=1), register("T2", tou=2), register("T3", tou=3)]
    values = {0: ("1000", "1060"), 1: ("100", "110"), 2: ("200", "220"), 3: ("700", "730")}
    reads = [
        read(when, value, code=register_code("ELECTRICITY", "DELIVERED", tou))
        for tou, pair in values.items()
        for when, value in zip((START, STOP), pair, strict=True)
    ]
    result = calculate(context(*reads, meters=[meter("M1", *registers)]), HUB)

    assert figures(result) == {"KWH_TOTAL": 60, "KWH_ON": 10, "KWH_MID": 20, "KWH_OFF": 30}
    assert held(result) == []


def test_time_of_use_registers_that_miss_the_total_are_held() -> None:
    registers = [register("T"), register("T1", tou=1)]
    reads = [
        read(when, value, code=register_code("ELECTRICITY", "DELIVERED", tou))
        for tou, pair in {0: ("0", "60"), 1: ("0", "10")}.items()
        for when, value in zip((START, STOP), pair, strict=True)
    ]
    result = calculate(context(*reads, meters=[meter("M1", *registers)]), HUB)

    assert held(result) == ["TOU_SUM_MISMATCH"]
    assert result.holds[0].at_risk == Decimal(50)


def test_delivered_and_received_stay_apart_and_net_is_not_clipped() -> None:
    registers = [register("I"), register("E", flow="RECEIVED")]
    received = register_code("ELECTRICITY", "RECEIVED")
    result = calculate(
        context(
            read(START, "0"),
            read(STOP, "100"),
            read(START, "0", code=received),
            read(STOP, "250", code=received),
            meters=[meter("M1", *registers)],
            agreement=agreement(net_metering=True),
        ),
        HUB,
    )

    assert figures(result) == {"KWH_TOTAL": 100, "KWH_RCVD_TOTAL": 250, "KWH_NET_TOTAL": -150}
    assert held(result) == []


@pytest.mark.parametrize("commodity", ["WATER", "GAS"])
def test_a_register_in_cubic_meters_is_billed_under_its_own_code(commodity: Commodity) -> None:
    code = register_code(commodity)
    hung = meter("M1", register(commodity=commodity), commodity=commodity)
    result = calculate(
        context(read(START, "10.5", code=code), read(STOP, "22.25", code=code), meters=[hung], commodity=commodity),
        HUB,
    )

    assert figures(result) == {"M3_TOTAL": Decimal("11.75")}


def test_a_meter_of_another_commodity_has_no_part_in_the_bill() -> None:
    water = meter("W1", register(commodity="WATER"), commodity="WATER")
    result = calculate(context(read(START, "1"), read(STOP, "2"), meters=[meter(), water]), HUB)

    assert result.determinant is not None
    assert [m.meter for m in result.determinant.meters] == ["M1"]


def test_reactive_energy_is_not_added_to_active_energy() -> None:
    reactive = replace(
        register("Q"), unit="kVARh", reading_type=register_code("ELECTRICITY").replace(".3.72.", ".3.73.")
    )
    result = calculate(
        context(
            read(START, "0"),
            read(STOP, "10"),
            read(START, "0", code=reactive.reading_type),
            read(STOP, "4", code=reactive.reading_type),
            meters=[meter("M1", register(), reactive)],
        ),
        HUB,
    )

    assert figures(result) == {"KWH_TOTAL": 10, "KVARH_TOTAL": 4}


def test_a_leap_february_has_29_days() -> None:
    february = days(date(2028, 2, 1), date(2028, 3, 1))
    result = calculate(context(read(february.start, "0"), read(february.end, "29"), period=february), HUB)

    assert result.determinant is not None
    assert result.determinant.days == 29
    assert result.daily_quantity == 1
