"""What was delivered and received over a stretch without a bill: segment by segment, flow by flow (domain 2.5, 4.8)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from canonical.metering import Register, RegisterReading
from canonical.periods import Period
from canonical.reading_types import Flow
from flows.billing_exchange.quantities import quantity_code
from flows.billing_exchange.segments import Segment, segments_of
from flows.unbilled.intervals import interval_sum
from flows.unbilled.policy import Policy
from flows.unbilled.reads import Contradiction, Counted, Read, count, read_of
from flows.unbilled.spans import Span
from flows.unbilled.subject import ZERO, Subject

Reads = Mapping[tuple[str, str], Sequence[RegisterReading]]
EARLY = timedelta(days=1)
"""How long before a stretch without billed reads the read may lie that stands for its beginning."""


@dataclass(slots=True)
class Energy:
    """What is known of the energy of some stretches; it grows while they are looked at."""

    delivered: Decimal = ZERO
    received: Decimal = ZERO
    covered: list[Period] = field(default_factory=list)
    """Time of which delivered energy is measured."""

    billed_reads: dict[str, str] = field(default_factory=dict)
    latest_reads: dict[str, str] = field(default_factory=dict)
    contradictions: list[str] = field(default_factory=list)

    @property
    def read_at(self) -> datetime | None:
        """Latest instant up to which delivered energy is measured."""
        return max((period.end for period in self.covered), default=None)


@dataclass(frozen=True, slots=True)
class _Part:
    """The energy of one flow in one segment."""

    quantity: Decimal
    covered: tuple[Period, ...]


def measure(subject: Subject, spans: Iterable[Span], reads: Reads, policy: Policy) -> Energy:
    """Return what the reads (and interval values) say of stretches without a bill; residuals of bills included."""
    energy = Energy()
    for span in spans:
        if span.before is not None:
            energy.delivered += span.before.residuals.get(quantity_code(subject.unit, "DELIVERED"), ZERO)
            energy.received += span.before.residuals.get(quantity_code(subject.unit, "RECEIVED"), ZERO)
        for segment in segments_of(subject.installations, span.period, subject.commodity):
            if not segment.is_empty:
                _Measurer(subject, span, segment, reads, policy, energy).run()
    return energy


@dataclass(frozen=True, slots=True)
class _Measurer:
    """Measures one segment of one stretch; holds what every step of it needs."""

    subject: Subject
    span: Span
    segment: Segment
    reads: Reads
    policy: Policy
    energy: Energy

    def run(self) -> None:
        """Add the segment's energy."""
        flows = {r.flow for r in self.segment.installation.registers}
        delivered = self._flow("DELIVERED" if "DELIVERED" in flows else "TOTAL")
        received = self._flow("RECEIVED")
        if delivered is not None:
            self.energy.delivered += delivered.quantity
            self.energy.covered += delivered.covered
        if received is not None:
            self.energy.received += received.quantity

    def _flow(self, flow: Flow) -> _Part | None:
        """Return one flow: by total registers, else by those of time of use, else by interval channels."""
        unit = self.subject.unit
        mine = [r for r in self.segment.installation.registers if r.flow == flow and r.unit == unit and not r.is_demand]
        cumulative = [r for r in mine if not r.interval_minutes]
        totals = [r for r in cumulative if not r.tou_bucket]
        buckets = [r for r in cumulative if r.tou_bucket]
        return (
            self._registers(totals)
            or self._registers(buckets)
            or self._channels([r for r in mine if r.interval_minutes])
        )

    def _registers(self, registers: Sequence[Register]) -> _Part | None:
        """Return the sum of registers, or None where one of them was not read."""
        counts = [self._register(register) for register in registers]
        found = [one for one in counts if isinstance(one, Counted)]
        self.energy.contradictions += [one.text for one in counts if isinstance(one, Contradiction)]
        if not found or len(found) < len(counts):
            return None
        for register, one in zip(registers, found, strict=True):
            self.energy.latest_reads[self._name(register)] = f"{one.last.value:f}"
        begin, end = max(one.begin for one in found), min(one.end for one in found)
        covered = (Period(max(begin, self.span.period.start), end),) if begin < end else ()
        return _Part(sum((one.quantity for one in found), ZERO), covered)

    def _register(self, register: Register) -> Counted | Contradiction | None:
        installation, period = self.segment.installation, self.segment.period
        known = self.reads.get((installation.meter, register.reading_type), ())
        known = [r for r in known if period.start - EARLY <= r.taken_at <= period.end]
        start, stop = self._billed_start(register), self._billed_stop(register)
        if start is not None or self.segment.begins_with_installation:
            known = [r for r in known if r.taken_at >= period.start]
        elif known:
            nearest = min(known, key=lambda r: (abs(r.taken_at - period.start), r.taken_at))
            known = [r for r in known if r.taken_at >= nearest.taken_at]
        bill = self.span.before
        return count(
            [read_of(r, installation, self.policy) for r in known],
            register,
            installation.multiplier,
            start=start,
            may_fall=bill is not None and bill.is_estimated,
            stop=stop,
        )

    def _billed_start(self, register: Register) -> Read | None:
        """Return the stop read of the last bill, where this segment goes on from it."""
        installation, bill = self.segment.installation, self.span.before
        if bill is None or self.segment.period.start != self.span.period.start:
            return None
        value = bill.stops.get((installation.meter, register.register))
        if value is None:
            return None
        self.energy.billed_reads[self._name(register)] = f"{value:f}"
        return Read(self.span.period.start, value, value * installation.multiplier)

    def _billed_stop(self, register: Register) -> Read | None:
        """Return the start read of the bill that follows, where this segment reaches it."""
        installation, bill = self.segment.installation, self.span.after
        if bill is None or self.segment.period.end != self.span.period.end:
            return None
        value = bill.starts.get((installation.meter, register.register))
        return None if value is None else Read(self.span.period.end, value, value * installation.multiplier)

    def _channels(self, registers: Sequence[Register]) -> _Part | None:
        """Return the sum of interval channels, or None where one of them has no value at all."""
        found = [
            interval_sum(
                self.subject.blocks, self.segment.installation, register, self.segment.period, policy=self.policy
            )
            for register in registers
        ]
        summed = [one for one in found if one is not None]
        if not summed or len(summed) < len(found):
            return None
        return _Part(sum((one.quantity for one in summed), ZERO), summed[0].covered)

    def _name(self, register: Register) -> str:
        """Return how people know a register: serial of its meter and its id."""
        return f"{self.segment.installation.serial} {register.register}"


def unread(spans: Iterable[Span], covered: Sequence[Period], longest: timedelta) -> list[Period]:
    """Return the parts of some stretches, longer than `longest`, of which nothing is measured."""
    found = []
    for span in spans:
        reached = span.period.start
        for period in sorted(covered):
            if period.end <= reached or period.start >= span.period.end:
                continue
            if period.start - reached > longest:
                found.append(Period(reached, period.start))
            reached = max(reached, period.end)
        if span.period.end - reached > longest:
            found.append(Period(reached, span.period.end))
    return found
