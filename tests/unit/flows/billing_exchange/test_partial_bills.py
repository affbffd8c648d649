"""PARTIAL: the total is there, but not all that the rate needs. Held or allowed, never silently taken for whole."""

from dataclasses import replace
from decimal import Decimal

from billing_contexts import (
    OCTOBER,
    agreement,
    block,
    channel,
    context,
    figures,
    held,
    meter,
    read,
    register,
    stated,
    tou,
)  # fmt: skip

from canonical.billing import BillDeterminant, Status
from canonical.metering import Register
from canonical.periods import expected_intervals
from canonical.reading_types import demand_code, register_code
from flows.billing_exchange.calculate import Calculated, calculate
from flows.billing_exchange.difference import difference
from flows.billing_exchange.policy import Policy
from sftp.formats import billing_drop

HOLD, ALLOWED = Policy(determinants="hub"), Policy(determinants="hub", partial="allowed")
MDMS = Policy(determinants="mdms", partial="allowed")
TARIFF = agreement(tou_calendar="TOU")
KW = Register("D1", demand_code(15), "kW", "DELIVERED", 6, 3, is_demand=True)
READS = (read(OCTOBER.start, "100"), read(OCTOBER.end, "430"))
ON, OFF = (register_code("ELECTRICITY", "DELIVERED", tier) for tier in (1, 3))


def partial(result: Calculated) -> BillDeterminant:
    assert result.determinant is not None, (result.missing, result.holds)
    assert result.determinant.status is Status.PARTIAL
    assert billing_drop.check(result.determinant) == []
    return result.determinant


def test_a_missing_peak_leaves_the_energy_and_states_no_demand_of_that_code() -> None:
    result = calculate(context(*READS, meters=[meter("M1", register(), KW)]), ALLOWED)

    found = partial(result)
    assert figures(result) == {"KWH_TOTAL": 330}
    assert found.demands == ()
    assert [remark.code for remark in found.remarks] == ["6036"]
    assert [gap.register for gap in result.missing] == ["D1"]
    assert held(result) == []


def test_by_default_a_person_sees_it_first_with_all_the_energy_that_waits() -> None:
    result = calculate(context(*READS, meters=[meter("M1", register(), KW)]), HOLD)

    assert partial(result).remarks
    assert [(hold.code.name, hold.at_risk) for hold in result.holds] == [("PARTIAL_DETERMINANT", Decimal(330))]


def test_a_bucket_register_without_a_read_leaves_the_total_register() -> None:
    hung = [meter("M1", register("T0"), register("T1", tou=1), register("T3", tou=3))]
    values = (*READS, read(OCTOBER.start, "10", code=ON), read(OCTOBER.end, "110", code=ON))
    result = calculate(context(*values, meters=hung, agreement=TARIFF), ALLOWED)

    partial(result)
    assert figures(result) == {"KWH_TOTAL": 330}
    assert {gap.register for gap in result.missing} == {"T3"}


def test_without_a_total_a_missing_bucket_register_leaves_nothing() -> None:
    hung = [meter("M1", register("T1", tou=1), register("T3", tou=3))]
    values = (read(OCTOBER.start, "10", code=ON), read(OCTOBER.end, "110", code=ON))
    result = calculate(context(*values, meters=hung, agreement=TARIFF), ALLOWED)

    assert result.determinant is None
    assert result.missing


def test_a_channel_with_a_gap_leaves_the_total_register_and_counts_the_gap() -> None:
    count = expected_intervals(OCTOBER, 60)
    hung = [meter("M1", register("T0"), channel(minutes=60))]
    blocks = [block(OCTOBER.start, [1] * (count - 5), minutes=60)]
    result = calculate(context(*READS, blocks=blocks, meters=hung, agreement=TARIFF, calendar=tou()), ALLOWED)

    found = partial(result)
    assert figures(result) == {"KWH_TOTAL": 330}
    assert (found.expected_intervals, found.actual_intervals, found.missing_intervals) == (count, count - 5, 5)
    assert found.longest_gap_minutes == 300


def test_a_channel_with_a_gap_and_no_register_leaves_nothing() -> None:
    hung = [meter("M1", channel(minutes=60))]
    blocks = [block(OCTOBER.start, [1] * 700, minutes=60)]
    result = calculate(context(blocks=blocks, meters=hung, agreement=TARIFF, calendar=tou()), ALLOWED)

    assert (result.determinant, bool(result.missing)) == (None, True)


def test_a_bucket_that_the_mdms_does_not_state_leaves_the_ones_that_it_does() -> None:
    hung = [meter("M1", register("T1", tou=1), register("T3", tou=3))]
    values = [
        read(OCTOBER.start, "0", code=ON), read(OCTOBER.end, "100", code=ON),
        read(OCTOBER.start, "0", code=OFF), read(OCTOBER.end, "230", code=OFF),
    ]  # fmt: skip
    result = calculate(
        context(*values, stated("330"), stated("100", code=ON), meters=hung, agreement=TARIFF, calendar=tou()), MDMS
    )

    partial(result)
    assert figures(result) == {"KWH_TOTAL": 330, "KWH_ON": 100}


def test_what_a_partial_lacked_goes_as_a_correction_however_small() -> None:
    hung = [meter("M1", register(), KW)]
    before = partial(calculate(context(*READS, meters=hung), ALLOWED))
    peak = replace(read(OCTOBER.end, "0.4", code=demand_code(15)), period=OCTOBER)
    after = calculate(context(*READS, peak, meters=hung), ALLOWED).determinant

    assert after is not None
    found = difference(before, after, ALLOWED)
    assert found is not None
    assert (found.next_bill, [change.code for change in found.changes]) == (False, ["KW_MAX"])
