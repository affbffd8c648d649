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
from flows.billing_exchange.quantities import FLOW_ORDER, Billed, FlowTotal, net_of, quantity_code
from flows.billing_exchange.registers import ZERO, Amount
from flows.billing_exchange.tou import TIERS

Key = tuple[str, Flow, str]
"""Unit, flow and time-of-use bucket of a determinant."""

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
        key=lambda q: (q.unit, FLOW_ORDER[q.flow], bool(q.tou_bucket), q.tou_bucket),
    )
    if not totals and not any(not q.tou_bucket for q in quantities):
        _note_missing(quantity_code(unit_of(context), "DELIVERED"), context, findings)
    for each in totals:
        _check(each, "", each.total, found, context, policy, findings)
        if _is_split(each, found, context):
            for bucket, amount in sorted(each.buckets.items()):
                _check(each, bucket, amount, found, context, policy, findings)
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
        if reading.period != context.item.period or kind.commodity != context.item.commodity:
            continue
        if not reading.quality.is_usable or (reading.quality.is_estimate and not allow_estimates):
            continue
        key = _key(kind)
        known = found.get(key)
        if known is None or known.quality.is_estimate or not reading.quality.is_estimate:
            found[key] = reading
    return found


def _key(kind: ReadingType) -> Key:
    bucket = TIERS.get(kind.tou, f"T{kind.tou}") if kind.tou else ""
    return _UNITS.get(kind.fields[16], f"UNIT{kind.fields[16]}"), kind.flow, bucket


def _in_billed_unit(reading: RegisterReading) -> Decimal:
    """Return the value in kWh or m3: a source may state Wh or MWh by the multiplier of its reading type."""
    kind = reading_type(reading.reading_type)
    off = kind.power_of_ten - (0 if kind.fields[16] == 42 else 3)
    return reading.value.scaleb(off) if off else reading.value


def _quantity(key: Key, reading: RegisterReading) -> Quantity:
    unit, flow, bucket = key
    value = _in_billed_unit(reading)
    return Quantity(
        code=quantity_code(unit, flow, bucket),
        unit=unit,
        tou_bucket=bucket,
        season="",
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
    return by_tariff or any(unit == each.unit and flow == each.flow and bucket for unit, flow, bucket in found)


def _check(
    each: FlowTotal,
    bucket: str,
    amount: Amount,
    found: Mapping[Key, RegisterReading],
    context: BillContext,
    policy: Policy,
    findings: Findings,
) -> None:
    code = quantity_code(each.unit, each.flow, bucket)
    reading = found.get((each.unit, each.flow, bucket))
    if reading is None:
        _note_missing(code, context, findings)
        return
    stated = _in_billed_unit(reading)
    off = stated - amount.exact
    if abs(off) > policy.tolerance(amount.exact):
        text = f"{code}: the meter data system says {stated}, the reads say {amount.exact}"
        findings.hold(codes.DETERMINANT_MISMATCH, text, at_risk=off, unit=each.unit)
    else:
        findings.trail.append(f"{code} = {stated} as the meter data system states; the reads say {amount.exact}")


def _note_missing(code: str, context: BillContext, findings: Findings) -> None:
    why = f"the meter data system states no {code} for the period"
    findings.missing.append(Missing(context.usage_point.usage_point, "", code, None, context.item.period, why))


def _check_buckets(quantities: Sequence[Quantity], findings: Findings) -> None:
    """Hold when the buckets of a flow do not add up to its total exactly; the rest never goes into a bucket."""
    for total in [q for q in quantities if not q.tou_bucket]:
        buckets = [q.quantity for q in quantities if (q.unit, q.flow) == (total.unit, total.flow) and q.tou_bucket]
        summed = sum(buckets, ZERO)
        if buckets and summed != total.quantity:
            text = f"{total.code} is {total.quantity}, its buckets add up to {summed}"
            findings.hold(codes.TOU_SUM_MISMATCH, text, at_risk=summed - total.quantity, unit=total.unit)
