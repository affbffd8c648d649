"""The MDMS's determinants: passed unchanged after a check against the reads, held where they differ (ruling 1)."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from canonical.billing import Quantity
from canonical.codes import billing as codes
from canonical.metering import RegisterReading
from canonical.quality import Quality
from canonical.reading_types import Flow, ReadingType
from flows.billing_exchange.context import BillContext, Findings, Missing, unit_of
from flows.billing_exchange.energy import reading_type
from flows.billing_exchange.policy import Policy
from flows.billing_exchange.quantities import FLOW_ORDER, Billed, FlowTotal, figure_name, net_of, quantity_code
from flows.billing_exchange.registers import ZERO, Amount
from flows.billing_exchange.seasons import season_spans, seasons_of
from flows.billing_exchange.tou import TIERS, Tier

Key = tuple[str, Flow, Tier]
"""Unit, flow, and time-of-use bucket with its season, of a determinant."""

_UNITS = {72: "kWh", 73: "kVARh", 71: "kVAh", 42: "m3"}
"""Unit of a CIM reading type (field 17), as billed."""


def bill_stated(
    stated: Sequence[RegisterReading],
    totals: Sequence[FlowTotal],
    context: BillContext,
    policy: Policy,
    *,
    allow_estimates: bool,
    findings: Findings,
) -> Billed:
    """Return the MDMS's determinants of the period unchanged, checked against what the reads say.

    A determinant that is not there goes to `findings.missing`, one that differs is held with both figures.
    """
    found = _of_period(stated, context, allow_estimates=allow_estimates)
    quantities = sorted(
        (_quantity(key, reading) for key, reading in found.items()),
        key=lambda q: (q.unit, FLOW_ORDER[q.flow], bool(q.tou_bucket), q.tou_bucket, q.season),
    )
    if not totals and not any(not q.tou_bucket for q in quantities):
        _note_missing(quantity_code(unit_of(context), "DELIVERED"), context, findings)
    for each in totals:
        _check(each, Tier(""), each.total, found, context, policy, findings)
        if _is_split(each, found, context):
            for tier, amount in sorted(each.buckets.items()):
                _check(each, tier, amount, found, context, policy, findings)
    _check_seasons(found, context, findings)
    if not findings.absent:
        _check_buckets(quantities, findings)
    kinds = frozenset(_kind(reading.quality) for reading in found.values())
    methods = frozenset(r.source_quality for r in found.values() if r.quality.is_estimate)
    for each in totals:
        kinds |= each.total.kinds
        methods |= each.total.methods
    return Billed((*quantities, *net_of(quantities, context, findings)), {}, kinds, methods)


def _of_period(
    stated: Sequence[RegisterReading], context: BillContext, *, allow_estimates: bool
) -> dict[Key, RegisterReading]:
    """Return the last received figure of each determinant; an estimate never replaces an actual."""
    found: dict[Key, RegisterReading] = {}
    for reading in stated:
        kind = reading_type(reading.reading_type)
        if not _is_of_period(reading, kind, context) or kind.commodity != context.item.commodity:
            continue
        if not reading.quality.is_usable or (reading.quality.is_estimate and not allow_estimates):
            continue
        key = _key(kind, reading, context)
        known = found.get(key)
        if known is None or known.quality.is_estimate or not reading.quality.is_estimate:
            found[key] = reading
    return found


def _is_of_period(reading: RegisterReading, kind: ReadingType, context: BillContext) -> bool:
    """Return whether a figure is of the whole period, or a bucket's of the part of it that lies in one season."""
    if reading.period == context.item.period:
        return True
    return (
        bool(kind.tou)
        and context.calendar is not None
        and reading.period in season_spans(context.calendar, context.item.period)
    )


def _key(kind: ReadingType, reading: RegisterReading, context: BillContext) -> Key:
    bucket = TIERS.get(kind.tou, f"T{kind.tou}") if kind.tou else ""
    seasons = seasons_of(context.calendar, reading.period or context.item.period, bucket)
    season = next(iter(seasons)) if len(seasons) == 1 else ""
    return _UNITS.get(kind.fields[16], f"UNIT{kind.fields[16]}"), kind.flow, Tier(bucket, season)


def _in_billed_unit(reading: RegisterReading) -> Decimal:
    """Return the value in kWh or m3: a source may state Wh or MWh by the multiplier of its reading type."""
    kind = reading_type(reading.reading_type)
    off = kind.power_of_ten - (0 if kind.fields[16] == 42 else 3)
    return reading.value.scaleb(off) if off else reading.value


def _quantity(key: Key, reading: RegisterReading) -> Quantity:
    unit, flow, tier = key
    value = _in_billed_unit(reading)
    return Quantity(
        code=quantity_code(unit, flow, tier.bucket),
        unit=unit,
        tou_bucket=tier.bucket,
        season=tier.season,
        flow=flow,
        quantity=value,
        source="MDMS",
        quality=reading.quality.value,
        estimated_part=value if reading.quality.is_estimate else ZERO,
    )


def _kind(quality: Quality) -> str:
    if quality.is_estimate:
        return "estimated"
    return "customer" if quality is Quality.CUSTOMER else "actual"


def _is_split(each: FlowTotal, found: Mapping[Key, RegisterReading], context: BillContext) -> bool:
    """Return whether buckets of a flow must be stated: for a time-of-use tariff, or where the MDMS began to."""
    by_tariff = context.agreement is not None and bool(context.agreement.tou_calendar) and each.flow == "DELIVERED"
    return by_tariff or any(unit == each.unit and flow == each.flow and tier.bucket for unit, flow, tier in found)


def _check(
    each: FlowTotal,
    tier: Tier,
    amount: Amount,
    found: Mapping[Key, RegisterReading],
    context: BillContext,
    policy: Policy,
    findings: Findings,
) -> None:
    code = figure_name(quantity_code(each.unit, each.flow, tier.bucket), tier.season)
    reading = found.get((each.unit, each.flow, tier))
    if reading is None:
        _note_missing(code, context, findings, only_a_bucket=bool(tier.bucket))
        return
    stated = _in_billed_unit(reading)
    off = stated - amount.exact
    if abs(off) > policy.tolerance(amount.exact):
        text = f"{code}: the meter data system says {stated}, the reads say {amount.exact}"
        findings.hold(codes.DETERMINANT_MISMATCH, text, at_risk=off, unit=each.unit)
    else:
        findings.trail.append(f"{code} = {stated} as the meter data system states; the reads say {amount.exact}")


def _note_missing(code: str, context: BillContext, findings: Findings, *, only_a_bucket: bool = False) -> None:
    """Note a figure that is not stated; without a bucket of it the total can still be billed, as PARTIAL."""
    why = f"the meter data system states no {code} for the period"
    gap = Missing(context.usage_point.usage_point, "", code, None, context.item.period, why)
    (findings.absent if only_a_bucket else findings.missing).append(gap)


def _check_seasons(found: Mapping[Key, RegisterReading], context: BillContext, findings: Findings) -> None:
    """Note buckets of the whole period where it crosses a change of season: the rate prices the seasons apart."""
    for unit, flow, tier in sorted(found):
        seasons = seasons_of(context.calendar, context.item.period, tier.bucket)
        if len(seasons) > 1 and not tier.season:
            for season in sorted(seasons):
                code = figure_name(quantity_code(unit, flow, tier.bucket), season)
                if (unit, flow, Tier(tier.bucket, season)) not in found:
                    _note_missing(code, context, findings, only_a_bucket=True)


def _check_buckets(quantities: Sequence[Quantity], findings: Findings) -> None:
    """Hold when the buckets of a flow do not add up to its total exactly; the rest never goes into a bucket."""
    for total in [q for q in quantities if not q.tou_bucket]:
        buckets = [q.quantity for q in quantities if (q.unit, q.flow) == (total.unit, total.flow) and q.tou_bucket]
        summed = sum(buckets, ZERO)
        if buckets and summed != total.quantity:
            text = f"{total.code} is {total.quantity}, its buckets add up to {summed}"
            findings.hold(codes.TOU_SUM_MISMATCH, text, at_risk=summed - total.quantity, unit=total.unit)
