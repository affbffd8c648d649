"""Billing: what the CIS asks for, what it is given, and how it answers. Energy is exact; instants are UTC."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from canonical.billing_answers import (
    BilledNotice as BilledNotice,
)
from canonical.billing_answers import (
    BilledRow as BilledRow,
)
from canonical.billing_answers import (
    FileAcknowledgement as FileAcknowledgement,
)
from canonical.billing_answers import (
    ItemVerdict as ItemVerdict,
)
from canonical.billing_answers import (
    Verdict as Verdict,
)
from canonical.periods import Period
from canonical.reading_types import Commodity, Flow

Reason = Literal[
    "CYCLE", "FINAL", "INITIAL", "MOVE_IN", "MOVE_OUT", "METER_EXCHANGE", "RATE_CHANGE", "SPECIAL",
    "CUSTOMER_REQUEST", "DISCONNECT", "RECONNECT", "REBILL", "CANCEL",
]  # fmt: skip
RunType = Literal["ON", "OFF", "COR", "CAN"]


class Status(StrEnum):
    """What a determinant rests on, or why there is none."""

    ACTUAL = "ACTUAL"
    ESTIMATED = "ESTIMATED"
    MIXED = "MIXED"
    CUSTOMER = "CUSTOMER"
    PARTIAL = "PARTIAL"
    NO_READ = "NO_READ"
    HELD = "HELD"
    REJECTED = "REJECTED"


UNANSWERED = (Status.NO_READ, Status.HELD, Status.REJECTED)
"""Statuses that close an item at window end without energy."""


@dataclass(frozen=True, slots=True)
class BillingRequestItem:
    """One line of a billing request: bill this for that period (domain 4.1, ruling 4)."""

    request_id: str
    """The CIS's id of the request or reading order; returned on every line about it."""

    reason: Reason
    commodity: Commodity
    period: Period
    """Bill period; the wire states local date-times with offset."""

    cycle: str = ""
    usage_point: str = ""
    """mRID, or empty: an item may name a usage point, an agreement, an account or a meter."""

    agreement: str = ""
    account: str = ""
    manufacturer: str = ""
    serial: str = ""
    replaces: str = ""
    """Request id of a cancelled predecessor: with it a repeated period is a REBILL, without it DUPLICATE_PERIOD."""

    cancels: str = ""
    """Request id that this line withdraws (reason CANCEL)."""

    deadline: datetime | None = None
    """Overrides the window's end when given."""

    line: int = 0
    """Line of the request file, 1 for the first."""


@dataclass(frozen=True, slots=True)
class MeterInPeriod:
    """One meter of a bill period (record MTR)."""

    meter: str
    """mRID."""

    manufacturer: str
    serial: str
    installed_at: datetime | None
    removed_at: datetime | None
    role: Literal["NORMAL", "OUT", "IN"]
    exchange_pair_id: str
    multiplier: Decimal
    multiplier_applied: bool
    """Whether REG quantities already carry the multiplier. Reads never do."""

    dials: int
    decimals: int


@dataclass(frozen=True, slots=True)
class RegisterUse:
    """What one register measured in its segment of the period (record REG)."""

    meter: str
    """mRID of the meter."""

    register: str
    reading_type: str
    flow: Flow
    unit: str
    tou_bucket: str
    quantity: Decimal
    """Billed quantity, multiplier applied."""

    start_read: Decimal | None = None
    """Mandatory for REGISTER sources, None for INTERVAL ones; a blank is never written 0 (ruling 13)."""

    start_time: datetime | None = None
    start_quality: str = ""
    stop_read: Decimal | None = None
    stop_time: datetime | None = None
    stop_quality: str = ""
    rollovers: int = 0
    raw_difference: Decimal | None = None
    """stop - start + rollovers x 10**dials, before the multiplier."""

    rounding: str = ""
    """Rounding rule of the interface (ruling 12)."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A determinant that a rate prices (record DET)."""

    code: str
    """KWH_TOTAL, KWH_ON, KWH_MID, KWH_OFF, KWH_RCVD_TOTAL, KWH_NET_TOTAL, M3_TOTAL, ..."""

    unit: str
    tou_bucket: str
    season: str
    flow: Flow
    quantity: Decimal
    source: Literal["REGISTER", "INTERVAL", "MDMS"]
    quality: str
    estimated_part: Decimal


@dataclass(frozen=True, slots=True)
class Demand:
    """A maximum demand with the time of its peak (record DEM)."""

    code: str
    """KW_MAX, KW_ON, ..."""

    value: Decimal
    """kW, multiplier applied."""

    at: datetime
    """End of the interval of the peak; ties go to the earliest."""

    interval_minutes: int
    window: Literal["BLOCK", "ROLLING"]
    resets: int
    reset_at: datetime | None
    quality: str


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that a person should know about a determinant (record EXC)."""

    severity: str
    code: str
    """Four digits of the catalogue."""

    text: str
    quantity: Decimal | None = None
    """Affected quantity, where one can be named."""


@dataclass(frozen=True, slots=True)
class BillDeterminant:
    """The answer to one billing item: what one usage point used in one period (record SVC and what hangs below)."""

    determinant_id: str
    """The idempotency key; stays while `version` rises."""

    version: int
    supersedes_id: str
    """`determinant_id` of what it replaces (a rebill), or empty."""

    account: str
    agreement: str
    usage_point: str
    """mRID."""

    usage_point_name: str
    """POD, NMI, MPAN or ESI id."""

    cycle: str
    read_window: Period | None
    request_id: str
    reason: Reason
    period: Period
    zone: str
    """IANA zone in which the wire states local times."""

    days: int
    status: Status
    commodity: Commodity
    estimate_method: str = ""
    estimate_reason: str = ""
    expected_intervals: int = 0
    actual_intervals: int = 0
    estimated_intervals: int = 0
    missing_intervals: int = 0
    longest_gap_minutes: int = 0
    interval_minutes: int = 0
    net_metering: bool = False
    tou_calendar: str = ""
    """Calendar id and version, joined by a slash."""

    meters: tuple[MeterInPeriod, ...] = ()
    registers: tuple[RegisterUse, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    demands: tuple[Demand, ...] = ()
    remarks: tuple[Remark, ...] = ()

    @property
    def is_answer_without_energy(self) -> bool:
        """Whether it closes its item without a determinant (NO_READ, HELD, REJECTED)."""
        return self.status in UNANSWERED


@dataclass(frozen=True, slots=True)
class ClosingAccount:
    """What became of every accepted item of a run; stands in its last part (ruling 5)."""

    requested: int
    """Accepted items."""

    delivered: int
    unanswered: tuple[tuple[str, int], ...]
    """(status and code such as `NO_READ 6007`, count): with `delivered` they add up to `requested`."""

    rejected: int
    """Items refused at intake; they are not part of `requested`."""

    cancelled: int = 0


@dataclass(frozen=True, slots=True)
class PartHeader:
    """Who sends which part of which run (record HDR)."""

    file_id: str
    sender: str
    receiver: str
    env: str
    created: datetime
    """From the run, never from the clock."""

    business_date: date
    zone: str
    sequence: int
    """Strictly increasing per (sender, interface)."""

    run_type: RunType
    cycle: str
    part: int
    is_last: bool
    revision: int
    replaces_file_id: str = ""


@dataclass(frozen=True, slots=True)
class BillingPart:
    """One part file of a billing drop."""

    header: PartHeader
    determinants: tuple[BillDeterminant, ...]
    closing: ClosingAccount | None = None
    """Present in the last part only."""
