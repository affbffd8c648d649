"""What one entry of the register is calculated from: plain values, no store, no clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from canonical.customers import BillCycleDay, CustomerAgreement, TouCalendar
from canonical.metering import Installation, IntervalBlock, RegisterReading, UsagePoint
from canonical.periods import Period
from canonical.reading_types import Commodity

ZERO = Decimal(0)
RegisterKey = tuple[str, str]
"""mRID of the meter and register id."""


@dataclass(frozen=True, slots=True)
class Bill:
    """One bill that stands: billed by the CIS and not taken back (ruling 3)."""

    period: Period
    quantity: Decimal
    """Delivered energy that it bills, as the CIS says."""

    daily_use: Decimal
    """Delivered per local day, as calculated."""

    days: int
    stops: Mapping[RegisterKey, Decimal]
    """Billed stop reads, multiplier not applied."""

    residuals: Mapping[str, Decimal]
    """Carried to the next bill, by determinant code (ruling 12)."""

    is_estimated: bool
    """Whether it ended with an estimate: the next read may lie below."""

    is_assumed: bool
    """Whether the site's rule stands for the CIS's word."""

    corrected: Decimal = ZERO
    """What a better version found in its period beyond the billed one, where no later read settles it by itself."""

    misbilled: Decimal = ZERO
    """Stated by the billed version beyond what the CIS put on the bill."""

    is_noticed: bool = False
    """Whether a correction notice about it is out."""

    starts: Mapping[RegisterKey, Decimal] = field(default_factory=dict)
    """Start reads, known where a gap lies before it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One item that the CIS asked for and that is on no bill that stands."""

    request_id: str
    period: Period
    state: str
    """State of the billing item (domain 4.2)."""

    status: str
    code: str
    """Why it is held or unanswered, number and name; empty for none."""

    reason: str
    deadline: datetime | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """One agreement, or one usage point with a meter and without agreement, and all that is known of it."""

    agreement: CustomerAgreement | None
    span: Period
    """From the beginning of the agreement (or of the time without one) to the instant of the register."""

    known_since: datetime
    """When the hub first learned of the agreement, or of the meter that hangs without one."""

    is_over: bool
    """Whether the agreement has ended: only what its bills do not cover yet is looked at."""

    usage_point_id: str
    usage_point: UsagePoint | None
    """None when no master tells of it."""

    commodity: Commodity
    installations: tuple[Installation, ...]
    bills: tuple[Bill, ...] = ()
    """Standing bills, oldest first."""

    cancelled: tuple[Period, ...] = ()
    """Periods whose bills were taken back and are not billed again."""

    asked: tuple[Asked, ...] = ()
    calendar: TouCalendar | None = None
    cycle_days: tuple[BillCycleDay, ...] = ()
    registers: tuple[RegisterReading, ...] = ()
    """Register values in order of receipt, oldest first."""

    blocks: tuple[IntervalBlock, ...] = ()
    work: tuple[tuple[str, str], ...] = ()
    """Open work items: id and code."""

    @property
    def unit(self) -> str:
        """Unit in which its commodity is billed."""
        return "kWh" if self.commodity == "ELECTRICITY" else "m3"

    @property
    def zone(self) -> str:
        """IANA zone of its local days."""
        return self.usage_point.zone if self.usage_point is not None else ""
