"""Bills across meter exchanges: segments, roles, the reads of both instants, partial intervals, gaps."""

from datetime import timedelta
from decimal import Decimal

from billing_contexts import (
    HUB,
    OCTOBER,
    RESIDUAL,
    SEPTEMBER,
    agreement,
    at,
    block,
    channel,
    context,
    figures,
    held,
    last_bill,
    meter,
    read,
    register,
    tou,
)
from hypothesis import given
from hypothesis import strategies as st

from canonical.metering import Installation
from canonical.reading_types import register_code
from flows.billing_exchange.calculate import calculate
from flows.billing_exchange.policy import Policy
from flows.billing_exchange.segments import segments_of

SWAP = at("2026-10-14T10:07:00-04:00")
OLD = meter("OLD", until=SWAP)
NEW = meter("NEW", since=SWAP, multiplier="40")


def test_each_meter_is_billed_with_its_own_multiplier_and_never_across_meters() -> None:
    result = calculate(
        context(
            read(OCTOBER.start, "900", meter="OLD"),
            read(SWAP, "1000", meter="OLD"),
            read(SWAP, "7", meter="NEW"),
            read(OCTOBER.end, "12", meter="NEW"),
            meters=[NEW, OLD],
        ),
        HUB,
    )

    assert figures(result) == {"KWH_TOTAL": 100 + 5 * 40}
    assert result.determinant is not None
    out, new = result.determinant.meters
    assert (out.meter, out.role, new.meter, new.role) == ("OLD", "OUT", "NEW", "IN")
    assert out.exchange_pair_id == new.exchange_pair_id != ""
    old_use, new_use = result.determinant.registers
    assert old_use.stop_time == new_use.start_time == SWAP
    assert new_use.start_read == 7


@given(
    old=st.integers(0, 9_000_000),
    new_start=st.integers(0, 5_000_000),
    new=st.integers(0, 9_000_000),
    multiplier=st.sampled_from([1, 40, 120]),
)
def test_an_exchange_neither_loses_nor_invents_energy(old: int, new_start: int, new: int, multiplier: int) -> None:
    hung = [OLD, meter("NEW", since=SWAP, multiplier=str(multiplier))]
    result = calculate(
        context(
            read(OCTOBER.start, "500", meter="OLD"),
            read(SWAP, 500 + Decimal(old).scaleb(-3), meter="OLD"),
            read(SWAP, Decimal(new_start).scaleb(-3), meter="NEW"),
            read(OCTOBER.end, Decimal(new_start + new).scaleb(-3), meter="NEW"),
            meters=hung,
        ),
        HUB,
    )

    assert figures(result) == {"KWH_TOTAL": Decimal(old + new * multiplier).scaleb(-3)}


def test_the_removal_takes_the_latest_read_of_its_day_and_the_installation_the_earliest() -> None:
    morning, noon, evening = (at(f"2026-10-14T{h}:00:00-04:00") for h in ("08", "12", "20"))
    result = calculate(
        context(
            read(OCTOBER.start, "0", meter="OLD"),
            read(morning, "50", meter="OLD"),
            read(noon, "90", meter="OLD"),  # taken from the removed meter on the bench: not a read of this point
            read(noon, "1", meter="NEW"),
            read(evening, "3", meter="NEW"),
            read(OCTOBER.end, "11", meter="NEW"),
            meters=[OLD, meter("NEW", since=SWAP)],
        ),
        HUB,
    )

    assert figures(result) == {"KWH_TOTAL": 50 + 10}


def test_a_missing_final_read_is_asked_for_at_the_removal() -> None:
    result = calculate(
        context(
            read(OCTOBER.start, "0", meter="OLD"),
            read(SWAP, "1", meter="NEW"),
            read(OCTOBER.end, "2", meter="NEW"),
            meters=[OLD, NEW],
        ),
        HUB,
    )

    assert [(m.meter, m.at) for m in result.missing] == [("OLD", SWAP)]


def test_the_new_meter_does_not_continue_the_old_ones_billed_read() -> None:
    bill = last_bill(SEPTEMBER, stops={("OLD", "E1"): Decimal(900), ("NEW", "E1"): Decimal(1)})
    result = calculate(
        context(
            read(OCTOBER.start, "900", meter="OLD"),
            read(SWAP, "1000", meter="OLD"),
            read(SWAP, "7", meter="NEW"),
            read(OCTOBER.end, "12", meter="NEW"),
            meters=[OLD, NEW],
            last_bill=bill,
        ),
        HUB,
    )

    assert held(result) == []
    assert figures(result) == {"KWH_TOTAL": 300}


def twice_on_one_day() -> tuple[Installation, ...]:
    again = SWAP + timedelta(hours=3)
    return meter("OLD", until=SWAP), meter("DOA", since=SWAP, until=again), meter("NEW", since=again)


def test_two_exchanges_on_one_day_keep_all_three_meters_in_order() -> None:
    old, dead, new = twice_on_one_day()
    again = new.installed_at
    result = calculate(
        context(
            read(OCTOBER.start, "0", meter="OLD"),
            read(SWAP, "10", meter="OLD"),
            read(SWAP, "5", meter="DOA"),
            read(again, "6", meter="DOA"),
            read(again, "0", meter="NEW"),
            read(OCTOBER.end, "20", meter="NEW"),
            meters=[new, dead, old],
        ),
        HUB,
    )

    assert figures(result) == {"KWH_TOTAL": 31}
    assert result.determinant is not None
    assert [(m.meter, m.role) for m in result.determinant.meters] == [("OLD", "OUT"), ("DOA", "IN"), ("NEW", "IN")]
    pairs = [m.exchange_pair_id for m in result.determinant.meters]
    assert pairs[0] == pairs[1] != pairs[2]


def test_a_meter_that_came_and_went_at_once_needs_no_reads() -> None:
    dead = meter("DOA", since=SWAP, until=SWAP)
    result = calculate(
        context(
            read(OCTOBER.start, "0", meter="OLD"),
            read(SWAP, "10", meter="OLD"),
            read(SWAP, "0", meter="NEW"),
            read(OCTOBER.end, "20", meter="NEW"),
            meters=[OLD, dead, meter("NEW", since=SWAP)],
        ),
        HUB,
    )

    assert figures(result) == {"KWH_TOTAL": 30}
    assert result.determinant is not None
    assert len(result.determinant.meters) == 3
    assert len(result.determinant.registers) == 2


def test_an_exchange_on_the_bill_instant_splits_no_period() -> None:
    old, new = meter("OLD", until=OCTOBER.end), meter("NEW", since=OCTOBER.end)

    assert [s.installation.meter for s in segments_of([old, new], OCTOBER, "ELECTRICITY")] == ["OLD"]


def test_time_without_a_meter_is_declared() -> None:
    later = SWAP + timedelta(hours=2)
    result = calculate(
        context(
            read(OCTOBER.start, "0", meter="OLD"),
            read(SWAP, "10", meter="OLD"),
            read(later, "0", meter="NEW"),
            read(OCTOBER.end, "20", meter="NEW"),
            meters=[OLD, meter("NEW", since=later)],
        ),
        HUB,
    )

    assert result.determinant is not None
    assert [(r.code, "120 minutes" in r.text) for r in result.determinant.remarks] == [("6013", True)]


def test_two_meters_at_one_time_are_held_without_a_figure() -> None:
    result = calculate(context(meters=[meter("A"), meter("B", since=SWAP)]), HUB)

    assert held(result) == ["METERS_OVERLAP"]
    assert result.determinant is None


def test_no_meter_is_held() -> None:
    gone = meter("OLD", until=OCTOBER.start)

    assert held(calculate(context(meters=[gone]), HUB)) == ["NO_METER"]


def test_the_interval_of_the_exchange_counts_for_both_meters_once_each() -> None:
    quarter = timedelta(minutes=15)
    slot = (SWAP - OCTOBER.start) // quarter
    old, new = meter("OLD", channel(), until=SWAP), meter("NEW", channel(), since=SWAP, multiplier="40")
    result = calculate(
        context(
            blocks=[
                block(OCTOBER.start, [3] * (slot + 1), meter="OLD"),
                block(OCTOBER.start + slot * quarter, [2] * (2976 - slot), meter="NEW"),
            ],
            meters=[old, new],
            calendar=tou(),
        ),
        RESIDUAL,
    )

    found = figures(result)
    assert found["KWH_TOTAL"] == Decimal(3 * (slot + 1) + 2 * 40 * (2976 - slot)).scaleb(-3)
    assert found["KWH_ON"] + found["KWH_MID"] + found["KWH_OFF"] == found["KWH_TOTAL"]
    assert result.determinant is not None
    assert result.determinant.expected_intervals == 2976
    assert [r.code for r in result.determinant.remarks] == ["6031"]


def test_a_flat_meter_replaced_by_a_time_of_use_meter_is_held_for_a_time_of_use_tariff() -> None:
    new = meter("NEW", register("T"), register("T1", tou=1), register("T3", tou=3), since=SWAP)
    reads = [read(OCTOBER.start, "0", meter="OLD"), read(SWAP, "10", meter="OLD")]
    for tier, used in ((0, 30), (1, 10), (3, 20)):
        code = register_code("ELECTRICITY", "DELIVERED", tier)
        reads += [read(SWAP, "0", meter="NEW", code=code), read(OCTOBER.end, str(used), meter="NEW", code=code)]
    priced = calculate(context(*reads, meters=[OLD, new], agreement=agreement(tou_calendar="TOU")), HUB)
    flat = calculate(context(*reads, meters=[OLD, new]), HUB)

    assert held(priced) == ["TOU_NOT_READY"]
    assert priced.holds[0].at_risk == 10
    assert held(flat) == []
    assert figures(flat) == {"KWH_TOTAL": 40}


def test_a_register_meter_replaced_by_an_interval_meter_is_billed_by_both() -> None:
    swap = at("2026-10-15T00:00:00-04:00")
    count = (OCTOBER.end - swap) // timedelta(minutes=15)
    result = calculate(
        context(
            read(OCTOBER.start, "0", meter="OLD"),
            read(swap, "10.5", meter="OLD"),
            blocks=[block(swap, [1] * count, meter="NEW")],
            meters=[meter("OLD", until=swap), meter("NEW", channel(), since=swap)],
        ),
        Policy(determinants="hub", rounding="interval_residual"),
    )

    assert figures(result) == {"KWH_TOTAL": Decimal("10.5") + Decimal(count).scaleb(-3)}


def test_a_multiplier_that_changes_without_an_exchange_splits_the_bill_of_one_meter() -> None:
    before, after = meter("M1", until=SWAP, multiplier="40"), meter("M1", since=SWAP, multiplier="60")
    result = calculate(
        context(read(OCTOBER.start, "0"), read(SWAP, "10"), read(OCTOBER.end, "15"), meters=[before, after]),
        HUB,
    )

    assert figures(result) == {"KWH_TOTAL": 10 * 40 + 5 * 60}
    assert result.determinant is not None
    assert [(m.role, m.exchange_pair_id) for m in result.determinant.meters] == [("NORMAL", "")] * 2
    assert result.stops == {("M1", "E1"): Decimal(15)}


def test_a_multiplier_that_changes_inside_an_interval_is_held() -> None:
    hung = [meter("M1", channel(), until=SWAP, multiplier="40"), meter("M1", channel(), since=SWAP, multiplier="60")]
    result = calculate(context(blocks=[block(OCTOBER.start, [1] * 2976)], meters=hung), RESIDUAL)

    assert held(result) == ["INTERVAL_MISALIGNED"]


def test_registers_that_cannot_be_told_apart_are_held_instead_of_counted_twice() -> None:
    twins = meter("M1", channel("E1"), channel("E2"))
    result = calculate(context(blocks=[block(OCTOBER.start, [1] * 2976)], meters=[twins]), RESIDUAL)

    assert held(result) == ["REGISTERS_AMBIGUOUS"]
    assert result.determinant is None
