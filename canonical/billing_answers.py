"""How the CIS answers: verdicts on files and items, what it billed, and the notice of it to the MDMS."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from canonical.periods import Period

Verdict = Literal["ACCEPTED", "ACCEPTED_WITH_ERRORS", "REJECTED", "DUPLICATE"]


@dataclass(frozen=True, slots=True)
class ItemVerdict:
    """What the receiver of a file says of one item in it."""

    key: str
    """Request id (for a request file) or determinant id (for a drop)."""

    verdict: Literal["ACCEPTED", "REJECTED", "DUPLICATE"]
    code: str = ""
    reason: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class FileAcknowledgement:
    """What the receiver of a file says of it: the `.ack` that returns for a `.dat` (domain 4.4)."""

    file_name: str
    """Name of the acknowledged data file."""

    sha256: str
    verdict: Verdict
    code: str
    reason: str
    items: tuple[ItemVerdict, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class BilledRow:
    """One row of the CIS's billed extract: proof that a determinant was billed (ruling 3)."""

    determinant_id: str
    version: int
    bill_id: str
    period: Period
    quantity: Decimal
    """Billed quantity of the total determinant, in its unit."""

    event: Literal["BILLED", "CANCELLED", "REBILLED"]
    at: datetime
    line: int = 0
    unit: str = ""
    """Unit of the quantity: kWh or m3."""


@dataclass(frozen=True, slots=True)
class BilledNotice:
    """Tells the MDMS which version of a determinant was billed, so that it locks the estimate (ruling 2)."""

    usage_point: str
    meter: str
    reading_type: str
    determinant_id: str
    version: int
    period: Period
    quantity: Decimal
    quality: str
    billed_at: datetime
