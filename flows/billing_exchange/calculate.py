"""From reads to a bill determinant: one item, one pure function; every number it uses stands in its trail."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from canonical.billing import BillDeterminant, Demand, RegisterUse, Remark, Status
from canonical.codes.billing import PARTIAL_DETERMINANT
from canonical.periods import count_days
from flows.billing_exchange.context import (
    BillContext,
    Calculated,
    Findings,
    Hold,
    LastBill,
    Missing,
    unit_of,
)
from flows.billing_exchange.demand import Parts, demands_of
from flows.billing_exchange.energy import Measurer, Snapshots, sort_readings
from flows.billing_exchange.interval_counts import gap_counts, interval_counts
from flows.billing_exchange.policy import Policy
from flows.billing_exchange.quantities import Billed, FlowTotal, add_up, bill_own
from flows.billing_exchange.segments import Segment, meter_in_period, segments_of
from flows.billing_exchange.stated import bill_stated
from flows.billing_exchange.validation import check_meters, check_outcome, check_request

__all__ = ["BillContext", "Calculated", "Hold", "LastBill", "Missing", "calculate", "unanswered"]


def calculate(context: BillContext, policy: Policy, *, allow_estimates: bool = True) -> Calculated:
    """Return what one billing item comes to: a determinant, or what is missing, or why a person must look.

    Pure: the same context gives the same determinant, whoever asks and whenever. Estimates count only where both
    `allow_estimates` (the ladder's rung) and the policy say so.

    Raises:
        RejectedError: the time-of-use calendar does not cover every minute of a day once.
    """
    findings = Findings()
    in_storm = context.in_storm or context.usage_point.district in policy.storm_districts
    estimates = allow_estimates and policy.estimation_allowed and not in_storm
    segments = segments_of(context.installations, context.item.period, context.item.commodity)
    readings = sort_readings(context.registers)
    check_request(context, policy, findings)
    is_stated = bool(readings.stated) and policy.determinants == "mdms"
    check_meters(segments, context, is_stated=is_stated, findings=findings)
    if findings.blocked:
        return _nothing(findings)
    measurer = Measurer(context, policy, _zone(context.usage_point.zone), estimates, readings.snapshots, findings)
    parts = [(segment, measurer.measure(segment)) for segment in segments if not segment.is_empty]
    totals = () if findings.missing else add_up(parts, context, policy, findings)
    billed = _bill(totals, readings, context, policy, allow_estimates=estimates, findings=findings)
    demands = demands_of(parts, readings.demands, context, policy, allow_estimates=estimates, findings=findings)
    if findings.missing or findings.blocked:
        return _nothing(findings)
    _note_absent(totals, context, policy, findings)
    determinant = _determinant(segments, parts, billed, demands, context, findings)
    daily = check_outcome(determinant, context, policy, findings)
    return Calculated(
        determinant=replace(determinant, remarks=tuple(findings.remarks)),
        missing=tuple(findings.absent),
        holds=tuple(findings.holds),
        residuals=billed.residuals,
        trail=tuple(findings.trail),
        stops=_stops(determinant.registers),
        daily_quantity=daily,
    )


def _note_absent(totals: Sequence[FlowTotal], context: BillContext, policy: Policy, findings: Findings) -> None:
    """Say what the rate needs and is not there; a person looks at it first where the interface wants that."""
    unit = unit_of(context)
    waits = sum((each.total.exact for each in totals if each.flow == "DELIVERED" and each.unit == unit), Decimal(0))
    for gap in findings.absent:
        text = f"{gap.register}: {gap.why}"
        findings.remark(PARTIAL_DETERMINANT, text)
        if policy.partial == "hold":
            findings.hold(PARTIAL_DETERMINANT, text, at_risk=waits, unit=unit)


def _determinant(
    segments: Sequence[Segment],
    parts: Parts,
    billed: Billed,
    demands: tuple[Demand, ...],
    context: BillContext,
    findings: Findings,
) -> BillDeterminant:
    partial = bool(findings.absent) or findings.unsplit
    days = count_days(context.item.period, _zone(context.usage_point.zone))
    counts = interval_counts([part.channel for _, each in parts for part in each if part.channel is not None])
    gaps = gap_counts(context, findings.absent)
    return replace(
        header(context, days=days, status=Status.PARTIAL if partial else _status(billed.kinds)),
        estimate_method=",".join(sorted(filter(None, billed.methods))),
        estimate_reason="MISSING_READ" if "estimated" in billed.kinds else "",
        meters=tuple(map(meter_in_period, segments)),
        registers=tuple(use for _, each in parts for part in each for use in part.uses),
        quantities=billed.quantities,
        demands=demands,
        expected_intervals=max(counts.expected, gaps.expected),
        actual_intervals=max(counts.expected, gaps.expected) - counts.estimated - gaps.missing,
        estimated_intervals=counts.estimated,
        missing_intervals=gaps.missing,
        longest_gap_minutes=gaps.longest_minutes,
        interval_minutes=counts.minutes or gaps.minutes,
    )


def _bill(
    totals: Sequence[FlowTotal],
    readings: Snapshots,
    context: BillContext,
    policy: Policy,
    *,
    allow_estimates: bool,
    findings: Findings,
) -> Billed:
    if policy.determinants == "hub":
        return bill_own(totals, context, policy, findings)
    return bill_stated(readings.stated, totals, context, policy, allow_estimates=allow_estimates, findings=findings)


def header(context: BillContext, *, days: int, status: Status) -> BillDeterminant:
    """Return the determinant of an item without its figures."""
    item, agreement, point = context.item, context.agreement, context.usage_point
    calendar = context.calendar
    return BillDeterminant(
        determinant_id=context.determinant_id,
        version=context.version,
        supersedes_id=context.supersedes_id,
        account=agreement.account if agreement is not None else item.account,
        agreement=agreement.agreement if agreement is not None else item.agreement,
        usage_point=point.usage_point,
        usage_point_name=point.name,
        cycle=context.cycle,
        read_window=context.read_window,
        request_id=item.request_id,
        reason=item.reason,
        period=item.period,
        zone=point.zone,
        days=days,
        status=status,
        commodity=item.commodity,
        net_metering=agreement.net_metering if agreement is not None else False,
        tou_calendar=f"{calendar.calendar}/{calendar.version}" if calendar is not None else "",
    )


def unanswered(
    context: BillContext, status: Status, remarks: Sequence[Remark], *, missing: Sequence[Missing] = ()
) -> BillDeterminant:
    """Return the answer to an item that gets no energy (NO_READ, HELD, REJECTED).

    `remarks` say why and what is next; `missing`, as the last calculation listed it, gives the interval counts.
    """
    days = count_days(context.item.period, _zone(context.usage_point.zone))
    answer = replace(header(context, days=days, status=status), remarks=tuple(remarks))
    gaps = gap_counts(context, missing)
    return replace(
        answer,
        expected_intervals=gaps.expected,
        actual_intervals=gaps.expected - gaps.missing,
        missing_intervals=gaps.missing,
        longest_gap_minutes=gaps.longest_minutes,
        interval_minutes=gaps.minutes,
    )


def _nothing(findings: Findings) -> Calculated:
    return Calculated(None, (*findings.missing, *findings.absent), tuple(findings.holds), {}, tuple(findings.trail))


def _status(kinds: frozenset[str]) -> Status:
    if "estimated" in kinds:
        return Status.ESTIMATED if kinds == {"estimated"} else Status.MIXED
    return Status.CUSTOMER if "customer" in kinds else Status.ACTUAL


def _stops(registers: Sequence[RegisterUse]) -> Mapping[tuple[str, str], Decimal]:
    return {(use.meter, use.register): use.stop_read for use in registers if use.stop_read is not None}


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
