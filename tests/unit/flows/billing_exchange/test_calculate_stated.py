"""Bills from the meter data system's determinants: passed unchanged, checked, held where they differ (ruling 1)."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from billing_contexts import (
    MDMS,
    OCTOBER,
    SEPTEMBER,
    agreement,
    context,
    days,
    figures,
    held,
    last_bill,
    meter,
    quantity,
    read,
    register,
    stated,
)

from canonical.billing import Status
from canonical.quality import Quality
from canonical.reading_types import register_code
from flows.billing_exchange.calculate import calculate

READS = (read(OCTOBER.start, "100"), read(OCTOBER.end, "430.75"))


def test_a_determinant_that_follows_from_the_reads_passes_unchanged() -> None:
    result = calculate(context(*READS, stated("330.7500")), MDMS)

    assert quantity(result, "KWH_TOTAL").quantity.as_tuple() == Decimal("330.7500").as_tuple()
    assert quantity(result, "KWH_TOTAL").source == "MDMS"
    assert held(result) == []
    assert result.residuals == {}


def test_a_determinant_within_the_tolerance_passes_and_one_beyond_is_held_with_both_figures() -> None:
    within = calculate(context(*READS, stated("332.40")), MDMS)
    beyond = calculate(context(*READS, stated("332.41")), MDMS)

    assert held(within) == []
    assert held(beyond) == ["DETERMINANT_MISMATCH"]
    assert "332.41" in beyond.holds[0].reason
    assert "330.75" in beyond.holds[0].reason
    assert beyond.holds[0].at_risk == Decimal("1.66")
    assert figures(beyond) == {"KWH_TOTAL": Decimal("332.41")}


def test_a_multiplier_that_the_source_forgot_is_held() -> None:
    result = calculate(context(*READS, stated("330.75"), meters=[meter(multiplier="40")]), MDMS)

    assert held(result) == ["DETERMINANT_MISMATCH"]


def test_a_missing_determinant_is_named_and_reads_alone_make_no_bill() -> None:
    result = calculate(context(*READS), MDMS)

    assert result.determinant is None
    assert [(m.register, m.period) for m in result.missing] == [("KWH_TOTAL", OCTOBER)]


def test_a_determinant_of_another_period_does_not_answer() -> None:
    result = calculate(context(*READS, stated("330.75", days(date(2026, 10, 1), date(2026, 10, 31)))), MDMS)

    assert [m.register for m in result.missing] == ["KWH_TOTAL"]


def test_reads_are_required_beside_the_determinant() -> None:
    result = calculate(context(READS[0], stated("330.75")), MDMS)

    assert [m.at for m in result.missing] == [OCTOBER.end]


def test_stated_buckets_must_add_up_to_the_stated_total_exactly() -> None:
    tiers = [register_code("ELECTRICITY", "DELIVERED", n) for n in (1, 2, 3)]
    parts = [stated(v, code=c) for v, c in zip(("100", "100", "130.75"), tiers, strict=True)]
    off = [*parts[:2], stated("130.74", code=tiers[2])]

    good, bad = (calculate(context(*READS, stated("330.75"), *each), MDMS) for each in (parts, off))

    assert figures(good) == {
        "KWH_TOTAL": Decimal("330.75"),
        "KWH_ON": 100,
        "KWH_MID": 100,
        "KWH_OFF": Decimal("130.75"),
    }
    assert held(good) == []
    assert held(bad) == ["TOU_SUM_MISMATCH"]
    assert bad.holds[0].at_risk == Decimal("0.01")


def test_buckets_are_required_only_of_a_time_of_use_tariff() -> None:
    registers = [register("T"), register("T1", tou=1)]
    one = register_code("ELECTRICITY", "DELIVERED", 1)
    reads = [*READS, read(OCTOBER.start, "0", code=one), read(OCTOBER.end, "330.75", code=one)]
    flat = context(*reads, stated("330.75"), meters=[meter("M1", *registers)])

    assert held(calculate(flat, MDMS)) == []
    priced = replace(flat, agreement=agreement(tou_calendar="TOU"))
    assert [m.register for m in calculate(priced, MDMS).missing] == ["KWH_ON"]


def test_the_last_received_version_counts_and_an_estimate_never_replaces_an_actual() -> None:
    first, guess = stated("330.00"), stated("331", quality=Quality.ESTIMATED)

    assert figures(calculate(context(*READS, first, stated("330.75")), MDMS)) == {"KWH_TOTAL": Decimal("330.75")}
    assert figures(calculate(context(*READS, first, guess), MDMS)) == {"KWH_TOTAL": Decimal("330.00")}
    assert figures(calculate(context(*READS, guess, first), MDMS)) == {"KWH_TOTAL": Decimal("330.00")}


def test_a_determinant_that_its_source_marked_as_an_estimate_makes_the_bill_one() -> None:
    estimate = read(OCTOBER.end, "430.75", quality=Quality.ESTIMATED)
    result = calculate(context(READS[0], estimate, stated("330.75", quality=Quality.ESTIMATED)), MDMS)

    assert result.determinant is not None
    assert result.determinant.status is Status.ESTIMATED
    assert quantity(result, "KWH_TOTAL").estimated_part == Decimal("330.75")
    refused = calculate(context(*READS, stated("330.75", quality=Quality.ESTIMATED)), MDMS, allow_estimates=False)
    assert [m.register for m in refused.missing] == ["KWH_TOTAL"]


def test_net_is_formed_from_the_stated_flows_when_the_source_states_none() -> None:
    received = register_code("ELECTRICITY", "RECEIVED")
    given_ = context(
        *READS,
        read(OCTOBER.start, "0", code=received),
        read(OCTOBER.end, "400", code=received),
        stated("330.75"),
        stated("400", code=received),
        meters=[meter("M1", register(), register("E2", flow="RECEIVED"))],
        agreement=agreement(net_metering=True),
    )

    assert figures(calculate(given_, MDMS))["KWH_NET_TOTAL"] == Decimal("-69.25")
    own = replace(given_, registers=(*given_.registers, stated("-69", code=register_code("ELECTRICITY", "NET"))))
    assert figures(calculate(own, MDMS))["KWH_NET_TOTAL"] == Decimal(-69)


def test_a_determinant_in_watt_hours_is_billed_in_kilowatt_hours() -> None:
    watt_hours = register_code("ELECTRICITY").replace(".3.72.", ".0.72.")

    assert figures(calculate(context(*READS, stated("330750", code=watt_hours)), MDMS)) == {
        "KWH_TOTAL": Decimal("330.750")
    }


def test_an_unmetered_point_is_billed_by_what_the_source_states_and_held_without_it() -> None:
    unmetered = replace(context(stated("50"), read_source="NONE"), installations=())

    assert figures(calculate(unmetered, MDMS)) == {"KWH_TOTAL": 50}
    assert held(calculate(replace(unmetered, registers=()), MDMS)) == ["NO_DATA_SOURCE"]
    assert held(calculate(unmetered, replace(MDMS, determinants="hub"))) == ["NO_DATA_SOURCE"]


def test_an_unmetered_point_waits_for_a_determinant_of_its_period() -> None:
    other = stated("50", SEPTEMBER)
    result = calculate(replace(context(other, read_source="NONE"), installations=()), MDMS)

    assert [m.register for m in result.missing] == ["KWH_TOTAL"]


def test_a_manually_read_point_says_that_the_read_is_awaited_from_people() -> None:
    result = calculate(context(READS[0], stated("330.75"), read_source="MANUAL"), MDMS)

    assert result.missing[0].why.startswith("no manual read")


def test_a_true_up_is_checked_from_the_billed_read() -> None:
    bill = last_bill(SEPTEMBER, stops={("M1", "E1"): Decimal(110)}, consecutive_estimates=1)
    result = calculate(context(*READS, stated("320.75"), last_bill=bill), MDMS)

    assert held(result) == []
    assert figures(result) == {"KWH_TOTAL": Decimal("320.75")}


def test_water_is_stated_and_billed_in_cubic_meters() -> None:
    code = register_code("WATER")
    result = calculate(
        context(
            read(OCTOBER.start, "1", code=code),
            read(OCTOBER.end, "13.5", code=code),
            stated("12.5", code=code),
            meters=[meter("M1", register(commodity="WATER"), commodity="WATER")],
            commodity="WATER",
        ),
        MDMS,
    )

    assert figures(result) == {"M3_TOTAL": Decimal("12.5")}
