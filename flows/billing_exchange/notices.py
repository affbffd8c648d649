"""Telling the MDMS which version of a determinant was billed, so that it locks the estimate in it (ruling 2)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from canonical.billing import BilledNotice
from canonical.ids import mint
from canonical.messages import Header, Message
from canonical.periods import Period
from canonical.ports import Destination
from canonical.reading_types import billing_code, register_code
from flows.billing_exchange.interface import Interface
from flows.billing_exchange.stored import from_micro
from store import billing_items, deliveries, determinants
from store.session import Transaction

BATCH = 500
"""Notices in one message."""


def tell(
    interface: Interface, *, ports: Mapping[str, Destination], transaction: Transaction, spool: Path, now: datetime
) -> int:
    """Enqueue a notice for every bill that the MDMS was not told of, and return their number.

    A site without an MDMS to tell has nothing enqueued; the rows are marked, so that they are not looked at again.
    """
    role, total = interface.policy.meter_data, 0
    while True:
        with transaction() as session:
            rows = determinants.to_be_told(session, interface.name, limit=BATCH)
            items = billing_items.by_determinants(session, {row["determinant_id"] for row in rows})
            kept = determinants.payloads(session, {(row["determinant_id"], row["version"]) for row in rows})
            if role not in ports:
                determinants.told(session, {row["billed_id"] for row in rows}, at=now)
        if not rows:
            return total
        if role not in ports:
            continue
        said = tuple(_notice(row, items[row["determinant_id"]], kept) for row in rows)
        _enqueue(interface, role, rows, said, ports=ports, transaction=transaction, spool=spool, now=now)
        total += len(rows)


def _enqueue(
    interface: Interface,
    role: str,
    rows: Sequence[Mapping[str, Any]],
    said: tuple[BilledNotice, ...],
    *,
    ports: Mapping[str, Destination],
    transaction: Transaction,
    spool: Path,
    now: datetime,
) -> None:
    """Enqueue one message of notices; named by the rows in it, so that a rerun enqueues it once."""
    header = Header(
        message_id=mint("billed_notice", interface.name, *(row["billed_id"] for row in rows)),
        source=interface.sender,
        verb="created",
        noun="MeterReadings",
        created_at=max(row["at"] for row in rows),
        lane=f"billed/{interface.name}",
    )
    parcel = ports[role].encode(Message(header, said), spool=spool)
    with transaction() as session:
        deliveries.enqueue(session, header=header, parcel=parcel, destination=role, now=now)
        determinants.told(session, {row["billed_id"] for row in rows}, at=now)


def _notice(
    row: Mapping[str, Any], item: Mapping[str, Any], kept: Mapping[tuple[str, int], Mapping[str, Any]]
) -> BilledNotice:
    """Return the notice of one bill."""
    version = kept.get((row["determinant_id"], row["version"]))
    return BilledNotice(
        usage_point=item["usage_point"],
        meter="",
        reading_type=billing_code(register_code(item["commodity"])),
        determinant_id=row["determinant_id"],
        version=row["version"],
        period=Period(row["period_start"], row["period_end"]),
        quantity=from_micro(row["quantity_micro"]),
        quality=version["status"] if version is not None else "",
        billed_at=row["at"],
    )
