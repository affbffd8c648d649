"""How often a maximum demand was reset within a bill, and when last: told by reads, billing demands, or a counter."""

from datetime import datetime
from decimal import Decimal

import pytest
from billing_contexts import HUB, OCTOBER, at, context, meter, read, register

from canonical.billing import Demand
from canonical.metering import Register, RegisterReading
from canonical.periods import Period
from canonical.quality import Quality
from canonical.reading_types import demand_code
from flows.billing_exchange.calculate import calculate

KW = Register("D1", demand_code(15), "kW", "DELIVERED", 6, 3, is_demand=True)
COUNTER = "0.0.0.1.0.1.122.0.0.0.0.0.0.0.0.0.111.0"
READS = (read(OCTOBER.start, "0"), read(OCTOBER.end, "100"))
MIDDLE = at("2026-10-16T08:00:00-04:00")


def peak(
    text: str, value: str, until: datetime, *, reason: str = "", code: str = demand_code(15), meter: str = "M1"
) -> RegisterReading:
    span = Period(OCTOBER.start, until)
    return RegisterReading("UP", meter, code, at(text), Decimal(value), Quality.VALIDATED, "A", "mdms", span, reason)


def counted(when: datetime, value: int) -> RegisterReading:
    return read(when, str(value), code=COUNTER)


def demand(*readings: RegisterReading) -> Demand:
    result = calculate(context(*READS, *readings, meters=[meter("M1", register(), KW)]), HUB)
    assert result.determinant is not None, (result.missing, result.holds)
    (found,) = result.determinant.demands
    return found


def test_without_any_sign_of_a_reset_there_is_none() -> None:
    found = demand(peak("2026-10-09T17:15:00-04:00", "5", OCTOBER.end))

    assert (found.resets, found.reset_at) == (0, None)


def test_values_read_for_a_demand_reset_count_by_the_end_of_their_span() -> None:
    found = demand(
        peak("2026-10-09T17:15:00-04:00", "5", MIDDLE, reason="demandReset"),
        peak("2026-10-20T11:00:00-04:00", "7", OCTOBER.end, reason="demandReset"),
    )

    assert (found.value, found.resets, found.reset_at) == (Decimal(7), 2, OCTOBER.end)


def test_a_demand_of_a_billing_period_is_reset_at_its_end() -> None:
    found = demand(peak("2026-10-09T17:15:00-04:00", "5", OCTOBER.end, code=demand_code(15, billing=True)))

    assert (found.resets, found.reset_at) == (1, OCTOBER.end)


def test_a_register_read_for_a_demand_reset_tells_its_instant() -> None:
    said = RegisterReading("UP", "M1", READS[0].reading_type, MIDDLE, Decimal(50), Quality.VALIDATED, "A", "mdms",
                           None, "demandReset")  # fmt: skip
    found = demand(peak("2026-10-09T17:15:00-04:00", "5", OCTOBER.end), said)

    assert (found.resets, found.reset_at) == (1, MIDDLE)


def test_the_meters_own_counter_tells_resets_that_nobody_else_did() -> None:
    found = demand(
        peak("2026-10-09T17:15:00-04:00", "5", OCTOBER.end), counted(OCTOBER.start, 11), counted(MIDDLE, 13),
        counted(OCTOBER.end, 13),
    )  # fmt: skip

    assert (found.resets, found.reset_at) == (2, MIDDLE)


def test_one_reset_told_twice_is_one() -> None:
    found = demand(
        peak("2026-10-09T17:15:00-04:00", "5", OCTOBER.end, reason="demandReset"), counted(OCTOBER.start, 4),
        counted(OCTOBER.end, 5),
    )  # fmt: skip

    assert (found.resets, found.reset_at) == (1, OCTOBER.end)


@pytest.mark.parametrize("until", [OCTOBER.start, at("2026-11-09T00:00:00-05:00")])
def test_a_reset_at_the_start_of_the_period_or_after_it_belongs_to_another_bill(until: datetime) -> None:
    found = demand(
        peak("2026-10-09T17:15:00-04:00", "5", OCTOBER.end),
        RegisterReading("UP", "M1", READS[0].reading_type, until, Decimal(1), Quality.VALIDATED, "A", "other", None,
                        "demandReset"),
    )  # fmt: skip

    assert (found.resets, found.reset_at) == (0, None)


def test_the_resets_of_both_meters_of_an_exchange_are_counted() -> None:
    hung = [meter("OLD", register(), KW, until=MIDDLE), meter("NEW", register(), KW, since=MIDDLE)]
    values = (
        read(OCTOBER.start, "0", meter="OLD"), read(MIDDLE, "1", meter="OLD"), read(MIDDLE, "0", meter="NEW"),
        read(OCTOBER.end, "1", meter="NEW"),
        peak("2026-10-09T17:15:00-04:00", "5", MIDDLE, reason="demandReset", meter="OLD"),
        peak("2026-10-20T17:15:00-04:00", "3", OCTOBER.end, reason="demandReset", meter="NEW"),
    )  # fmt: skip
    result = calculate(context(*values, meters=hung), HUB)

    assert result.determinant is not None
    (found,) = result.determinant.demands
    assert (found.value, found.resets, found.reset_at) == (Decimal(5), 2, OCTOBER.end)
