"""What a person must do, or knows to be open: work items and the acts upon them (domain 1.4)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

WorkState = Literal["OPEN", "ASSIGNED", "WAITING", "RESOLVED", "WAIVED", "CANCELLED"]
Act = Literal["opened", "seen_again", "assigned", "released", "cancelled", "waived", "resolved", "noted"]


@dataclass(frozen=True, slots=True)
class WorkItem:
    """One thing that a person must look at; the same (code, key) again is the same item, counted."""

    work_id: str
    """Minted from code and key."""

    code: str
    """Number and name of the catalogue entry."""

    key: str
    """Business key, such as a request id."""

    queue: str
    """Owner queue: `billing`, `metering`, `integration`, ..."""

    summary: str
    due_at: datetime | None
    """Derived from the next billing deadline."""

    at_risk_kwh: Decimal
    """Energy that is not billed while this is open (cubic meters for gas and water: see `unit`)."""

    unit: str = "kWh"
    usage_point: str = ""
    account: str = ""
    meter: str = ""
    run_id: str = ""
    request_id: str = ""
    suggested: str = ""
    """Suggested act, in one sentence."""
