"""What better readings change in a determinant that was already sent."""

from dataclasses import replace
from decimal import Decimal

from billing_contexts import (
    HUB,
    OCTOBER,
    RESIDUAL,
    SEPTEMBER,
    at,
    block,
    channel,
    context,
    figures,
    last_bill,
    meter,
    read,
    tou,
)

from canonical.billing import BillDeterminant
from canonical.metering import RegisterReading
from canonical.quality import Quality
from flows.billing_exchange.calculate import BillContext, calculate
from flows.billing_exchange.difference import difference
from flows.billing_exchange.policy import Policy

START = read(OCTOBER.start, "1000")


def determinant(given: BillContext, policy: Policy = HUB) -> BillDeterminant:
    result = calculate(given, policy)
    assert result.determinant is not None, (result.missing, result.holds)
    return result.determinant


def stop(value: str, quality: Quality = Quality.VALIDATED) -> RegisterReading:
    return read(OCTOBER.end, value, quality=quality)


ESTIMATED = determinant(context(START, stop("1300", Quality.ESTIMATED)))


def test_the_same_figures_are_no_correction_even_when_an_estimate_was_confirmed() -> None:
    actual = determinant(context(START, stop("1300")))

    assert difference(ESTIMATED, ESTIMATED, HUB) is None
    assert difference(ESTIMATED, actual, HUB) is None


def test_an_actual_read_after_a_billed_estimate_is_a_true_up_with_both_figures() -> None:
    correction = difference(ESTIMATED, determinant(context(START, stop("1340"))), HUB)

    assert correction is not None
    assert correction.reason == "ESTIMATE_TRUEUP"
    assert (correction.before, correction.after) == (Decimal(300), Decimal(340))
    assert [(c.code, c.by) for c in correction.changes] == [("KWH_TOTAL", Decimal(40))]
    assert not correction.next_bill
    assert "300" in correction.text
    assert "340" in correction.text


def test_a_small_difference_is_left_to_the_next_bill() -> None:
    correction = difference(ESTIMATED, determinant(context(START, stop("1304.9"))), HUB)

    assert correction is not None
    assert correction.next_bill
    assert correction.carried == {}


def test_an_edited_and_a_late_read_are_told_apart() -> None:
    old = determinant(context(START, stop("1300")))
    edited = determinant(context(START, stop("1320", Quality.EDITED)))
    late = determinant(context(START, stop("1320")))

    reasons = [getattr(difference(old, new, HUB), "reason", None) for new in (edited, late)]

    assert reasons == ["EDITED_READ", "LATE_READ"]


def test_another_multiplier_is_always_a_correction() -> None:
    old = determinant(context(START, stop("1000.01")))
    new = determinant(context(START, stop("1000.01"), meters=[meter(multiplier="40")]))
    correction = difference(old, new, HUB)

    assert correction is not None
    assert correction.reason == "MULTIPLIER"
    assert not correction.next_bill


def test_another_meter_is_an_exchange_or_a_cross_installation() -> None:
    swap = at("2026-10-14T10:00:00-04:00")
    old = determinant(context(START, stop("1300")))
    exchanged = determinant(
        context(
            START,
            read(swap, "1100"),
            read(swap, "0", meter="M2"),
            read(OCTOBER.end, "50", meter="M2"),
            meters=[meter("M1", until=swap), meter("M2", since=swap)],
        )
    )
    crossed = determinant(
        context(read(OCTOBER.start, "0", meter="M9"), read(OCTOBER.end, "1", meter="M9"), meters=[meter("M9")])
    )

    reasons = [getattr(difference(old, new, HUB), "reason", None) for new in (exchanged, crossed)]

    assert reasons == ["EXCHANGE_CORRECTION", "CROSS_INSTALL"]


def test_a_small_difference_of_a_meter_that_is_gone_is_corrected_because_no_next_bill_settles_it() -> None:
    swap = at("2026-10-14T10:00:00-04:00")
    hung = [meter("M1", until=swap), meter("M2", since=swap)]
    rest = (read(swap, "0", meter="M2"), read(OCTOBER.end, "50", meter="M2"))
    old = determinant(context(START, read(swap, "1100"), *rest, meters=hung))
    new = determinant(context(START, read(swap, "1103"), *rest, meters=hung))
    correction = difference(old, new, HUB)

    assert correction is not None
    assert not correction.next_bill


def test_a_small_difference_of_intervals_is_carried_as_residual_so_that_nothing_is_lost() -> None:
    hung = [meter("M1", channel())]
    values = [100] * 2976
    better = [*values[:40], 2100, *values[41:]]
    given = context(blocks=[block(OCTOBER.start, values)], meters=hung, calendar=tou())
    old = determinant(given, RESIDUAL)
    new = determinant(replace(given, blocks=(block(OCTOBER.start, better),)), RESIDUAL)
    correction = difference(old, new, RESIDUAL)

    assert correction is not None
    assert correction.next_bill
    assert correction.carried["KWH_TOTAL"] == Decimal("2.000")
    again = replace(given, last_bill=last_bill(SEPTEMBER, residuals=correction.carried))
    assert figures(calculate(again, RESIDUAL))["KWH_TOTAL"] == Decimal("297.600") + Decimal(2)


def test_a_retroactive_calendar_moves_energy_between_buckets_and_leaves_the_total() -> None:
    hung = [meter("M1", channel())]
    given = context(blocks=[block(OCTOBER.start, [100] * 2976)], meters=hung, calendar=tou())
    later = replace(given, calendar=replace(tou(holidays=[at("2026-10-12T12:00:00-04:00").date()]), version=2))
    correction = difference(determinant(given, RESIDUAL), determinant(later, RESIDUAL), RESIDUAL)

    assert correction is not None
    assert correction.reason == "TARIFF_RETRO"
    assert correction.before == correction.after
    assert sum(c.by for c in correction.changes) == 0
