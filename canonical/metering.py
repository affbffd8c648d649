"""Metered things and what they measured. Instants are UTC; energy is exact (scaled integers or Decimal)."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from canonical.periods import Period
from canonical.quality import Quality
from canonical.reading_types import Commodity, Flow

MISSING = -(2**63)
"""Value of an interval that has none. Never a quantity, never summed."""

MultiplierState = Literal["raw", "applied"]
"""Whether a source states values as registers show them, or with the multiplier applied; the site file declares it."""


@dataclass(frozen=True, slots=True)
class UsagePoint:
    """Where a service is delivered (CIM UsagePoint), as its master states it from `valid_from` on."""

    usage_point: str
    """mRID."""

    name: str
    """What the trade calls it: NMI, POD, MPAN, ESI id."""

    zone: str
    """IANA zone of the premise; bill periods are its local days."""

    commodity: Commodity
    """What is delivered."""

    read_source: str
    """`AMI`, `MANUAL` or `NONE`."""

    valid_from: datetime
    """First instant at which this version holds."""

    valid_to: datetime | None = None
    """First instant at which it no longer holds; None while it is open."""

    district: str = ""
    """Reading district of its master, for people and routes."""

    route: str = ""
    """Reading route of its master."""


@dataclass(frozen=True, slots=True)
class Register:
    """One register or channel of a meter (CIM Register with its Channel)."""

    register: str
    """The register's id on the meter, such as `T1` or `E1`."""

    reading_type: str
    """CIM reading type code of its values."""

    unit: str
    """Unit of the raw values: kWh, kW, m3."""

    flow: Flow
    """Delivered and received are never folded into one sign."""

    dials: int
    """Digits before the decimal point; 0 for an interval channel."""

    decimals: int
    """Digits after the decimal point."""

    tou_bucket: str = ""
    """`ON`, `MID`, `OFF`, ... or empty for the total."""

    interval_minutes: int = 0
    """Interval length for a channel; 0 for a cumulative register."""

    is_demand: bool = False
    """Whether it keeps a maximum demand rather than a cumulated quantity."""


@dataclass(frozen=True, slots=True)
class Installation:
    """A meter at a usage point from `installed_at` to `removed_at`, with its registers and multiplier."""

    usage_point: str
    """mRID of the usage point."""

    meter: str
    """mRID of the meter: minted from manufacturer and normalized serial."""

    manufacturer: str
    serial: str
    """As the master writes it; unique only together with the manufacturer."""

    commodity: Commodity
    installed_at: datetime
    removed_at: datetime | None
    """None while it hangs."""

    multiplier: Decimal
    """CT x PT (x constant); 1 for a whole-current meter. Applied exactly once between meter and bill."""

    registers: tuple[Register, ...]

    @property
    def active(self) -> Period:
        """The span in which the meter measures for the usage point."""
        return Period(self.installed_at, self.removed_at or FAR_FUTURE)


@dataclass(frozen=True, slots=True)
class RegisterReading:
    """One value read from a register at an instant (CIM Reading)."""

    usage_point: str
    """mRID of the usage point, empty when the source names only the meter."""

    meter: str
    """mRID of the meter."""

    reading_type: str
    """CIM reading type code."""

    taken_at: datetime
    """The instant to which the value belongs; for a maximum demand, the end of its interval."""

    value: Decimal
    """As the source states it: raw or with the multiplier applied (`MultiplierState`)."""

    quality: Quality
    source_quality: str
    """The source's own quality code."""

    source: str
    """The feed that told it, such as `mdms`."""

    period: Period | None = None
    """For a quantity of a period (billing determinants of an MDMS): that period. None for a snapshot."""

    reason: str = ""
    """Why it was read (CIM ReadingReasonKind, such as `demandReset`); empty where the source does not say."""


@dataclass(frozen=True, slots=True)
class IntervalBlock:
    """Consecutive interval quantities of one channel (CIM IntervalBlock), as scaled integers."""

    usage_point: str
    """mRID of the usage point, empty when the source names only the meter."""

    meter: str
    """mRID of the meter."""

    reading_type: str
    start: datetime
    """Start of the first interval; wires that stamp ends are converted at the adapter."""

    interval_minutes: int
    exponent: int
    """Each value counts 10**exponent units: 12345 with -3 is 12.345."""

    values: "array[int]"
    """array('q'); MISSING where there is none."""

    qualities: tuple[tuple[int, Quality, str], ...]
    """Runs (count, quality, the source's own code) that together cover all values, in order."""

    source: str
    """The feed that told it."""

    def __post_init__(self) -> None:
        """Check that qualities cover the values.

        Raises:
            ValueError: the runs do not add up to the number of values.
        """
        if sum(run[0] for run in self.qualities) != len(self.values):
            raise ValueError(f"quality runs cover {sum(r[0] for r in self.qualities)} of {len(self.values)} values")

    @property
    def period(self) -> Period:
        """From the start of the first interval to the end of the last."""
        return Period(self.start, self.start + timedelta(minutes=self.interval_minutes * len(self.values)))

    @property
    def total(self) -> Decimal:
        """Exact sum of the values that are there."""
        return scaled_sum(self.values, self.exponent)


def scaled_sum(values: Iterable[int], exponent: int) -> Decimal:
    """Return the exact sum of scaled integers as a Decimal, MISSING left out."""
    return Decimal(sum(v for v in values if v != MISSING)).scaleb(exponent)


FAR_FUTURE = datetime.fromisoformat("9999-12-31T00:00:00+00:00")
"""Stands for an open end where two ends are compared."""


@dataclass(frozen=True, slots=True)
class MeterReadings:
    """What one source said of one meter or usage point, over one span (CIM MeterReading)."""

    usage_point: str
    """mRID, or empty when the source knows only a name or the meter."""

    meter: str
    """mRID, or empty when the source gives no manufacturer: then `serial` is what it knows."""

    registers: tuple[RegisterReading, ...] = ()
    blocks: tuple[IntervalBlock, ...] = ()
    events: tuple[str, ...] = field(default=())
    """Remarks of the source that bear on the values, as it wrote them."""

    usage_point_name: str = ""
    """NMI or other name by which the source knows the usage point; the flow finds the mRID by it."""

    serial: str = ""
    """Meter serial as the source writes it."""


@dataclass(frozen=True, slots=True)
class ReadingQuestion:
    """What the hub asks a meter data system: the readings of one usage point for one purpose."""

    usage_point: str
    """mRID."""

    period: Period
    """Registers are wanted at (or next to) both ends, interval values inside."""

    reason: str = "billing"
    """CIM ReadingReasonKind."""

    fresh: bool = False
    """Whether the system is asked to read the meter again rather than answer from what it holds."""

    reading_types: tuple[str, ...] = ()
    """CIM reading type codes that are wanted; none means all."""


@dataclass(frozen=True, slots=True)
class TopologyLink:
    """By which transformer and feeder a usage point is supplied, as the GIS states it from `valid_from` on."""

    usage_point: str
    """mRID."""

    transformer: str
    feeder: str
    valid_from: datetime
    valid_to: datetime | None = None
    """First instant at which it is no longer supplied so; None while it is."""
