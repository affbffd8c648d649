"""What a crew tells of an exchange beside its meters, readings and times (domain 2.1)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class FieldReport:
    """What was seen and done at the place of an exchange; a field that was not told is None or empty."""

    multiplier_seen: Decimal | None = None
    """CT x PT as read from the plates."""

    comms_ok: bool | None = None
    """Whether the installer's communication test passed."""

    seal: str = ""
    latitude: Decimal | None = None
    """WGS 84 degrees of where the work was done."""

    longitude: Decimal | None = None
    address: str = ""
    """Where the crew was, as it wrote it; personal data, never in logs."""

    photos: tuple[str, ...] = ()
    """References of pictures, never pictures."""

    reported_at: datetime | None = None
    """UTC: when the crew told it."""
