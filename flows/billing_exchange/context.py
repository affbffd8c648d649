"""What a bill is calculated from and what a calculation says: plain values, no store, no clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from canonical.billing import BillDeterminant, BillingRequestItem, Remark
from canonical.customers import CustomerAgreement, TouCalendar
from canonical.errors import ErrorCode
from canonical.metering import Installation, IntervalBlock, MultiplierState, RegisterReading, UsagePoint
from canonical.periods import Period


@dataclass(frozen=True, slots=True)
class LastBill:
    """What the previous bill of this usage point and commodity ended with."""

    period: Period
    request_id: str
    determinant_id: str
    version: int
    stops: Mapping[tuple[str, str], Decimal]
    """Stop reads by (mRID of the meter, register id), multiplier not applied, as the determinant stated them."""

    residuals: Mapping[str, Decimal]
    """Residual carried per determinant code (ruling 12): exact minus billed so far."""

    daily_quantity: Decimal
    """Average per local day of the delivered total, for plausibility."""

    consecutive_estimates: int
    """Bills in a row, this one included, that rest on estimates; 0 when it ended with an actual read."""

    zero_cycles: int
    """Bills in a row, this one included, without any usage."""


@dataclass(frozen=True, slots=True)
class BillContext:
    """Everything that the calculation of one billing item may look at.

    `registers` and `blocks` stand in the order of receipt, oldest first: of two versions of one value the later counts.
    """

    item: BillingRequestItem
    determinant_id: str
    version: int
    supersedes_id: str
    usage_point: UsagePoint
    agreement: CustomerAgreement | None
    """None when nobody has an agreement for the usage point."""

    installations: tuple[Installation, ...]
    calendar: TouCalendar | None
    """None for a flat tariff, and when the agreement names a calendar that is not known."""

    registers: tuple[RegisterReading, ...]
    """Snapshots, demand readings, and the MDMS's quantities of a period (macroPeriod 8)."""

    blocks: tuple[IntervalBlock, ...]
    last_bill: LastBill | None
    """None for the first bill."""

    read_window: Period | None
    """Goes on the answer as it is; None where the interface does not state one."""

    cycle: str
    multipliers: Mapping[str, MultiplierState]
    """Whether reads and interval values of each source carry the multiplier already (site file); the empty name stands
    for sources that are not named."""

    in_storm: bool = False
    """Whether its district is in storm mode, so that no estimate may be billed (domain 4.3)."""

    as_of: datetime | None = None
    """Business instant of the bill, for the back-billing limit; None counts from the period's end."""


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing without which the item cannot be billed (yet)."""

    usage_point: str
    meter: str
    """mRID, or empty when a quantity of the whole usage point is missing."""

    register: str
    """Register id, or a reading type where the register is not known."""

    at: datetime | None
    """Instant at which a read is wanted; None when a span of intervals is missing."""

    period: Period | None
    """Span for which values are wanted; None for a read."""

    why: str


@dataclass(frozen=True, slots=True)
class Hold:
    """A reason to show the item to a person before it is billed."""

    code: ErrorCode
    reason: str
    at_risk: Decimal
    """Quantity that is not billed, or doubtful, while this is open; never negative."""

    unit: str


@dataclass(frozen=True, slots=True)
class Calculated:
    """What the calculation of one item came to.

    `missing` not empty: ask again; a determinant beside it is PARTIAL: the total is there, not all that the rate needs.
    `holds` not empty: the determinant (where the figures allowed one) waits for a person, who may release it as it is.
    """

    determinant: BillDeterminant | None
    missing: tuple[Missing, ...]
    holds: tuple[Hold, ...]
    residuals: Mapping[str, Decimal]
    """Residual per determinant code, to be carried into the next bill once this one is billed."""

    trail: tuple[str, ...]
    """Each step in plain words with its numbers, so that a person can recompute it on paper."""

    stops: Mapping[tuple[str, str], Decimal] = field(default_factory=dict)
    """Stop reads by (meter mRID, register id): what `LastBill.stops` of the next bill is made of."""

    daily_quantity: Decimal = Decimal(0)
    """Delivered total per local day: what `LastBill.daily_quantity` of the next bill is."""


@dataclass(slots=True)
class Findings:
    """What the steps of one calculation note on their way; it lives as long as that calculation."""

    missing: list[Missing] = field(default_factory=list)
    absent: list[Missing] = field(default_factory=list)
    """What the rate needs and is not there although the period's total is: without it the answer is PARTIAL."""

    holds: list[Hold] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    trail: list[str] = field(default_factory=list)
    blocked: bool = False
    """Whether a hold leaves no figure that a person could release."""

    unsplit: bool = False
    """Whether a part of the period can never be split as the rate asks: such an answer is PARTIAL too."""

    def hold(self, code: ErrorCode, reason: str, *, at_risk: Decimal, unit: str, blocked: bool = False) -> None:
        """Note a hold; `blocked` when no determinant can come of it."""
        self.holds.append(Hold(code, reason, abs(at_risk), unit))
        self.trail.append(f"HOLD {code}: {reason}")
        self.blocked = self.blocked or blocked

    def remark(self, code: ErrorCode, text: str, *, quantity: Decimal | None = None) -> None:
        """Note something that the reader of the bill should know and that stops nothing."""
        self.remarks.append(Remark(code.severity, code.number, text, quantity))
        self.trail.append(text)


def unit_of(context: BillContext) -> str:
    """Return the unit in which the item's commodity is billed: kWh, or m3 for gas and water."""
    return "kWh" if context.item.commodity == "ELECTRICITY" else "m3"
