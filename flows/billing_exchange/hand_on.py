"""Handing on: ready items become parts, parts become deliveries, the MDMS is told what was billed."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from canonical.billing import BillingPart
from canonical.codes.billing import PART_NOT_DELIVERED
from canonical.ids import mint
from canonical.messages import Header, Message
from canonical.periods import local_date
from canonical.ports import Destination
from canonical.work import WorkItem
from flows.billing_exchange import billed, holds, notices, parts, windows
from flows.billing_exchange.interface import HandedOn, Interface, State
from flows.billing_exchange.stored import plain, total_of
from store import billing, billing_items, billing_parts, deliveries, work
from store.session import Session, Transaction

Row = Mapping[str, Any]


def hand_on(
    interface: Interface, *, ports: Mapping[str, Destination], transaction: Transaction, spool: Path, now: datetime
) -> HandedOn:
    """Hand on what is ready and return what left.

    Full parts at once; the rest of a run when nothing of it is due; the last part, with the closing account, when
    every accepted item has its answer. A part is decided in one transaction, said by the port outside of any, and
    enqueued in the next: a rerun after a crash finds the decision and says the same bytes.
    """
    with transaction() as session:
        follow(session, interface, now=now)
        billed.assume(session, interface, now=now)
    for run_id in _runs(interface, transaction):
        while _form_next(interface, run_id, transaction=transaction, now=now):
            pass
    corrections = _form_corrections(interface, transaction=transaction, now=now)
    names, items, total = [], 0, Decimal(0)
    with transaction() as session:
        formed = billing_parts.parts(session, interface.name, {"FORMED"})
    for part in formed:
        said = _enqueue(interface, part, ports=ports, transaction=transaction, spool=spool, now=now)
        names.append(said[0])
        items += part["items"]
        total += said[1]
    told = notices.tell(interface, ports=ports, transaction=transaction, spool=spool, now=now)
    return HandedOn(tuple(names), items, plain(total), corrections, told)


def follow(session: Session, interface: Interface, *, now: datetime) -> None:
    """Bring parts to where their deliveries are: sent, or stuck with a person until they move."""
    stuck: dict[str, WorkItem] = {}
    queued: set[str] = set()
    for part in billing_parts.parts(session, interface.name, {"QUEUED"}):
        delivery = deliveries.find(session, part["delivery_id"])
        if delivery.state in ("sent", "confirmed"):
            sent_at = delivery.sent_at or now
            billing_parts.change_part(session, part["file_id"], state="SENT", sent_at=sent_at)
            billing_items.move_part(
                session, part["file_id"], before=State.BATCHED, after=State.SENT, why=part["name"], by="hub", now=now
            )
            continue
        queued.add(part["name"])
        if delivery.state == "parked":
            reason = f"{part['name']}: {delivery.code} {delivery.reason}"
            about = holds.work_about(
                interface, part["name"], PART_NOT_DELIVERED, reason, due_at=now, run_id=part["run_id"]
            )
            stuck[about.work_id] = about
    _tell_stuck(session, interface, stuck, queued, now=now)


def _tell_stuck(
    session: Session, interface: Interface, stuck: Mapping[str, WorkItem], queued: Collection[str], *, now: datetime
) -> None:
    """Open the work of stuck parts once for what stopped them, and resolve that of parts that went.

    Work that a person waived stays closed while the part stands where it stood.
    """
    known = work.of_ids(session, stuck)
    fresh = [one for name, one in stuck.items() if name not in known or _is_new(one, known[name])]
    work.raise_work(session, fresh, now=now)
    over = {
        row["work_id"]
        for row in work.open_of_code(session, str(PART_NOT_DELIVERED))
        if row["key"] not in queued
        and row["work_id"] == mint("work", PART_NOT_DELIVERED.number, row["key"], interface.name)
    }
    work.act(session, over, "resolved", state="RESOLVED", by="hub", reason="the part was sent", now=now)


def _is_new(item: WorkItem, known: Row) -> bool:
    """Return whether a part is stuck anew: it went since, or another failure stops it."""
    return bool(known["state"] == "RESOLVED" or known["summary"] != item.summary)


def _runs(interface: Interface, transaction: Transaction) -> list[str]:
    """Return the runs that may have a part to form, oldest first."""
    with transaction() as session:
        return [run["run_id"] for run in billing.runs(session, interface.name, ("OPEN",))]


def _form_next(interface: Interface, run_id: str, *, transaction: Transaction, now: datetime) -> bool:
    """Form the next part of a run, if one is due, and return whether another may follow."""
    size = interface.policy.part_size
    with transaction() as session:
        run = billing.run(session, run_id)
        if run is None or run["state"] != "OPEN":
            return False
        items = billing_items.outgoing(session, interface.name, via="run", run_id=run_id, limit=size + 1)
        complete = billing_items.unanswered(session, run_id) == 0
        if not _may_load(session, interface, run, now=now):
            return False
        if len(items) > size and run["parts"] < parts.MOST_PARTS:
            parts.form(session, interface, run, items[:size], is_last=False, now=now)
            return True
        if complete:
            parts.form(session, interface, run, items[:size], is_last=True, now=now)
            return False
        quiet = not billing_items.something_due(session, run_id, now=now)
        if items and quiet and run["parts"] < parts.MOST_PARTS:
            parts.form(session, interface, run, items[:size], is_last=False, now=now)
    return False


def _may_load(session: Session, interface: Interface, run: Row, *, now: datetime) -> bool:
    """Return whether the CIS still loads what is ready now; if not, the run says to which load it rolls."""
    load = windows.next_load(interface.policy, now)
    if load <= now:
        return True
    note = f"loading cut-off passed: rolls to the load of {load:%Y-%m-%d %H:%MZ}"
    if run["note"] != note:
        billing.change_run(session, run["run_id"], note=note)
    return False


def _form_corrections(interface: Interface, *, transaction: Transaction, now: datetime) -> int:
    """Form correction drops of notices, and of versions whose run is closed, and return the number of items."""
    created = now.astimezone(UTC).replace(microsecond=0)
    day = local_date(now, ZoneInfo(interface.policy.zone))
    size, total = interface.policy.part_size, 0
    while True:
        with transaction() as session:
            if windows.next_load(interface.policy, now) > now and interface.policy.late_policy == "next_load":
                return total
            noticed = billing_items.outgoing(session, interface.name, via="correction", limit=size)
            waiting: list[Row] = [*noticed, *_late_answers(session, interface, now=now)]
            items = sorted(waiting[:size], key=lambda row: (row["period_start"], row["run_id"], row["line"]))
            if not items:
                return total
            parts.form_correction(session, interface, items, created=created, business_date=day, now=now)
            total += len(items)


def _late_answers(session: Session, interface: Interface, *, now: datetime) -> list[Row]:
    """Return versions of runs that had their last part already, and late ones of open runs where the policy says so."""
    late = windows.next_load(interface.policy, now) > now and interface.policy.late_policy == "correction"
    found: list[Row] = []
    for run_id in billing_items.runs_with_outgoing(session, interface.name):
        run = billing.run(session, run_id)
        if run is not None and (run["state"] not in ("OPEN", "TAKING_IN") or late):
            found += billing_items.outgoing(session, interface.name, via="run", run_id=run_id)
    return found


def _enqueue(
    interface: Interface,
    part: Row,
    *,
    ports: Mapping[str, Destination],
    transaction: Transaction,
    spool: Path,
    now: datetime,
) -> tuple[str, Decimal]:
    """Say a decided part in the receiver's words, enqueue it, and return its file name and total."""
    role = interface.policy.customer_system
    with transaction() as session:
        payload: BillingPart = parts.whole(session, interface, part)
    header = Header(
        message_id=part["file_id"],
        source=interface.sender,
        verb="created",
        noun="BillingPart",
        correlation_id=part["run_id"],
        created_at=part["created"],
        lane=f"billing/{interface.policy.partner}",
    )
    parcel = ports[role].encode(Message(header, payload), spool=spool)
    due = parts.ack_due(interface, now)
    with transaction() as session:
        delivery = deliveries.enqueue(session, header=header, parcel=parcel, destination=role, now=now, confirm_by=due)
        billing_parts.change_part(
            session, part["file_id"], state="QUEUED", name=parcel.confirm_name or parcel.name, delivery_id=delivery,
            ack_due_at=due,
        )  # fmt: skip
    return parcel.name, sum((total_of(one) for one in payload.determinants), Decimal(0))
