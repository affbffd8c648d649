"""What a person must look at before it is billed (domain 4.6, end): each rule with its code and what is at risk."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from canonical.billing import BillDeterminant, Status
from canonical.codes import billing as codes
from canonical.customers import CustomerAgreement
from canonical.periods import local_date, start_of_day
from canonical.quality import Quality
from flows.billing_exchange.context import BillContext, Findings, unit_of
from flows.billing_exchange.policy import Policy
from flows.billing_exchange.registers import ZERO
from flows.billing_exchange.rounding import rounded
from flows.billing_exchange.segments import Segment, changes_inside_interval, gaps_of, overlaps_of


def check_request(context: BillContext, policy: Policy, findings: Findings) -> None:
    """Check what needs no read: commodity, period, agreement, calendar, and where the last bill ended."""
    item, unit = context.item, unit_of(context)
    if item.commodity != context.usage_point.commodity:
        text = f"{item.commodity} was asked for, the usage point delivers {context.usage_point.commodity}"
        findings.hold(codes.COMMODITY_MISMATCH, text, at_risk=ZERO, unit=unit, blocked=True)
    _check_period(context, policy, findings)
    _check_continuity(context, findings)
    agreement = context.agreement
    if agreement is None:
        return
    if agreement.tou_calendar and context.calendar is None and context.blocks and policy.determinants == "hub":
        text = f"calendar {agreement.tou_calendar} of agreement {agreement.agreement} is not known"
        findings.hold(codes.CALENDAR_UNKNOWN, text, at_risk=ZERO, unit=unit, blocked=True)
    if is_active(context) and not _covers(agreement, context):
        until = agreement.valid_to.isoformat() if agreement.valid_to is not None else "further notice"
        text = f"agreement {agreement.agreement} is valid from {agreement.valid_from.isoformat()} until {until}"
        findings.hold(codes.AGREEMENT_NOT_COVERING, text, at_risk=ZERO, unit=unit)


def _check_period(context: BillContext, policy: Policy, findings: Findings) -> None:
    period, zone = context.item.period, ZoneInfo(context.usage_point.zone)
    wrong = ""
    if period.start == period.end:
        wrong = "it is empty"
    elif period.end - period.start > timedelta(days=policy.max_period_days):
        wrong = f"it is longer than {policy.max_period_days} days"
    elif context.as_of is not None and period.end > context.as_of:
        wrong = f"it is not over at {context.as_of.isoformat()}"
    elif context.item.reason == "CYCLE" and not (_is_midnight(period.start, zone) and _is_midnight(period.end, zone)):
        wrong = f"a cycle's period begins and ends at midnight in {zone.key}"
    if wrong:
        text = f"period {period.start.isoformat()} .. {period.end.isoformat()}: {wrong}"
        findings.hold(codes.WRONG_PERIOD, text, at_risk=ZERO, unit=unit_of(context), blocked=True)


def _is_midnight(instant: datetime, zone: ZoneInfo) -> bool:
    return start_of_day(local_date(instant, zone), zone) == instant


def _check_continuity(context: BillContext, findings: Findings) -> None:
    """Check invariant I2: a bill begins where the last one ended, unless nobody had an agreement in between."""
    last, period, unit = context.last_bill, context.item.period, unit_of(context)
    if last is None or last.period.end == period.start or last.request_id == (context.item.replaces or None):
        return
    days = abs(last.period.end - period.start) / timedelta(days=1)
    at_risk = last.daily_quantity * Decimal(round(days, 2)).quantize(Decimal("0.01"))
    ended, begins = last.period.end.isoformat(), period.start.isoformat()
    if last.period.end > period.start:
        text = f"bill {last.determinant_id} ended {ended}, this one begins {begins}"
        findings.hold(codes.PERIOD_OVERLAP, text, at_risk=at_risk, unit=unit)
    elif context.agreement is not None and context.agreement.valid_from > last.period.end:
        findings.remark(codes.PERIOD_GAP_DECLARED, f"no agreement between {ended} and {begins}", quantity=at_risk)
    else:
        text = f"the last bill ended {ended}, this one begins {begins}"
        findings.hold(codes.PERIOD_GAP, text, at_risk=at_risk, unit=unit)


def is_active(context: BillContext) -> bool:
    """Return whether anybody's agreement holds during some of the bill period."""
    agreement, period = context.agreement, context.item.period
    return (
        agreement is not None
        and agreement.valid_from < period.end
        and (agreement.valid_to is None or agreement.valid_to > period.start)
    )


def _covers(agreement: CustomerAgreement, context: BillContext) -> bool:
    """Return whether the agreement holds for all local days of the period; dates are compared, not hours (ruling 7)."""
    zone, period = ZoneInfo(context.usage_point.zone), context.item.period
    begins = local_date(agreement.valid_from, zone) <= local_date(period.start, zone)
    ends = agreement.valid_to is None or local_date(agreement.valid_to, zone) >= local_date(period.end, zone)
    return begins and ends


def check_meters(segments: Sequence[Segment], context: BillContext, *, is_stated: bool, findings: Findings) -> None:
    """Check the meters of the period: one at a time (I1), gaps declared, and something that measures at all."""
    unit = unit_of(context)
    if context.usage_point.read_source == "NONE" and not segments:
        if not is_stated:
            text = "the usage point has no read source and no meter"
            findings.hold(codes.NO_DATA_SOURCE, text, at_risk=ZERO, unit=unit, blocked=True)
        return
    if all(segment.is_empty for segment in segments):
        text = "no meter of this commodity hung at the usage point in the period"
        findings.hold(codes.NO_METER, text, at_risk=ZERO, unit=unit, blocked=True)
        return
    for one, other in overlaps_of(segments):
        text = (
            f"meters {one.installation.serial} and {other.installation.serial} both measure from "
            f"{other.period.start.isoformat()} to {min(one.period.end, other.period.end).isoformat()}"
        )
        findings.hold(codes.METERS_OVERLAP, text, at_risk=ZERO, unit=unit, blocked=True)
    for before, after in changes_inside_interval(segments, context.item.period):
        text = (
            f"the multiplier of meter {after.installation.serial} changed from {before.installation.multiplier} to "
            f"{after.installation.multiplier} inside an interval"
        )
        findings.hold(codes.INTERVAL_MISALIGNED, text, at_risk=ZERO, unit=unit, blocked=True)
    for gap in gaps_of(segments, context.item.period):
        text = f"no meter from {gap.start.isoformat()} to {gap.end.isoformat()} ({gap.minutes} minutes)"
        findings.remark(codes.METER_GAP, text)


def check_outcome(determinant: BillDeterminant, context: BillContext, policy: Policy, findings: Findings) -> Decimal:
    """Check the figures of a determinant; return its delivered total per day, for the next bill."""
    unit = unit_of(context)
    totals = [q for q in determinant.quantities if not q.tou_bucket and q.flow != "NET"]
    delivered = sum((q.quantity for q in totals if q.flow == "DELIVERED" and q.unit == unit), ZERO)
    used = sum((abs(q.quantity) for q in totals), ZERO)
    daily = delivered / max(determinant.days, 1)
    for total in totals:
        if total.quantity < 0:
            text = f"{total.code} is {total.quantity}"
            findings.hold(codes.NEGATIVE_USAGE, text, at_risk=total.quantity, unit=total.unit)
    if not is_active(context):
        if used:
            text = f"{used} {unit} were measured while no agreement was active"
            findings.hold(codes.USAGE_WITHOUT_AGREEMENT, text, at_risk=used, unit=unit)
    elif not used:
        _check_zero(determinant, context, policy, findings)
    _check_history(determinant, daily, context, policy, findings)
    _check_estimates(determinant, delivered, context, policy, findings)
    _check_reach(determinant, daily, context, policy, findings)
    return daily


def _check_zero(determinant: BillDeterminant, context: BillContext, policy: Policy, findings: Findings) -> None:
    last = context.last_bill
    cycles = (last.zero_cycles if last is not None else 0) + 1
    if cycles >= policy.zero_cycles:
        expected = (last.daily_quantity if last is not None else ZERO) * determinant.days
        text = f"no usage for {cycles} bills in a row on an active agreement"
        findings.hold(codes.ZERO_USAGE, text, at_risk=expected, unit=unit_of(context))


def _check_history(
    determinant: BillDeterminant, daily: Decimal, context: BillContext, policy: Policy, findings: Findings
) -> None:
    last = context.last_bill
    if last is None or last.daily_quantity <= 0 or daily <= policy.plausibility_floor:
        return
    if daily > last.daily_quantity * policy.plausibility_factor:
        text = (
            f"{daily:.3f} a day, the last bill had {last.daily_quantity:.3f}: more than "
            f"{policy.plausibility_factor} times"
        )
        at_risk = (daily - last.daily_quantity) * determinant.days
        findings.hold(codes.IMPLAUSIBLE_USAGE, text, at_risk=at_risk, unit=unit_of(context))


def rests_on_estimates(determinant: BillDeterminant) -> bool:
    """Return whether a bill counts as estimated: all of it, or the read with which it ends.

    A few substituted intervals among thousands (MIXED) do not make it one.
    """
    ends = {use.stop_quality for use in determinant.registers}
    return determinant.status is Status.ESTIMATED or any(Quality(q).is_estimate for q in ends if q)


def _check_estimates(
    determinant: BillDeterminant, delivered: Decimal, context: BillContext, policy: Policy, findings: Findings
) -> None:
    if not rests_on_estimates(determinant):
        return
    row = (context.last_bill.consecutive_estimates if context.last_bill is not None else 0) + 1
    if row > policy.consecutive_estimates:
        text = f"this would be bill {row} in a row that rests on estimates; {policy.consecutive_estimates} are allowed"
        findings.hold(codes.CONSECUTIVE_ESTIMATES, text, at_risk=delivered, unit=unit_of(context))


def _check_reach(
    determinant: BillDeterminant, daily: Decimal, context: BillContext, policy: Policy, findings: Findings
) -> None:
    if context.agreement is None:
        return
    limit = policy.back_billing_days.get(context.agreement.customer_class)
    if limit is None:
        return
    reach = ((context.as_of or context.item.period.end) - context.item.period.start).days
    if reach > limit:
        beyond = min(reach - limit, determinant.days)
        text = f"the bill reaches back {reach} days; {limit} are allowed for {context.agreement.customer_class}"
        findings.hold(
            codes.BACK_BILLING_LIMIT, text, at_risk=rounded(daily * beyond, policy.decimals), unit=unit_of(context)
        )
