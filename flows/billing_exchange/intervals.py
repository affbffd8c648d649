"""Interval values of one channel laid on the slots of a bill period: versions, gaps, sums (domain 4.6, ruling 13).

A block of any feed's clock (a NEM day always has 1440 minutes) is a run of UTC slots here, so counting and bucketing
need no local time: 92, 96 or 100 quarter hours a local day follow from the period itself.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from canonical.billing import RegisterUse
from canonical.codes import billing as codes
from canonical.metering import MISSING, IntervalBlock, Register
from canonical.periods import Period
from canonical.quality import Quality
from flows.billing_exchange.context import BillContext, Findings, Missing
from flows.billing_exchange.policy import Policy
from flows.billing_exchange.registers import ZERO, Amount
from flows.billing_exchange.segments import Segment
from flows.billing_exchange.tou import Tier
from flows.multipliers import in_one_state

_QUALITIES = tuple(Quality)
_ORDINAL = {quality: n for n, quality in enumerate(_QUALITIES)}
_ABSENT = _ORDINAL[Quality.MISSING]
_CUSTOMER = _ORDINAL[Quality.CUSTOMER]
_ESTIMATES = bytes(n for n, quality in enumerate(_QUALITIES) if quality.is_estimate)
_IS_ESTIMATE = bytes(quality.is_estimate for quality in _QUALITIES).ljust(256, b"\0")


@dataclass(frozen=True, slots=True)
class Channel:
    """The complete interval values of one channel in one segment."""

    segment: Segment
    register: Register
    minutes: int
    origin: datetime
    """Start of the bill period, from which slots are counted."""

    first: int
    """Slot of the first value."""

    values: "array[int]"
    """Scaled integers, in the state in which the sources of the channel state them; every one is there."""

    qualities: bytes
    """Ordinal of each value's quality."""

    exponent: int
    factor: Decimal
    """What turns a sum into the billed unit: the multiplier, or 1 where it is applied already."""

    methods: frozenset[str]
    """The source's own codes of its estimates."""

    @property
    def unit(self) -> str:
        """Unit of the values."""
        return self.register.unit

    @property
    def estimated_count(self) -> int:
        """Number of values that are estimates."""
        return sum(self.qualities.count(n) for n in _ESTIMATES)

    def is_estimated(self, slot: int) -> bool:
        """Return whether the value of a slot of the period is an estimate; false outside the segment."""
        n = slot - self.first
        return 0 <= n < len(self.qualities) and bool(_IS_ESTIMATE[self.qualities[n]])

    def quantity(self, scaled: int) -> Decimal:
        """Return a sum of scaled values in the billed unit."""
        return Decimal(scaled).scaleb(self.exponent) * self.factor

    def total(self) -> Amount:
        """Return the sum of the segment."""
        return self._amount(0, len(self.values))

    def by_bucket(self, runs: Sequence[tuple[int, int, Tier]]) -> Mapping[Tier, Amount]:
        """Return the sum of each bucket; `runs` are (first slot, slot after the last, tier) over the bill period."""
        sums: dict[Tier, int] = {}
        doubtful: dict[Tier, int] = {}
        with_estimates = bool(self.estimated_count)
        last = self.first + len(self.values)
        for begin, end, bucket in runs:
            a, b = max(begin, self.first) - self.first, min(end, last) - self.first
            if a >= b:
                sums.setdefault(bucket, 0)
                continue
            sums[bucket] = sums.get(bucket, 0) + sum(self.values[a:b])
            if with_estimates:
                doubtful[bucket] = doubtful.get(bucket, 0) + self._estimated(a, b)
        kinds = self._kinds(0, len(self.values))
        return {
            bucket: Amount(self.quantity(scaled), None, self.quantity(doubtful.get(bucket, 0)), kinds, self.methods)
            for bucket, scaled in sums.items()
        }

    def use(self, policy: Policy) -> RegisterUse:
        """Return the channel as the determinant names it: a quantity without reads."""
        return RegisterUse(
            meter=self.segment.installation.meter,
            register=self.register.register,
            reading_type=self.register.reading_type,
            flow=self.register.flow,
            unit=self.register.unit,
            tou_bucket=self.register.tou_bucket,
            quantity=self.quantity(sum(self.values)),
            rounding=policy.rounding,
        )

    def _amount(self, a: int, b: int) -> Amount:
        estimated = self._estimated(a, b) if self.estimated_count else 0
        return Amount(
            self.quantity(sum(self.values[a:b])), None, self.quantity(estimated), self._kinds(a, b), self.methods
        )

    def _estimated(self, a: int, b: int) -> int:
        flags = self.qualities[a:b].translate(_IS_ESTIMATE)
        return sum(v for v, flag in zip(self.values[a:b], flags, strict=True) if flag)

    def _kinds(self, a: int, b: int) -> frozenset[str]:
        part = self.qualities[a:b]
        estimated = sum(part.count(n) for n in _ESTIMATES)
        customer = part.count(_CUSTOMER)
        kinds = {"estimated": estimated, "customer": customer, "actual": len(part) - estimated - customer}
        return frozenset(kind for kind, count in kinds.items() if count)


def channel_of(
    segment: Segment, register: Register, *, context: BillContext, allow_estimates: bool, findings: Findings
) -> Channel | None:
    """Return a channel's values over its segment, or None when some are missing or lie across the period's ends.

    The interval in which a meter came or went counts for both meters. A MISSING value is never 0: each gap goes to
    `findings`.
    """
    minutes, origin = register.interval_minutes, context.item.period.start
    first = int((segment.period.start - origin) / timedelta(minutes=1)) // minutes
    after = -(-int((segment.period.end - origin).total_seconds()) // (minutes * 60))
    meter = segment.installation.meter
    blocks = [
        b
        for b in context.blocks
        if b.meter == meter and b.reading_type == register.reading_type and b.period.overlaps(segment.period)
    ]
    if context.item.period.minutes % minutes or any(_off_grid(b, minutes, context.item.period) for b in blocks):
        text = f"register {register.register}: {minutes}-minute intervals do not fit {context.item.period}"
        findings.hold(codes.INTERVAL_MISALIGNED, text, at_risk=ZERO, unit=register.unit, blocked=True)
        return None
    told, factor = in_one_state(blocks, segment.installation.multiplier, context.multipliers)
    laid = _Slots(first, after - first, min((b.exponent for b in told), default=0), allow_estimates=allow_estimates)
    for block in told:
        laid.lay(block, int((block.start - origin).total_seconds()) // 60 // minutes)
    if laid.gaps():
        findings.missing.extend(_missing(gap, context, segment, register) for gap in laid.gaps())
        return None
    methods = frozenset(laid.methods)
    channel = Channel(
        segment, register, minutes, origin, first, laid.values, bytes(laid.qualities), laid.exponent, factor, methods
    )
    _tell(channel, findings)
    return channel


def _tell(channel: Channel, findings: Findings) -> None:
    segment, minutes, summed = channel.segment, channel.minutes, sum(channel.values)
    serial = segment.installation.serial
    if segment.begins_with_installation and (segment.period.start - channel.origin) % timedelta(minutes=minutes):
        text = f"meter {serial} came inside an interval of {minutes} minutes: both meters count"
        findings.remark(codes.PARTIAL_INTERVAL, text)
    findings.trail.append(
        f"meter {serial} channel {channel.register.register}: {len(channel.values)} intervals of {minutes} minutes "
        f"add up to {Decimal(summed).scaleb(channel.exponent)}, x {channel.factor} = "
        f"{channel.quantity(summed)} {channel.unit} ({channel.estimated_count} estimated)"
    )


def _off_grid(block: IntervalBlock, minutes: int, period: Period) -> bool:
    seconds = int((block.start - period.start).total_seconds())
    return block.interval_minutes != minutes or bool(seconds % (minutes * 60))


def _missing(gap: tuple[int, int], context: BillContext, segment: Segment, register: Register) -> Missing:
    minutes, origin = register.interval_minutes, context.item.period.start
    span = Period(origin + timedelta(minutes=minutes * gap[0]), origin + timedelta(minutes=minutes * gap[1]))
    why = f"{gap[1] - gap[0]} intervals of {minutes} minutes are missing"
    meter = segment.installation.meter
    return Missing(context.usage_point.usage_point, meter, register.register, None, span, why)


class _Slots:
    """Values being laid on slots; a better or later version replaces what lies there."""

    def __init__(self, first: int, count: int, exponent: int, *, allow_estimates: bool) -> None:
        self.first = first
        self.exponent = exponent
        self.allow_estimates = allow_estimates
        self.values = array("q", [MISSING]) * count
        self.qualities = bytearray([_ABSENT]) * count
        self.methods: set[str] = set()

    def lay(self, block: IntervalBlock, slot: int) -> None:
        """Lay one block, whose first value belongs to `slot` of the bill period."""
        begin = slot - self.first
        for count, quality, source_quality in block.qualities:
            a, b = max(begin, 0), min(begin + count, len(self.values))
            if a < b and quality is Quality.UNUSABLE:
                # The source takes back what it told before.
                self.values[a:b] = array("q", [MISSING]) * (b - a)
                self.qualities[a:b] = bytes([_ABSENT]) * (b - a)
            elif a < b and quality.is_usable and (self.allow_estimates or not quality.is_estimate):
                offset = slot - self.first
                self._lay_run(a, b, block.values[a - offset : b - offset], quality, block.exponent)
                if quality.is_estimate:
                    self.methods.add(source_quality)
            begin += count

    def _lay_run(self, a: int, b: int, values: "array[int]", quality: Quality, exponent: int) -> None:
        if exponent != self.exponent:
            factor = 10 ** (exponent - self.exponent)
            values = array("q", (v if v == MISSING else v * factor for v in values))
        ordinal = _ORDINAL[quality]
        nothing_there = self.qualities.count(_ABSENT, a, b) == b - a
        if nothing_there and MISSING not in values:
            self.values[a:b] = values
            self.qualities[a:b] = bytes([ordinal]) * (b - a)
            return
        for n, value in enumerate(values, a):
            if value == MISSING:
                continue
            # An estimate never replaces what was measured.
            if quality.is_estimate and self.qualities[n] != _ABSENT and not _IS_ESTIMATE[self.qualities[n]]:
                continue
            self.values[n] = value
            self.qualities[n] = ordinal

    def gaps(self) -> Sequence[tuple[int, int]]:
        """Return the runs of slots without a value, as (first slot, slot after the last) of the bill period."""
        return tuple((a + self.first, b + self.first) for a, b in self._gaps())

    def _gaps(self) -> Iterator[tuple[int, int]]:
        at = self.qualities.find(_ABSENT)
        while at >= 0:
            end = at
            while end < len(self.qualities) and self.qualities[end] == _ABSENT:
                end += 1
            yield at, end
            at = self.qualities.find(_ABSENT, end)
