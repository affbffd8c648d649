"""Determinants that a rate prices: codes, rounding, net metering, and the MDMS's own figures after a check (ruling 1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from canonical.billing import Quantity
from canonical.codes import billing as codes
from canonical.metering import RegisterReading
from canonical.reading_types import Flow
from flows.billing_exchange.context import BillContext, Findings, Missing, unit_of
from flows.billing_exchange.energy import FlowPart, reading_type
from flows.billing_exchange.policy import Policy
from flows.billing_exchange.registers import ZERO, Amount
from flows.billing_exchange.rounding import with_residual
from flows.billing_exchange.segments import Segment
from flows.billing_exchange.tou import TIERS

_FLOW_PREFIX: Mapping[Flow, str] = {"DELIVERED": "", "RECEIVED": "RCVD_", "NET": "NET_", "TOTAL": "GROSS_"}
_FLOW_ORDER: Mapping[Flow, int] = {"DELIVERED": 0, "RECEIVED": 1, "NET": 2, "TOTAL": 3}

Source = Literal["REGISTER", "INTERVAL", "MDMS"]


def quantity_code(unit: str, flow: Flow, bucket: str = "") -> str:
    """Return the determinant code of a unit, flow and time-of-use bucket: KWH_TOTAL, KWH_RCVD_ON, M3_TOTAL, ..."""
    return f"{unit.upper()}_{_FLOW_PREFIX[flow]}{bucket or 'TOTAL'}"


@dataclass(frozen=True, slots=True)
class FlowTotal:
    """One flow over the whole period, all segments together, before rounding."""

    flow: Flow
    unit: str
    source: Source
    total: Amount
    buckets: Mapping[str, Amount]
    """Empty where the period is not split by time of use."""


@dataclass(frozen=True, slots=True)
class Billed:
    """The determinants of one item with what is carried on."""

    quantities: tuple[Quantity, ...]
    residuals: Mapping[str, Decimal] = field(default_factory=dict)
    kinds: frozenset[str] = frozenset()
    methods: frozenset[str] = frozenset()


def add_up(
    parts: Sequence[tuple[Segment, Sequence[FlowPart]]], context: BillContext, findings: Findings
) -> tuple[FlowTotal, ...]:
    """Return each flow summed over the segments; buckets only where every segment that measured has them."""
    totals = []
    flows = {part.flow for _, each in parts for part in each}
    for flow in sorted(flows, key=_FLOW_ORDER.__getitem__):
        totals.append(_flow_total(flow, [p for _, each in parts for p in each if p.flow == flow], context, findings))
    return tuple(totals)


def _flow_total(flow: Flow, parts: Sequence[FlowPart], context: BillContext, findings: Findings) -> FlowTotal:
    total = parts[0].total
    for part in parts[1:]:
        total = total + part.total
    source: Source = "INTERVAL" if all(p.source == "INTERVAL" for p in parts) else "REGISTER"
    buckets: dict[str, Amount] = {}
    for part in parts:
        for bucket, amount in (part.buckets or {}).items():
            buckets[bucket] = buckets[bucket] + amount if bucket in buckets else amount
    without = [p for p in parts if p.buckets is None]
    if without and flow == "DELIVERED" and (buckets or context.calendar is not None):
        unsplit = sum((p.total.exact for p in without), ZERO)
        text = f"{unsplit} {parts[0].unit} of {total.exact} have no split by time of use"
        if context.agreement is not None and context.agreement.tou_calendar:
            findings.hold(codes.TOU_NOT_READY, text, at_risk=unsplit, unit=parts[0].unit)
        else:
            findings.trail.append(f"{text}: the tariff is flat, so only the total is billed")
    return FlowTotal(flow, parts[0].unit, source, total, {} if without else buckets)


def bill_own(totals: Sequence[FlowTotal], context: BillContext, policy: Policy, findings: Findings) -> Billed:
    """Return the hub's own sums, rounded by the interface's rule (ruling 12)."""
    quantities: list[Quantity] = []
    residuals: dict[str, Decimal] = {}
    kinds: frozenset[str] = frozenset()
    methods: frozenset[str] = frozenset()
    for each in totals:
        figures, carried = _rounded(each, context, policy, findings)
        residuals |= carried
        kinds |= each.total.kinds
        methods |= each.total.methods
        for bucket, amount in [("", each.total), *sorted(each.buckets.items())]:
            figure = figures[quantity_code(each.unit, each.flow, bucket)]
            quantities.append(_quantity(each, bucket, figure, amount))
    return Billed((*quantities, *_net(quantities, context, findings)), residuals, kinds, methods)


def _rounded(
    each: FlowTotal, context: BillContext, policy: Policy, findings: Findings
) -> tuple[Mapping[str, Decimal], Mapping[str, Decimal]]:
    """Return billed quantity and residual by code."""
    total_code = quantity_code(each.unit, each.flow)
    if policy.rounding == "cumulative" and each.total.cumulative is not None:
        figures = {
            quantity_code(each.unit, each.flow, bucket): amount.cumulative or ZERO
            for bucket, amount in each.buckets.items()
        }
        figures[total_code] = sum(figures.values(), ZERO) if figures else each.total.cumulative
        findings.trail.append(f"{total_code} = {figures[total_code]}, from cumulative reads rounded to {policy.decimals}")
        return figures, {}
    carried = context.last_bill.residuals if context.last_bill is not None else {}
    buckets = {quantity_code(each.unit, each.flow, b): a.exact for b, a in each.buckets.items()}
    figures, residuals = with_residual(
        total_code, each.total.exact, buckets, carried=carried, decimals=policy.decimals
    )
    findings.trail.append(
        f"{total_code} = {each.total.exact} + {carried.get(total_code, ZERO)} carried, rounded to {figures[total_code]}, "
        f"{residuals[total_code]} carried on"
    )
    return figures, residuals


def _quantity(each: FlowTotal, bucket: str, figure: Decimal, amount: Amount) -> Quantity:
    # All of it estimated: the billed figure itself, so that rounding does not leave a measured rest.
    estimated = figure if amount.kinds == {"estimated"} else amount.estimated
    return Quantity(
        code=quantity_code(each.unit, each.flow, bucket),
        unit=each.unit,
        tou_bucket=bucket,
        season="",
        flow=each.flow,
        quantity=figure,
        source=each.source,
        quality=_quality(amount.kinds),
        estimated_part=estimated,
    )


def _quality(kinds: frozenset[str]) -> str:
    if "estimated" in kinds:
        return "ESTIMATED" if kinds == {"estimated"} else "MIXED"
    return "CUSTOMER" if "customer" in kinds else "VALIDATED"


def _net(quantities: Sequence[Quantity], context: BillContext, findings: Findings) -> tuple[Quantity, ...]:
    """Return NET = DELIVERED - RECEIVED, never clipped at zero, for a net-metering agreement that has no NET yet."""
    totals = {q.flow: q for q in quantities if not q.tou_bucket}
    delivered, received = totals.get("DELIVERED"), totals.get("RECEIVED")
    if context.agreement is None or not context.agreement.net_metering or delivered is None or "NET" in totals:
        return ()
    given = received.quantity if received is not None else ZERO
    net = delivered.quantity - given
    findings.trail.append(f"net = {delivered.quantity} delivered - {given} received = {net} {delivered.unit}")
    estimated = delivered.estimated_part + (received.estimated_part if received is not None else ZERO)
    both = {delivered.quality} | ({received.quality} if received is not None else set())
    return (
        Quantity(
            code=quantity_code(delivered.unit, "NET"),
            unit=delivered.unit,
            tou_bucket="",
            season="",
            flow="NET",
            quantity=net,
            source=delivered.source,
            quality=both.pop() if len(both) == 1 else "MIXED",
            estimated_part=estimated,
        ),
    )


def bill_stated(
    stated: Sequence[RegisterReading],
    totals: Sequence[FlowTotal],
    context: BillContext,
    policy: Policy,
    *,
    allow_estimates: bool,
    findings: Findings,
) -> Billed:
    """Return the MDMS's determinants unchanged, checked against what the reads say (ruling 1).

    A determinant that is not there goes to `findings.missing`, one that differs is held with both figures.
    """
    found = _stated_for_period(stated, context, allow_estimates=allow_estimates)
    quantities = [_stated_quantity(flow, bucket, reading, context) for (flow, bucket), reading in found.items()]
    quantities.sort(key=lambda q: (_FLOW_ORDER[q.flow], bool(q.tou_bucket), q.tou_bucket))
    for each in totals:
        for bucket, amount in [("", each.total), *sorted(each.buckets.items())]:
            _check(each, bucket, amount, found.get((each.flow, bucket)), context, policy, findings)
    _check_buckets(quantities, findings)
    kinds = frozenset(_kind(r) for r in found.values())
    methods = frozenset(r.source_quality for r in found.values() if r.quality.is_estimate)
    for each in totals:
        kinds |= each.total.kinds
        methods |= each.total.methods
    return Billed((*quantities, *_net(quantities, context, findings)), {}, kinds, methods)


def _stated_for_period(
    stated: Sequence[RegisterReading], context: BillContext, *, allow_estimates: bool
) -> dict[tuple[Flow, str], RegisterReading]:
    """Return the last received figure of each flow and bucket; an estimate never replaces an actual."""
    found: dict[tuple[Flow, str], RegisterReading] = {}
    for reading in stated:
        if reading.period != context.item.period or not reading.quality.is_usable:
            continue
        if reading.quality.is_estimate and not allow_estimates:
            continue
        kind = reading_type(reading.reading_type)
        if kind.commodity != context.item.commodity:
            continue
        key = (kind.flow, TIERS.get(kind.tou, f"T{kind.tou}") if kind.tou else "")
        known = found.get(key)
        if known is None or known.quality.is_estimate or not reading.quality.is_estimate:
            found[key] = reading
    return found


def _kind(reading: RegisterReading) -> str:
    if reading.quality.is_estimate:
        return "estimated"
    return "customer" if reading.quality.value == "CUSTOMER" else "actual"


def _stated_quantity(flow: Flow, bucket: str, reading: RegisterReading, context: BillContext) -> Quantity:
    unit = unit_of(context)
    return Quantity(
        code=quantity_code(unit, flow, bucket),
        unit=unit,
        tou_bucket=bucket,
        season="",
        flow=flow,
        quantity=reading.value,
        source="MDMS",
        quality=reading.quality.value,
        estimated_part=reading.value if reading.quality.is_estimate else ZERO,
    )


def _check(
    each: FlowTotal,
    bucket: str,
    amount: Amount,
    stated: RegisterReading | None,
    context: BillContext,
    policy: Policy,
    findings: Findings,
) -> None:
    code = quantity_code(each.unit, each.flow, bucket)
    if stated is None:
        why = f"the meter data system states no {code} for the period"
        findings.missing.append(
            Missing(context.usage_point.usage_point, "", code, None, context.item.period, why)
        )
        return
    off = stated.value - amount.exact
    if abs(off) > policy.tolerance(amount.exact):
        text = f"{code}: the meter data system says {stated.value}, the reads say {amount.exact}"
        findings.hold(codes.DETERMINANT_MISMATCH, text, at_risk=off, unit=each.unit)
    else:
        findings.trail.append(f"{code} = {stated.value} as the meter data system states; the reads say {amount.exact}")


def _check_buckets(quantities: Sequence[Quantity], findings: Findings) -> None:
    """Hold when the buckets of a flow do not add up to its total exactly; the rest never goes into a bucket."""
    for total in [q for q in quantities if not q.tou_bucket]:
        buckets = [q.quantity for q in quantities if q.flow == total.flow and q.tou_bucket]
        if buckets and sum(buckets, ZERO) != total.quantity:
            off = sum(buckets, ZERO) - total.quantity
            text = f"{total.code} is {total.quantity}, its buckets add up to {sum(buckets, ZERO)}"
            findings.hold(codes.TOU_SUM_MISMATCH, text, at_risk=off, unit=total.unit)
