"""What each segment measured, flow by flow: from cumulative registers or from interval channels (domain 4.6)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache, reduce
from typing import Literal
from zoneinfo import ZoneInfo

from canonical.billing import RegisterUse
from canonical.codes import billing as codes
from canonical.metering import Register, RegisterReading
from canonical.reading_types import Flow, ReadingType, reading_type_from_text
from flows.billing_exchange.context import BillContext, Findings
from flows.billing_exchange.intervals import Channel, channel_of
from flows.billing_exchange.policy import Policy
from flows.billing_exchange.registers import ZERO, Amount, measure
from flows.billing_exchange.seasons import seasons_of
from flows.billing_exchange.segments import Segment
from flows.billing_exchange.tou import Tier, slot_runs


@dataclass(frozen=True, slots=True)
class FlowPart:
    """The energy of one flow in one segment."""

    flow: Flow
    unit: str
    source: Literal["REGISTER", "INTERVAL"]
    total: Amount
    buckets: Mapping[Tier, Amount] | None
    """By time-of-use bucket and season; None where the segment has no such split."""

    uses: tuple[RegisterUse, ...]
    channel: Channel | None = None
    """The interval values behind it, for demand and counts."""


@lru_cache(maxsize=4096)
def reading_type(code: str) -> ReadingType:
    """Return a reading type code taken apart; remembered, because a run meets few different ones."""
    return reading_type_from_text(code)


@dataclass(frozen=True, slots=True)
class Snapshots:
    """Register readings of one item, sorted by what they are."""

    snapshots: Mapping[tuple[str, str], Sequence[RegisterReading]]
    """Cumulative reads by (meter, reading type), in order of receipt."""

    demands: Sequence[RegisterReading]
    stated: Sequence[RegisterReading]
    """Energy of a whole period as the MDMS states it."""


def sort_readings(readings: Sequence[RegisterReading]) -> Snapshots:
    """Return the readings by kind: demand, quantity of a period, or snapshot of a register."""
    snapshots: dict[tuple[str, str], list[RegisterReading]] = defaultdict(list)
    demands: list[RegisterReading] = []
    stated: list[RegisterReading] = []
    for reading in readings:
        kind = reading_type(reading.reading_type)
        if kind.is_demand:
            demands.append(reading)
        elif kind.is_billing_quantity or reading.period is not None:
            stated.append(reading)
        else:
            snapshots[reading.meter, reading.reading_type].append(reading)
    return Snapshots(snapshots, demands, stated)


@dataclass(frozen=True, slots=True)
class Measurer:
    """Measures the segments of one item; holds what every step of it needs."""

    context: BillContext
    policy: Policy
    zone: ZoneInfo
    allow_estimates: bool
    snapshots: Mapping[tuple[str, str], Sequence[RegisterReading]]
    findings: Findings

    def measure(self, segment: Segment) -> tuple[FlowPart, ...]:
        """Return the segment's energy by flow; a flow of which something is missing is left out, and the gap noted."""
        registers = [r for r in segment.installation.registers if not r.is_demand]
        if not registers:
            text = f"meter {segment.installation.serial} has no register that measures a quantity"
            self.findings.hold(codes.UNKNOWN_REGISTER, text, at_risk=ZERO, unit="", blocked=True)
        if len({r.reading_type for r in registers}) < len(registers):
            text = f"registers of meter {segment.installation.serial} share a reading type: their values look the same"
            self.findings.hold(codes.REGISTERS_AMBIGUOUS, text, at_risk=ZERO, unit=registers[0].unit, blocked=True)
            return ()
        parts = []
        for flow, unit in sorted({(r.flow, r.unit) for r in registers}):
            part = self._flow(segment, flow, [r for r in registers if r.flow == flow and r.unit == unit])
            if part is not None:
                parts.append(part)
        return tuple(parts)

    def _flow(self, segment: Segment, flow: Flow, registers: Sequence[Register]) -> FlowPart | None:
        cumulative = [r for r in registers if not r.interval_minutes]
        channels = [r for r in registers if r.interval_minutes]
        if channels and (not cumulative or (self.context.calendar is not None and not _has_buckets(cumulative))):
            before = len(self.findings.missing)
            part = self._by_intervals(segment, flow, channels)
            if part is not None and cumulative:
                self._check_against_registers(segment, cumulative, part)
            return part or self._total_alone(segment, flow, cumulative, before)
        return self._by_registers(segment, flow, cumulative)

    def _total_alone(
        self, segment: Segment, flow: Flow, cumulative: Sequence[Register], before: int
    ) -> FlowPart | None:
        """Return what the registers beside a channel with gaps tell: the total without its split, if they were read.

        `before` counts what was missing before the channel was looked at.
        """
        gaps = self.findings.missing[before:]
        aside = Findings()
        part = replace(self, findings=aside)._by_registers(segment, flow, cumulative) if gaps and cumulative else None
        if part is None or aside.holds:
            return None
        del self.findings.missing[before:]
        self.findings.absent += gaps
        self.findings.remarks += aside.remarks
        self.findings.trail += aside.trail
        return part

    def _by_registers(self, segment: Segment, flow: Flow, registers: Sequence[Register]) -> FlowPart | None:
        uses: list[RegisterUse] = []
        total: Amount | None = None
        buckets: dict[str, Amount] = {}
        lost: list[Register] = []
        before = len(self.findings.missing)
        for register in registers:
            measured = self._register(segment, register, self.findings)
            if measured is None:
                lost.append(register)
                continue
            use, amount = measured
            uses.append(use)
            if register.tou_bucket:
                known = buckets.get(register.tou_bucket)
                buckets[register.tou_bucket] = amount if known is None else known + amount
            else:
                total = amount if total is None else total + amount
        unit = registers[0].unit
        if lost:
            if total is None or not all(register.tou_bucket for register in lost) or self.findings.blocked:
                return None
            self.findings.absent += self.findings.missing[before:]
            del self.findings.missing[before:]
            return FlowPart(flow, unit, "REGISTER", total, None, tuple(uses))
        total = self._total(segment, registers, total, buckets)
        return FlowPart(flow, unit, "REGISTER", total, self._by_season(segment, buckets), tuple(uses))

    def _by_season(self, segment: Segment, buckets: Mapping[str, Amount]) -> Mapping[Tier, Amount] | None:
        """Return register sums under the season they lie in; None where a register ran on through a change of season.

        No read is taken when a season changes, so that such a sum cannot be told apart.
        """
        found = {}
        for bucket, amount in buckets.items():
            seasons = seasons_of(self.context.calendar, segment.period, bucket)
            if len(seasons) > 1:
                names = " and ".join(sorted(seasons))
                self.findings.trail.append(f"the {bucket} registers ran through {names}: not told apart")
                return None
            found[Tier(bucket, *seasons)] = amount
        return found or None

    def _register(self, segment: Segment, register: Register, findings: Findings) -> tuple[RegisterUse, Amount] | None:
        return measure(
            segment,
            register,
            self.snapshots.get((segment.installation.meter, register.reading_type), ()),
            context=self.context,
            policy=self.policy,
            zone=self.zone,
            allow_estimates=self.allow_estimates,
            findings=findings,
        )

    def _total(
        self, segment: Segment, registers: Sequence[Register], total: Amount | None, buckets: Mapping[str, Amount]
    ) -> Amount:
        """Return the total that the buckets add up to; a display cuts digits off, so each register may miss one."""
        if total is not None and not buckets:
            return total
        summed = reduce(Amount.__add__, buckets.values())
        if total is None:
            return summed
        digits = sum(Decimal(1).scaleb(-r.decimals) for r in registers) * segment.installation.multiplier
        off = summed.exact - total.exact
        if abs(off) > digits:
            text = (
                f"meter {segment.installation.serial}: time-of-use registers add up to {summed.exact}, "
                f"the total register says {total.exact}"
            )
            self.findings.hold(codes.TOU_SUM_MISMATCH, text, at_risk=off, unit=registers[0].unit)
            return total
        if off:
            self.findings.trail.append(
                f"total register says {total.exact}, its buckets {summed.exact}: within the last digit, buckets count"
            )
        return summed

    def _by_intervals(self, segment: Segment, flow: Flow, channels: Sequence[Register]) -> FlowPart | None:
        part: FlowPart | None = None
        for register in channels:
            channel = channel_of(
                segment, register, context=self.context, allow_estimates=self.allow_estimates, findings=self.findings
            )
            if channel is None:
                return None
            buckets = self._buckets(channel)
            one = FlowPart(
                flow, register.unit, "INTERVAL", channel.total(), buckets, (channel.use(self.policy),), channel
            )
            part = one if part is None else _joined(part, one)
        return part

    def _buckets(self, channel: Channel) -> Mapping[Tier, Amount] | None:
        calendar = self.context.calendar
        if calendar is None:
            return None
        runs = slot_runs(calendar, self.context.item.period, channel.minutes)
        if runs is None:
            text = f"intervals of {channel.minutes} minutes cross a window of calendar {calendar.calendar}"
            self.findings.hold(codes.INTERVAL_MISALIGNED, text, at_risk=channel.total().exact, unit=channel.unit)
            return None
        return channel.by_bucket(runs)

    def _check_against_registers(self, segment: Segment, registers: Sequence[Register], part: FlowPart) -> None:
        """Hold when a total register beside the channel tells another energy (only if its reads are there)."""
        aside = Findings()
        for register in registers:
            measured = None if register.tou_bucket else self._register(segment, register, aside)
            if measured is None:
                continue
            read, summed = measured[1].exact, part.total.exact
            if abs(read - summed) > self.policy.tolerance(read):
                text = f"register {register.register} says {read}, its intervals add up to {summed}"
                self.findings.hold(codes.REGISTER_INTERVAL_MISMATCH, text, at_risk=read - summed, unit=register.unit)


def _has_buckets(registers: Sequence[Register]) -> bool:
    return any(r.tou_bucket for r in registers)


def _joined(one: FlowPart, other: FlowPart) -> FlowPart:
    """Return two channels of one flow as one part; the first one's values stand for counts."""
    buckets = None
    if one.buckets is not None and other.buckets is not None:
        buckets = {b: one.buckets[b] + other.buckets[b] if b in other.buckets else one.buckets[b] for b in one.buckets}
    return FlowPart(
        one.flow, one.unit, one.source, one.total + other.total, buckets, one.uses + other.uses, one.channel
    )
