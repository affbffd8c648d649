"""Maximum demand with the time of its peak: from demand registers, or from interval values (domain 4.6)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from canonical.billing import Demand
from canonical.metering import MISSING, Register, RegisterReading
from canonical.quality import Quality
from flows.billing_exchange.context import BillContext, Findings, Missing
from flows.billing_exchange.energy import FlowPart, reading_type
from flows.billing_exchange.intervals import Channel
from flows.billing_exchange.policy import Policy
from flows.billing_exchange.resets import resets_of
from flows.billing_exchange.segments import Segment
from flows.billing_exchange.tou import TIERS
from flows.multipliers import is_applied

Parts = Sequence[tuple[Segment, Sequence[FlowPart]]]


def demands_of(
    parts: Parts,
    readings: Sequence[RegisterReading],
    context: BillContext,
    policy: Policy,
    *,
    allow_estimates: bool,
    findings: Findings,
) -> tuple[Demand, ...]:
    """Return the maximum demand of each bucket over all segments; of equal peaks the earliest.

    A demand register without a reading goes to `findings.absent`: a peak that nobody told may be the highest, so that
    no demand of its code is stated at all.
    """
    peaks: dict[str, Demand] = {}
    lost: set[str] = set()
    kept = False
    for segment, _ in parts:
        for register in segment.installation.registers:
            if not register.is_demand:
                continue
            kept = True
            peak = _peak_of(segment, register, readings, context, allow_estimates=allow_estimates)
            if peak is None:
                findings.absent.append(_missing(segment, register, context))
                lost.add(_code(register))
            else:
                known = peaks.get(peak.code)
                peaks[peak.code] = peak if known is None else _higher(known, peak)
    if not kept and _wants_interval_demand(context, policy):
        peaks = _from_intervals(parts, policy)
    found = [_with_resets(peaks[code], parts, context) for code in sorted(peaks) if code not in lost]
    for peak in found:
        findings.trail.append(
            f"{peak.code} = {peak.value} in the {peak.interval_minutes} minutes to {peak.at.isoformat()}"
            + (f", reset {peak.resets} times, last {peak.reset_at.isoformat()}" if peak.reset_at is not None else "")
        )
    return tuple(found)


def _with_resets(peak: Demand, parts: Parts, context: BillContext) -> Demand:
    """Return a demand with the resets of all meters of the period."""
    resets = [resets_of(context.registers, segment.installation.meter, segment.period) for segment, _ in parts]
    instants = [at for _, at in resets if at is not None]
    return replace(peak, resets=sum(count for count, _ in resets), reset_at=max(instants, default=None))


def _code(register: Register) -> str:
    bucket = register.tou_bucket or TIERS.get(reading_type(register.reading_type).tou, "")
    return f"{register.unit.upper()}_{bucket or 'MAX'}"


def _higher(one: Demand, other: Demand) -> Demand:
    return min(one, other, key=lambda d: (-d.value, d.at))


def _peak_of(
    segment: Segment,
    register: Register,
    readings: Sequence[RegisterReading],
    context: BillContext,
    *,
    allow_estimates: bool,
) -> Demand | None:
    kind = reading_type(register.reading_type)
    found: dict[object, RegisterReading] = {}
    for reading in readings:
        told = reading_type(reading.reading_type)
        if reading.meter != segment.installation.meter or told.fields[1:] != kind.fields[1:]:
            continue
        if not segment.period.start < reading.taken_at <= segment.period.end or not reading.quality.is_usable:
            continue
        if allow_estimates or not reading.quality.is_estimate:
            # Versions of one peak share instant and source; the later received counts.
            found[reading.taken_at, reading.source] = reading
    if not found:
        return None
    scaled = {key: _scaled(reading, segment, context) for key, reading in found.items()}
    best_key = min(found, key=lambda key: (-scaled[key], found[key].taken_at))
    best = found[best_key]
    return Demand(
        code=_code(register),
        value=scaled[best_key],
        at=best.taken_at,
        interval_minutes=kind.interval_minutes,
        window="BLOCK",
        resets=0,
        reset_at=None,
        quality=best.quality.value,
    )


def _scaled(reading: RegisterReading, segment: Segment, context: BillContext) -> Decimal:
    """Return a demand with the multiplier applied once.

    A billing quantity (macroPeriod 8) carries it whatever its source does with reads.
    """
    carries = is_applied(reading.source, context.multipliers) or reading_type(reading.reading_type).is_billing_quantity
    return reading.value if carries else reading.value * segment.installation.multiplier


def _missing(segment: Segment, register: Register, context: BillContext) -> Missing:
    meter = segment.installation.meter
    why = "no maximum demand for the segment"
    return Missing(context.usage_point.usage_point, meter, register.register, None, segment.period, why)


def _wants_interval_demand(context: BillContext, policy: Policy) -> bool:
    if context.item.commodity != "ELECTRICITY" or context.agreement is None:
        return False
    return context.agreement.customer_class in policy.demand_classes


def _from_intervals(parts: Parts, policy: Policy) -> dict[str, Demand]:
    channels = [
        part.channel for _, each in parts for part in each if part.flow == "DELIVERED" and part.channel is not None
    ]
    if not channels or len({c.minutes for c in channels}) > 1:
        return {}
    minutes = channels[0].minutes
    width = max(policy.demand_minutes // minutes, 1)
    series, exponent, first = _together(channels)
    best = _highest(series, width, first, rolling=policy.demand_window == "ROLLING")
    if best is None:
        return {}
    at, peak = best
    value = Decimal(peak).scaleb(exponent) * 60 / (minutes * width)
    end = channels[0].origin + timedelta(minutes=minutes * at)
    estimated = any(c.is_estimated(slot) for c in channels for slot in range(at - width, at))
    quality = Quality.ESTIMATED if estimated else Quality.VALIDATED
    demand = Demand(
        "KW_MAX", value, end, minutes * width, policy.demand_window, 0, None, quality.value,
    )  # fmt: skip
    return {demand.code: demand}


def _together(channels: Sequence[Channel]) -> tuple[Sequence[int], int, int]:
    """Return the channels' energy slot by slot (MISSING where no meter hung), its exponent, and the first slot.

    The interval of an exchange holds the sum of both meters, multipliers applied.
    """
    exponent = min(c.exponent + _exponent(c.factor) for c in channels)
    first = min(c.first for c in channels)
    if len(channels) == 1 and channels[0].factor == 1:
        return channels[0].values, channels[0].exponent, first
    series = [MISSING] * (max(c.first + len(c.values) for c in channels) - first)
    for channel in channels:
        factor = int(channel.factor.scaleb(channel.exponent - exponent))
        for n, value in enumerate(channel.values, channel.first - first):
            series[n] = value * factor + (0 if series[n] == MISSING else series[n])
    return series, exponent, first


def _exponent(factor: Decimal) -> int:
    exponent = factor.as_tuple().exponent
    return min(exponent, 0) if isinstance(exponent, int) else 0


def _highest(series: Sequence[int], width: int, first: int, *, rolling: bool) -> tuple[int, int] | None:
    """Return the slot after the highest window, and its sum; none with a hole, ties go to the earliest."""
    if width == 1:
        peak = max(series, default=MISSING)
        return None if peak == MISSING else (first + series.index(peak) + 1, peak)
    # Blocks are those of the clock: counted from the start of the bill period, a local midnight.
    begin = 0 if rolling else -first % width
    best: tuple[int, int] | None = None
    for n in range(begin, len(series) - width + 1, 1 if rolling else width):
        window = series[n : n + width]
        if MISSING not in window and (best is None or sum(window) > best[1]):
            best = (first + n + width, sum(window))
    return best
