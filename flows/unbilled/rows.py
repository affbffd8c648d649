"""Entries of the register as the store keeps them, and back."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from canonical.unbilled import Reason, UnbilledEntry
from flows.billing_exchange.stored import from_micro, micro


def row_of(entry: UnbilledEntry, *, counted_at: datetime) -> dict[str, Any]:
    """Return the row of an entry."""
    return {
        "day": entry.day.isoformat(), "agreement": entry.agreement, "usage_point": entry.usage_point,
        "account": entry.account, "customer_class": entry.customer_class, "tariff": entry.tariff,
        "cycle": entry.cycle, "commodity": entry.commodity, "unit": entry.unit, "reason": str(entry.reason),
        "evidence": entry.evidence, "as_of": entry.as_of, "since": entry.since, "since_by": entry.since_by,
        "due": entry.due.isoformat(), "age_days": entry.age_days, "age": entry.age, "basis": entry.basis,
        "average_by": entry.average_by, "quantity_micro": micro(entry.quantity),
        "averaged_micro": micro(entry.averaged), "corrected_micro": micro(entry.corrected),
        "received_micro": micro(entry.received), "money_minor": entry.money_minor, "read_at": entry.read_at,
        "billed_reads": dict(entry.billed_reads), "latest_reads": dict(entry.latest_reads),
        "work": list(entry.work), "counted_at": counted_at,
    }  # fmt: skip


def entry_from(row: Mapping[str, Any]) -> UnbilledEntry:
    """Return the entry that a row holds."""
    averaged, corrected = from_micro(row["averaged_micro"]), from_micro(row["corrected_micro"])
    return UnbilledEntry(
        day=date.fromisoformat(row["day"]), as_of=row["as_of"], agreement=row["agreement"], account=row["account"],
        usage_point=row["usage_point"], customer_class=row["customer_class"], tariff=row["tariff"],
        cycle=row["cycle"], commodity=row["commodity"], unit=row["unit"], reason=Reason(row["reason"]),
        evidence=row["evidence"], since=row["since"], since_by=row["since_by"],
        due=date.fromisoformat(row["due"]), age_days=row["age_days"],
        measured=from_micro(row["quantity_micro"]) - averaged - corrected, averaged=averaged, corrected=corrected,
        received=from_micro(row["received_micro"]), average_by=row["average_by"], read_at=row["read_at"],
        billed_reads=row["billed_reads"], latest_reads=row["latest_reads"], money_minor=row["money_minor"],
        work=tuple(row["work"]),
    )  # fmt: skip
