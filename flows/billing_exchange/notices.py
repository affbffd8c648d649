"""Telling the MDMS which version of a determinant was billed, so that it locks the estimate in it (ruling 2)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from canonical.billing import BilledNotice
from canonical.codes.linkage import TERRITORY_UNKNOWN
from canonical.ids import mint
from canonical.messages import Header, Message
from canonical.periods import Period
from canonical.ports import Destination
from canonical.reading_types import billing_code, register_code
from flows.billing_exchange.interface import Interface
from flows.billing_exchange.stored import from_micro
from flows.routing import ByTerritory
from flows.routing.deliver import tell as tell_work
from store import billing_items, deliveries, determinants
from store.session import Session, Transaction

BATCH = 500
"""Notices in one message."""


def tell(
    interface: Interface, *, ports: Mapping[str, Any], transaction: Transaction, spool: Path, now: datetime
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
        for destination, port, own in _shared_out(role, ports[role], rows, items):
            said = tuple(_notice(row, items[row["determinant_id"]], kept) for row in own)
            _enqueue(interface, destination, port, own, said, transaction=transaction, spool=spool, now=now)
        total += len(rows)


def _shared_out(
    role: str,
    port: Destination | ByTerritory,
    rows: Sequence[Mapping[str, Any]],
    items: Mapping[str, Mapping[str, Any]],
) -> Iterator[tuple[str, Destination | None, Sequence[Mapping[str, Any]]]]:
    """Yield rows with the system that is told of them; None where a usage point lies in no territory."""
    if not isinstance(port, ByTerritory):
        yield role, port, rows
        return
    points = {row["billed_id"]: items[row["determinant_id"]]["usage_point"] for row in rows}
    homes = port.homes(set(points.values()))
    shared: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        shared.setdefault(homes.get(points[row["billed_id"]], ""), []).append(row)
    for destination, own in sorted(shared.items()):
        yield destination, port.destination(destination) if destination else None, own


def _enqueue(
    interface: Interface,
    role: str,
    port: Destination | None,
    rows: Sequence[Mapping[str, Any]],
    said: tuple[BilledNotice, ...],
    *,
    transaction: Transaction,
    spool: Path,
    now: datetime,
) -> None:
    """Enqueue one message of notices, or make them work; named by the rows in it, so that a rerun enqueues it once."""
    header = Header(
        message_id=mint("billed_notice", interface.name, *(row["billed_id"] for row in rows)),
        source=interface.sender,
        verb="created",
        noun="MeterReadings",
        created_at=max(row["at"] for row in rows),
        lane=f"billed/{interface.name}",
    )
    parcel = port.encode(Message(header, said), spool=spool) if port is not None else None
    with transaction() as session:
        if parcel is not None:
            deliveries.enqueue(session, header=header, parcel=parcel, destination=role, now=now)
        else:
            _nobody(session, interface, said, now)
        determinants.told(session, {row["billed_id"] for row in rows}, at=now)


def _nobody(session: Session, interface: Interface, said: Sequence[BilledNotice], now: datetime) -> None:
    """Make bills that no MDMS can be told of a person's work."""
    queue = interface.owners.get("billing", "billing")
    for one in said:
        summary = f"{one.usage_point}: bill of {one.period.start.date().isoformat()}: no MDMS to be told of it"
        tell_work(session, TERRITORY_UNKNOWN, one.determinant_id, summary, queue=queue, now=now)


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
