"""What becomes a person's work: holds and exceptions of a billing item, with owner queue, due time and kWh at risk."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from canonical.errors import ErrorCode
from canonical.ids import mint
from canonical.work import WorkItem
from flows.billing_exchange.interface import Interface
from flows.billing_exchange.stored import from_micro

AREAS = {"2": "metering", "3": "metering", "4": "metering", "6": "billing", "7": "integration"}
"""Area of a code by its first digit; a code whose `acts` names an area goes there."""


def work_item(
    interface: Interface,
    row: Mapping[str, Any],
    code: ErrorCode,
    reason: str = "",
    *,
    at_risk: Decimal | None = None,
    due_at: datetime | None = None,
) -> WorkItem:
    """Return the work that a code means for one billing item (a row of the store); due when its window ends."""
    return WorkItem(
        work_id=mint("work", code.number, row["request_id"], interface.name),
        code=str(code),
        key=row["request_id"],
        queue=queue_of(interface, code),
        summary=reason or code.meaning,
        due_at=due_at or row["deadline"],
        at_risk_kwh=from_micro(row["quantity_micro"]) if at_risk is None else at_risk,
        unit=row["unit"],
        usage_point=row["usage_point"],
        account=row["account"],
        run_id=row["run_id"],
        request_id=row["request_id"],
        suggested=code.next_step,
    )


def work_about(
    interface: Interface, key: str, code: ErrorCode, reason: str, *, due_at: datetime, run_id: str = ""
) -> WorkItem:
    """Return work that belongs to a part or a file rather than to one item."""
    return WorkItem(
        work_id=mint("work", code.number, key, interface.name),
        code=str(code),
        key=key,
        queue=queue_of(interface, code),
        summary=reason,
        due_at=due_at,
        at_risk_kwh=Decimal(0),
        run_id=run_id,
        suggested=code.next_step,
    )


def queue_of(interface: Interface, code: ErrorCode) -> str:
    """Return the owner queue of a code."""
    area = code.acts if code.acts in ("billing", "metering", "integration") else AREAS.get(code.number[0], "billing")
    return interface.queue(area)
