"""Energy that was delivered and is on no bill yet: one entry for each agreement and business day (domain 4.8)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from canonical.reading_types import Commodity


class Reason(StrEnum):
    """Why energy is not billed yet. The order is that of precedence: the first one with evidence is told."""

    NO_SA = "NO_SA"
    NO_METER = "NO_METER"
    MISSING_CUSTOMER_INFO = "MISSING_CUSTOMER_INFO"
    AWAITING_CORRECTION = "AWAITING_CORRECTION"
    METER_DATA_MISMATCH = "METER_DATA_MISMATCH"
    TARIFF_MISMATCH = "TARIFF_MISMATCH"
    TOU_NOT_READY = "TOU_NOT_READY"
    NET_METERING = "NET_METERING"
    HELD_VALIDATION = "HELD_VALIDATION"
    NON_COMMUNICATING = "NON_COMMUNICATING"
    SHORT_BILL_PENDING = "SHORT_BILL_PENDING"
    BILL_THROUGH_METER_CHANGE = "BILL_THROUGH_METER_CHANGE"
    IN_CYCLE = "IN_CYCLE"
    AWAITING_BILL = "AWAITING_BILL"
    NOT_REQUESTED = "NOT_REQUESTED"


EVIDENCE: Mapping[Reason, str] = {
    Reason.NO_SA: "A meter hangs at the usage point and no agreement is active there.",
    Reason.NO_METER: "The agreement is active and no meter hangs at its usage point.",
    Reason.MISSING_CUSTOMER_INFO: "The masters lack what a bill needs: usage point, account, tariff, class or cycle.",
    Reason.AWAITING_CORRECTION: "A bill was taken back, or a correction notice is out, and no bill followed.",
    Reason.METER_DATA_MISMATCH: "Reads contradict each other, the last bill or the meter data system's figures.",
    Reason.TARIFF_MISMATCH: "The meter cannot measure what the tariff prices (time of use, energy received).",
    Reason.TOU_NOT_READY: "The total is there, its split by time of use is not.",
    Reason.NET_METERING: "The agreement is one of net metering; its bill is overdue, and held or not asked for.",
    Reason.HELD_VALIDATION: "A figure exists; billing validation holds it for a person.",
    Reason.NON_COMMUNICATING: "The meter was not read for longer than the site allows.",
    Reason.SHORT_BILL_PENDING: "The meter was exchanged, and a bill up to the exchange was asked for.",
    Reason.BILL_THROUGH_METER_CHANGE: "The meter was exchanged since the last bill; one bill covers both meters.",
    Reason.IN_CYCLE: "Its bill is not due yet, or is being made within its window.",
    Reason.AWAITING_BILL: "The determinant was handed on; the bill is overdue.",
    Reason.NOT_REQUESTED: "Its bill is overdue and the CIS has not asked for it.",
}
"""What each reason is told by, in order of precedence."""

AGES: tuple[str, ...] = ("0-5", "6-30", "31-60", "61-90", ">90")
"""Days since the energy should have been billed."""

_UPPER = (5, 30, 60, 90)

Basis = Literal["reads", "average", "reads+average", "nothing"]
SinceBy = Literal["billed", "assumed", "agreement", "asked", "installed", "ended", "known", "horizon"]


def age_of(days: int) -> str:
    """Return the bucket of `AGES` into which an age in days falls; what is not due yet is 0 days old."""
    return next((name for name, upper in zip(AGES, _UPPER, strict=False) if days <= upper), AGES[-1])


@dataclass(frozen=True, slots=True)
class UnbilledEntry:
    """What one agreement (or one metered usage point without any) had unbilled on one business day."""

    day: date
    """Local date in the utility's own zone."""

    as_of: datetime
    """Instant up to which it is counted, UTC."""

    agreement: str
    """The CIS's id; empty where a meter hangs without agreement (NO_SA)."""

    account: str
    usage_point: str
    """mRID."""

    customer_class: str
    tariff: str
    cycle: str
    commodity: Commodity
    unit: str
    """kWh, or m3 for gas and water."""

    reason: Reason
    evidence: str
    """What decided for the reason, in plain words."""

    since: datetime
    """First instant that is not billed, UTC."""

    since_by: SinceBy
    """What that instant is: the end of a billed period (`assumed` by the site's rule), the beginning of the agreement,
    of the first period that the CIS asked for, of the installation, of the time after the last agreement (`ended`), of
    what the hub knows (`known`), or of the register's horizon."""

    due: date
    """Local date on which it should be on a bill."""

    age_days: int
    """Days since `due`; 0 before it."""

    measured: Decimal
    """Delivered, by reads or interval values; multiplier applied. Negative after an estimate that was too high."""

    averaged: Decimal
    """Delivered where nothing was read: average daily use times days."""

    corrected: Decimal
    """Found inside billed periods after they were billed, or billed otherwise than stated."""

    received: Decimal
    """Received from the customer, never folded into what was delivered."""

    average_by: str
    """What the daily use is: `season`, `bills`, `profile`; empty where none was needed, `none` where none is known."""

    read_at: datetime | None
    """Latest valid read, UTC; None where there is none since `since`."""

    billed_reads: Mapping[str, str]
    """Last billed reads by register, as the register showed them."""

    latest_reads: Mapping[str, str]
    """Latest valid reads by register, as told by the feed."""

    money_minor: int | None
    """At the average rate, rounded once, in minor units of the currency; None where the site states no rate."""

    work: tuple[str, ...] = ()
    """Ids of the open work items about it."""

    @property
    def quantity(self) -> Decimal:
        """Everything delivered and not billed."""
        return self.measured + self.averaged + self.corrected

    @property
    def age(self) -> str:
        """Bucket of `AGES`."""
        return age_of(self.age_days)

    @property
    def basis(self) -> Basis:
        """What the quantity rests on."""
        by_reads, by_average = self.read_at is not None, self.average_by not in ("", "none")
        if by_reads:
            return "reads+average" if by_average else "reads"
        return "average" if by_average else "nothing"
