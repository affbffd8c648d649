"""A calculated determinant as a row of the store, with its trail and what the next bill needs of it."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from canonical.billing import BillDeterminant
from flows.billing_exchange.context import Calculated, LastBill
from flows.billing_exchange.stored import carry_to_text, determinant_to_text, micro, total_of


def determinant_row(
    row: Mapping[str, Any],
    determinant: BillDeterminant,
    calculated: Calculated | None,
    last: LastBill | None,
    *,
    now: datetime,
) -> dict[str, Any]:
    """Return one version of an item's determinant as the store keeps it."""
    with_energy = calculated is not None and calculated.determinant is not None
    return {
        "determinant_id": determinant.determinant_id,
        "version": determinant.version,
        "item_id": row["item_id"],
        "usage_point": row["usage_point"],
        "commodity": row["commodity"],
        "period_start": row["period_start"],
        "period_end": row["period_end"],
        "status": str(determinant.status),
        "days": determinant.days,
        "quantity_micro": micro(total_of(determinant)),
        "unit": row["unit"],
        "records": 1
        + sum(
            len(below)
            for below in (
                determinant.meters,
                determinant.registers,
                determinant.quantities,
                determinant.demands,
                determinant.remarks,
            )
        ),
        "payload": determinant_to_text(determinant),
        "trail": json.dumps(list(calculated.trail) if calculated is not None else []),
        "carry": carry_to_text(calculated, last, request_id=row["request_id"])
        if calculated is not None and with_energy
        else "{}",
        "calculated_at": now,
        "locked_at": None,
    }
