"""Determinants that a rate prices, from what the segments measured: codes, sums, rounding, net metering."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from canonical.billing import Quantity
from canonical.codes import billing as codes
from canonical.reading_types import Flow
from flows.billing_exchange.context import BillContext, Findings, unit_of
from flows.billing_exchange.energy import FlowPart
from flows.billing_exchange.policy import Policy
from flows.billing_exchange.registers import ZERO, Amount
from flows.billing_exchange.rounding import with_residual
from flows.billing_exchange.segments import Segment
from flows.billing_exchange.tou import Tier

_FLOW_PREFIX: Mapping[Flow, str] = {"DELIVERED": "", "RECEIVED": "RCVD_", "NET": "NET_", "TOTAL": "GROSS_"}
FLOW_ORDER: Mapping[Flow, int] = {"DELIVERED": 0, "RECEIVED": 1, "NET": 2, "TOTAL": 3}
"""Order of flows on a determinant."""

Source = Literal["REGISTER", "INTERVAL", "MDMS"]


def quantity_code(unit: str, flow: Flow, bucket: str = "") -> str:
    """Return the determinant code of a unit, flow and time-of-use bucket: KWH_TOTAL, KWH_RCVD_ON, M3_TOTAL, ..."""
    return f"{unit.upper()}_{_FLOW_PREFIX[flow]}{bucket or 'TOTAL'}"


def figure_name(code: str, season: str) -> str:
    """Return what names a figure among those of one item: its code, and its season where it has one."""
    return f"{code}/{season}" if season else code


@dataclass(frozen=True, slots=True)
class FlowTotal:
    """One flow over the whole period, all segments together, before rounding."""

    flow: Flow
    unit: str
    source: Source
    total: Amount
    buckets: Mapping[Tier, Amount]
    """Empty where the period is not split by time of use."""


@dataclass(frozen=True, slots=True)
class Billed:
    """The determinants of one item with what is carried on."""

    quantities: tuple[Quantity, ...]
    residuals: Mapping[str, Decimal] = field(default_factory=dict)
    kinds: frozenset[str] = frozenset()
    methods: frozenset[str] = frozenset()


def add_up(
    parts: Sequence[tuple[Segment, Sequence[FlowPart]]], context: BillContext, policy: Policy, findings: Findings
) -> tuple[FlowTotal, ...]:
    """Return each flow summed over the segments; buckets only where every segment that measured has them."""
    by_flow: dict[tuple[str, Flow], list[FlowPart]] = {}
    for _, each in parts:
        for part in each:
            by_flow.setdefault((part.unit, part.flow), []).append(part)
    order = sorted(by_flow, key=lambda key: (key[0], FLOW_ORDER[key[1]]))
    return tuple(_flow_total(by_flow[key], context, policy, findings) for key in order)


def _flow_total(parts: Sequence[FlowPart], context: BillContext, policy: Policy, findings: Findings) -> FlowTotal:
    flow, unit = parts[0].flow, parts[0].unit
    total = parts[0].total
    for part in parts[1:]:
        total = total + part.total
    source: Source = "INTERVAL" if all(p.source == "INTERVAL" for p in parts) else "REGISTER"
    buckets: dict[Tier, Amount] = {}
    for part in parts:
        for tier, amount in (part.buckets or {}).items():
            buckets[tier] = buckets[tier] + amount if tier in buckets else amount
    unsplit = [p for p in parts if p.buckets is None]
    if unsplit and flow == "DELIVERED" and unit == unit_of(context) and policy.determinants == "hub":
        part_of = sum((p.total.exact for p in unsplit), ZERO)
        _note_unsplit(part_of, total.exact, bool(buckets), context, policy, findings)
    return FlowTotal(flow, unit, source, total, {} if unsplit else buckets)


def _note_unsplit(
    unsplit: Decimal, total: Decimal, is_mixed: bool, context: BillContext, policy: Policy, findings: Findings
) -> None:
    """Note what a time-of-use tariff cannot price: held, or PARTIAL where the interface allows it.

    With a flat tariff, say why only the total is billed. What is only late was noted when it was looked for.
    """
    unit = unit_of(context)
    text = f"{unsplit} {unit} of {total} have no split by time of use"
    if context.agreement is not None and context.agreement.tou_calendar:
        findings.unsplit = True
        findings.remark(codes.TOU_NOT_READY, text, quantity=unsplit)
        if policy.partial == "hold" and not findings.absent:
            findings.hold(codes.TOU_NOT_READY, text, at_risk=unsplit, unit=unit)
    elif is_mixed:
        findings.trail.append(f"{text}: the tariff is flat, so only the total is billed")


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
        for tier, amount in [(Tier(""), each.total), *sorted(each.buckets.items())]:
            quantities.append(_quantity(each, tier, figures[_name(each, tier)], amount))
    return Billed((*quantities, *net_of(quantities, context, findings)), residuals, kinds, methods)


def _name(each: FlowTotal, tier: Tier) -> str:
    return figure_name(quantity_code(each.unit, each.flow, tier.bucket), tier.season)


def _rounded(
    each: FlowTotal, context: BillContext, policy: Policy, findings: Findings
) -> tuple[Mapping[str, Decimal], Mapping[str, Decimal]]:
    """Return billed quantity and residual by name of the figure."""
    total_code = quantity_code(each.unit, each.flow)
    if policy.rounding == "cumulative" and each.total.cumulative is not None:
        figures = {_name(each, tier): amount.cumulative or ZERO for tier, amount in each.buckets.items()}
        figures[total_code] = sum(figures.values(), ZERO) if figures else each.total.cumulative
        findings.trail.append(
            f"{total_code} = {figures[total_code]}, from cumulative reads rounded to {policy.decimals}"
        )
        return figures, {}
    carried = context.last_bill.residuals if context.last_bill is not None else {}
    buckets = {_name(each, tier): amount.exact for tier, amount in each.buckets.items()}
    figures, residuals = with_residual(total_code, each.total.exact, buckets, carried=carried, decimals=policy.decimals)
    findings.trail.append(
        f"{total_code} = {each.total.exact} + {carried.get(total_code, ZERO)} carried, "
        f"rounded to {figures[total_code]}, {residuals[total_code]} carried on"
    )
    return figures, residuals


def _quantity(each: FlowTotal, tier: Tier, figure: Decimal, amount: Amount) -> Quantity:
    # All of it estimated: the billed figure itself, so that rounding does not leave a measured rest.
    estimated = figure if amount.kinds == {"estimated"} else amount.estimated
    return Quantity(
        code=quantity_code(each.unit, each.flow, tier.bucket),
        unit=each.unit,
        tou_bucket=tier.bucket,
        season=tier.season,
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


def net_of(quantities: Sequence[Quantity], context: BillContext, findings: Findings) -> tuple[Quantity, ...]:
    """Return NET = DELIVERED - RECEIVED, never clipped at zero, for a net-metering agreement that has no NET yet."""
    unit = unit_of(context)
    totals = {q.flow: q for q in quantities if not q.tou_bucket and q.unit == unit}
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
