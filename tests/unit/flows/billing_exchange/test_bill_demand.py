"""Maximum demand: from demand registers and from interval values, with the time of the peak."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from billing_contexts import OCTOBER, RESIDUAL, agreement, at, block, channel, context, meter, read, register

from canonical.billing import Demand
from canonical.metering import Register, RegisterReading
from canonical.quality import Quality
from canonical.reading_types import demand_code
from flows.billing_exchange.calculate import BillContext, calculate
from flows.billing_exchange.policy import Policy

KW = Register("D1", demand_code(15), "kW", "DELIVERED", 6, 3, is_demand=True)
HUB = Policy(determinants="hub")
COMMERCIAL = agreement(customer_class="COMMERCIAL")
QUARTER = timedelta(minutes=15)
READS = (read(OCTOBER.start, "0"), read(OCTOBER.end, "100"))


def peak(text: str, value: str, meter: str = "M1", *, code: str = demand_code(15)) -> RegisterReading:
    return RegisterReading("UP", meter, code, at(text), Decimal(value), Quality.VALIDATED, "A", "mdms", OCTOBER)


def demands(given: BillContext, policy: Policy = HUB) -> tuple[Demand, ...]:
    result = calculate(given, policy)
    assert result.determinant is not None, (result.missing, result.holds)
    return result.determinant.demands


def test_a_demand_register_is_billed_with_its_multiplier_and_the_time_of_its_peak() -> None:
    hung = [meter("M1", register(), KW, multiplier="40")]
    (demand,) = demands(context(*READS, peak("2026-10-09T17:15:00-04:00", "1.25"), meters=hung))

    assert (demand.code, demand.value, demand.at) == ("KW_MAX", Decimal("50.00"), at("2026-10-09T17:15:00-04:00"))
    assert (demand.interval_minutes, demand.window) == (15, "BLOCK")


def test_a_demand_that_a_source_states_as_a_billing_quantity_carries_its_multiplier() -> None:
    hung = [meter("M1", register(), KW, multiplier="40")]
    told = peak("2026-10-09T17:15:00-04:00", "50", code=demand_code(15, billing=True))

    assert demands(context(*READS, told, meters=hung))[0].value == 50


def test_of_equal_peaks_the_earliest_counts() -> None:
    hung = [meter("M1", register(), KW)]
    found = demands(
        context(*READS, peak("2026-10-20T17:15:00-04:00", "9"), peak("2026-10-09T17:15:00-04:00", "9.0"), meters=hung)
    )

    assert found[0].at == at("2026-10-09T17:15:00-04:00")


def test_after_an_exchange_the_higher_peak_of_both_meters_counts() -> None:
    swap = at("2026-10-14T10:00:00-04:00")
    hung = [
        meter("OLD", register(), KW, until=swap, multiplier="40"),
        meter("NEW", register(), KW, since=swap),
    ]
    values = (
        read(OCTOBER.start, "0", meter="OLD"),
        read(swap, "1", meter="OLD"),
        read(swap, "0", meter="NEW"),
        read(OCTOBER.end, "1", meter="NEW"),
        peak("2026-10-09T17:15:00-04:00", "1", "OLD"),
        peak("2026-10-20T17:15:00-04:00", "30", "NEW"),
    )

    assert demands(context(*values, meters=hung))[0].value == 40
    equal = (*values[:-1], peak("2026-10-20T17:15:00-04:00", "40", "NEW"))
    for order in (hung, hung[::-1]):
        assert demands(context(*equal, meters=order))[0].at == at("2026-10-09T17:15:00-04:00")


def test_a_demand_register_that_nobody_read_is_missing() -> None:
    result = calculate(context(*READS, meters=[meter("M1", register(), KW)]), HUB)

    assert [(m.register, m.period) for m in result.missing] == [("D1", OCTOBER)]


def test_a_peak_outside_the_period_does_not_count() -> None:
    result = calculate(
        context(*READS, peak("2026-09-30T17:15:00-04:00", "9"), meters=[meter("M1", register(), KW)]), HUB
    )

    assert [m.register for m in result.missing] == ["D1"]


def intervals(minutes: int = 15, multiplier: str = "1", **at_slot: int) -> BillContext:
    values = [100] * (OCTOBER.minutes // minutes)
    for slot, value in at_slot.items():
        values[int(slot[1:])] = value
    hung = [meter("M1", channel(minutes=minutes), multiplier=multiplier)]
    return context(blocks=[block(OCTOBER.start, values, minutes=minutes)], meters=hung, agreement=COMMERCIAL)


def test_interval_energy_becomes_power_over_its_length() -> None:
    (demand,) = demands(intervals(s5=2500, s9=2500), RESIDUAL)

    assert (demand.code, demand.value, demand.at) == ("KW_MAX", Decimal(10), OCTOBER.start + 6 * QUARTER)
    assert demands(intervals(multiplier="40", s5=2500), RESIDUAL)[0].value == 400
    assert demands(intervals(minutes=60, s5=2500), RESIDUAL)[0].value == Decimal("2.5")


def test_block_demand_is_that_of_the_clocks_windows_and_rolling_demand_of_any() -> None:
    given = intervals(s5=3000, s6=3000, minutes=15)
    block_policy = replace(RESIDUAL, demand_minutes=30)
    rolling = replace(block_policy, demand_window="ROLLING")

    (fixed,), (moving,) = demands(given, block_policy), demands(given, rolling)

    assert (fixed.value, fixed.at) == (Decimal("6.2"), OCTOBER.start + 6 * QUARTER)
    assert (moving.value, moving.at) == (Decimal(12), OCTOBER.start + 7 * QUARTER)


def test_a_class_without_demand_gets_none() -> None:
    given = replace(intervals(s5=2500), agreement=agreement(customer_class="RESIDENTIAL"))

    assert demands(given, RESIDUAL) == ()


def test_the_interval_of_an_exchange_holds_the_demand_of_both_meters() -> None:
    swap = OCTOBER.start + 10 * QUARTER + timedelta(minutes=7)
    hung = [meter("OLD", channel(), until=swap), meter("NEW", channel(), since=swap, multiplier="40")]
    given = context(
        blocks=[
            block(OCTOBER.start, [100] * 10 + [200], meter="OLD"),
            block(OCTOBER.start + 10 * QUARTER, [20] + [1] * 2965, meter="NEW"),
        ],
        meters=hung,
        agreement=COMMERCIAL,
    )
    (demand,) = demands(given, RESIDUAL)

    assert (demand.value, demand.at) == (Decimal("4.0"), OCTOBER.start + 11 * QUARTER)
