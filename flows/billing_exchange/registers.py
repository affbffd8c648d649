"""What a cumulative register measured in its segment: start and stop read, rollover, multiplier once (domain 4.6)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from canonical.billing import RegisterUse
from canonical.codes import billing as codes
from canonical.metering import Register, RegisterReading
from canonical.quality import Quality
from flows.billing_exchange.best_read import Boundary, best_read, start_boundary, stop_boundary
from flows.billing_exchange.context import BillContext, Findings, Missing
from flows.billing_exchange.policy import Policy
from flows.billing_exchange.rounding import rounded
from flows.billing_exchange.segments import Segment
from flows.multipliers import is_applied

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Amount:
    """A quantity on its way to a determinant, multiplier applied."""

    exact: Decimal
    cumulative: Decimal | None
    """Difference of rounded cumulative reads; None where there are none (interval sums)."""

    estimated: Decimal
    """Part of `exact` that rests on estimates."""

    kinds: frozenset[str] = frozenset()
    """What it rests on: any of `actual`, `estimated`, `customer`."""

    methods: frozenset[str] = frozenset()
    """The sources' own codes of the estimates in it."""

    def __add__(self, other: "Amount") -> "Amount":
        """Return the sum; it has a cumulative side only if both have."""
        both = self.cumulative is not None and other.cumulative is not None
        return Amount(
            self.exact + other.exact,
            (self.cumulative or ZERO) + (other.cumulative or ZERO) if both else None,
            self.estimated + other.estimated,
            self.kinds | other.kinds,
            self.methods | other.methods,
        )


@dataclass(frozen=True, slots=True)
class Read:
    """One end of a register's segment, as it is billed."""

    value: Decimal
    """Multiplier not applied."""

    scaled: Decimal
    """Multiplier applied, exactly as the source or the master states it."""

    at: datetime
    quality: Quality
    source_quality: str
    is_billed: bool = False
    """Whether it is the locked stop read of the last bill: a fact, however it came about."""


def measure(
    segment: Segment,
    register: Register,
    readings: Sequence[RegisterReading],
    *,
    context: BillContext,
    policy: Policy,
    zone: ZoneInfo,
    allow_estimates: bool,
    findings: Findings,
) -> tuple[RegisterUse, Amount] | None:
    """Return what one register used in its segment, or None when a read is missing or the reads contradict.

    `readings` are the snapshots of this register, oldest received first. What is missing or doubtful goes to
    `findings`.
    """
    start_at = start_boundary(segment, policy, zone=zone)
    stop_at = stop_boundary(segment, policy, zone=zone)
    raw = _Reader(readings, context, segment, policy, allow_estimates)
    start = _continued(raw.read(start_at), start_at, segment, register, context, policy, findings)
    stop = raw.read(stop_at)
    if start is None or stop is None:
        for read, boundary in ((start, start_at), (stop, stop_at)):
            if read is None:
                findings.missing.append(_missing(raw, boundary, context, segment, register))
        return None
    rollovers = _rollovers(start, stop, segment, register, context, policy, findings)
    if rollovers is None:
        return None
    return _use(start, stop, rollovers, segment, register, policy, findings)


class _Reader:
    """Picks reads of one register and shows them without the multiplier."""

    def __init__(
        self,
        readings: Sequence[RegisterReading],
        context: BillContext,
        segment: Segment,
        policy: Policy,
        allow_estimates: bool,
    ) -> None:
        self.readings = readings
        self.multiplier = segment.installation.multiplier
        self.multipliers = context.multipliers
        self.policy = policy
        self.allow_estimates = allow_estimates

    def read(self, boundary: Boundary) -> Read | None:
        found = best_read(self.readings, boundary, self.policy, allow_estimates=self.allow_estimates)
        if found is None:
            return None
        value, scaled = found.value, found.value * self.multiplier
        if self.multiplier != 1 and is_applied(found.source, self.multipliers):
            value, scaled = _divided(found.value, self.multiplier), found.value
        return Read(value, scaled, found.taken_at, found.quality, found.source_quality)

    def only_an_estimate(self, boundary: Boundary) -> bool:
        return best_read(self.readings, boundary, self.policy, allow_estimates=True) is not None


def _divided(scaled: Decimal, multiplier: Decimal) -> Decimal:
    """Return what the register showed; where the division has no end, six decimals of it (only for display)."""
    value = scaled / multiplier
    return value if value * multiplier == scaled and _decimals(value) <= 6 else rounded(value, 6)


def _decimals(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _missing(raw: _Reader, at: Boundary, context: BillContext, segment: Segment, register: Register) -> Missing:
    if raw.only_an_estimate(at):
        why = "only an estimate is there, and none may be billed"
    elif context.usage_point.read_source == "MANUAL":
        why = f"no manual read between {at.earliest.isoformat()} and {at.latest.isoformat()}"
    else:
        why = f"no usable read between {at.earliest.isoformat()} and {at.latest.isoformat()}"
    meter = segment.installation.meter
    return Missing(context.usage_point.usage_point, meter, register.register, at.at, None, why)


def _continued(
    found: Read | None,
    boundary: Boundary,
    segment: Segment,
    register: Register,
    context: BillContext,
    policy: Policy,
    findings: Findings,
) -> Read | None:
    """Return the start read that continues the last bill (invariant I2): its stop read, whatever is known since.

    A better read shows a difference: small, or after an estimate, it is settled by this bill; else it is held.
    """
    last = context.last_bill
    if last is None or segment.begins_with_installation or last.period.end != segment.period.start:
        return found
    billed = last.stops.get((segment.installation.meter, register.register))
    if billed is None:
        return found
    multiplier = segment.installation.multiplier
    if found is None:
        findings.trail.append(f"{register.register}: start read {billed} carried over from bill {last.determinant_id}")
        quality = Quality.ESTIMATED if last.consecutive_estimates else Quality.VALIDATED
        return Read(billed, billed * multiplier, boundary.at, quality, "", is_billed=True)
    if found.value == billed:
        return replace(found, is_billed=True)
    gap = (found.value - billed) * multiplier
    text = (
        f"register {register.register}: the last bill ended with {billed}, the read at {found.at.isoformat()} "
        f"is {found.value}; {gap} {register.unit} are settled by this bill"
    )
    if last.consecutive_estimates or abs(gap) <= policy.true_up_quantity:
        findings.remark(codes.TRUE_UP, text, quantity=gap)
    else:
        findings.hold(codes.CONTINUITY_BROKEN, text, at_risk=gap, unit=register.unit)
    return replace(found, value=billed, scaled=billed * multiplier, is_billed=True)


def _rollovers(
    start: Read,
    stop: Read,
    segment: Segment,
    register: Register,
    context: BillContext,
    policy: Policy,
    findings: Findings,
) -> int | None:
    """Return 0 or 1, or None when the reads cannot be true (domain 2.5; never across meters)."""
    limit = Decimal(10) ** register.dials
    if register.dials and max(start.value, stop.value) >= limit:
        text = f"register {register.register} has {register.dials} dials, its reads are {start.value} and {stop.value}"
        findings.hold(codes.READ_BEYOND_DIALS, text, at_risk=ZERO, unit=register.unit, blocked=True)
        return None
    if stop.value >= start.value or not register.dials or start.value <= limit * policy.rollover_share:
        return 0
    used = stop.value - start.value + limit
    cap = limit * policy.rollover_cap_share
    last = context.last_bill
    if last is not None and last.daily_quantity > 0:
        days = Decimal(segment.period.minutes) / 1440
        history = max(last.daily_quantity * policy.plausibility_factor, policy.plausibility_floor) * days
        cap = min(cap, history / segment.installation.multiplier)
    if used > cap:
        text = f"register {register.register} went from {start.value} to {stop.value}: a rollover would mean {used}"
        at_risk = used * segment.installation.multiplier
        findings.hold(codes.IMPLAUSIBLE_ROLLOVER, text, at_risk=at_risk, unit=register.unit, blocked=True)
        return None
    return 1


def _use(
    start: Read, stop: Read, rollovers: int, segment: Segment, register: Register, policy: Policy, findings: Findings
) -> tuple[RegisterUse, Amount]:
    multiplier = segment.installation.multiplier
    range_ = rollovers * Decimal(10) ** register.dials
    difference = stop.value - start.value + range_
    quantity = stop.scaled - start.scaled + range_ * multiplier
    cumulative = rounded(stop.scaled, policy.decimals) - rounded(start.scaled, policy.decimals)
    cumulative += rounded(range_ * multiplier, policy.decimals)
    estimated = stop.quality.is_estimate or (start.quality.is_estimate and not start.is_billed)
    findings.trail.append(
        f"meter {segment.installation.serial} register {register.register}: {stop.value} ({stop.quality}, "
        f"{stop.at.isoformat()}) - {start.value} ({start.quality}, {start.at.isoformat()})"
        + (f" + {range_} rollover" if rollovers else "")
        + f" = {difference}, x {multiplier} = {quantity} {register.unit}"
    )
    kind = "estimated" if estimated else "customer" if stop.quality is Quality.CUSTOMER else "actual"
    methods = frozenset(r.source_quality for r in (start, stop) if r.quality.is_estimate) if estimated else frozenset()
    use = RegisterUse(
        meter=segment.installation.meter,
        register=register.register,
        reading_type=register.reading_type,
        flow=register.flow,
        unit=register.unit,
        tou_bucket=register.tou_bucket,
        quantity=quantity,
        start_read=start.value,
        start_time=start.at,
        start_quality=start.quality.value,
        stop_read=stop.value,
        stop_time=stop.at,
        stop_quality=stop.quality.value,
        rollovers=rollovers,
        raw_difference=difference,
        rounding=policy.rounding,
    )
    return use, Amount(quantity, cumulative, quantity if estimated else ZERO, frozenset({kind}), methods)
