"""Parts of a drop: which determinants stand in which file, in which order, under which number (domain 4.4)."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, cast

from canonical.billing import BillingPart, ClosingAccount, PartHeader, RunType
from canonical.codes.billing import PART_NOT_ACKNOWLEDGED
from canonical.ids import mint
from canonical.work import WorkItem
from flows.billing_exchange import holds
from flows.billing_exchange.interface import Interface, State
from flows.billing_exchange.stored import determinant_from_text
from store import billing, billing_items, billing_parts, determinants
from store.billing_items import Change
from store.session import Session

Row = Mapping[str, Any]
MOST_PARTS = 98
"""Names give a part two digits: one number is kept for the last part."""

ANSWERS = {"NO_READ": "EXPIRED", "HELD": "HELD", "REJECTED": "EXPIRED", "ESTIMATED": "ESTIMATED", "MIXED": "ESTIMATED"}
"""How the run's equations count an answer by its status; what is not named counts as READY."""


def form(
    session: Session,
    interface: Interface,
    run: Row,
    items: Sequence[Row],
    *,
    is_last: bool,
    now: datetime,
) -> str:
    """Decide the next part of a run and return its file id; the items are BATCHED from now on.

    The order is that of the request file, `created` the run's: the same run gives the same bytes.
    """
    number = run["parts"] + 1
    file_id = mint("billing_part", interface.name, run["run_id"], number, 0)
    _mark(session, items, now=now, file_id=file_id, count=run["state"] == "OPEN")
    closing = closing_account(session, run) if is_last else None
    part = {
        "run_id": run["run_id"], "run_type": run["run_type"], "cycle": run["cycle"],
        "business_date": run["business_date"], "created": run["opened_at"], "part": number, "is_last": is_last,
        "closing": _closing_to_text(closing),
    }  # fmt: skip
    _add(session, interface, file_id, part, items, now=now)
    billing.change_run(session, run["run_id"], parts=number, state="ANSWERED" if is_last else run["state"])
    return file_id


def form_correction(
    session: Session,
    interface: Interface,
    items: Sequence[Row],
    *,
    created: datetime,
    business_date: date,
    now: datetime,
) -> str:
    """Decide one correction drop and return its file id: full replacements, oldest period first."""
    first = items[0]
    file_id = mint("correction", interface.name, first["determinant_id"], first["version"], len(items))
    _mark(session, items, now=now, file_id=file_id, count=False)
    energy = sum(row["status"] not in ("NO_READ", "HELD", "REJECTED") for row in items)
    others: dict[str, int] = {}
    for row in items:
        if row["status"] in ("NO_READ", "HELD", "REJECTED"):
            reason = f"{row['status']} {row['code'].split(' ')[0]}"
            others[reason] = others.get(reason, 0) + 1
    closing = ClosingAccount(len(items), energy, tuple(sorted(others.items())), 0)
    part = {
        "run_id": mint("correction_run", file_id), "run_type": "COR", "cycle": "00",
        "business_date": business_date.isoformat(), "created": created, "part": 1, "is_last": True,
        "closing": _closing_to_text(closing),
    }  # fmt: skip
    _add(session, interface, file_id, part, items, now=now)
    return file_id


def revise(session: Session, part: Row, *, now: datetime) -> str:
    """Decide the next revision of a refused part, with the same determinants, and return its file id."""
    file_id = mint("billing_part", part["interface"], part["run_id"], part["part"], part["revision"] + 1)
    fresh = {
        **part, "file_id": file_id, "revision": part["revision"] + 1, "replaces_file_id": part["file_id"],
        "state": "FORMED", "name": "", "delivery_id": "", "formed_at": now, "sent_at": None, "ack_due_at": None,
        "acked_at": None, "ack_verdict": "", "ack_reason": "", "rejected_items": 0,
    }  # fmt: skip
    lines = [
        {**line, "file_id": file_id, "verdict": "", "reason": ""}
        for line in billing_parts.lines(session, part["file_id"])
    ]
    billing_parts.add(session, fresh, lines)
    billing_items.move_part(
        session,
        file_id,
        before=State.REWORK,
        after=State.BATCHED,
        why=f"revision {fresh['revision']}",
        by="hub",
        now=now,
    )
    return file_id


def whole(session: Session, interface: Interface, part: Row) -> BillingPart:
    """Return the part as it is to be said: header, determinants in order, closing account in the last one."""
    lines = billing_parts.lines(session, part["file_id"])
    names = {(line["determinant_id"], line["version"]) for line in lines}
    kept = determinants.payloads(session, names)
    found = tuple(determinant_from_text(kept[line["determinant_id"], line["version"]]["payload"]) for line in lines)
    header = PartHeader(
        file_id=part["file_id"],
        sender=interface.sender,
        receiver=interface.policy.partner,
        env=interface.env,
        created=part["created"],
        business_date=date.fromisoformat(part["business_date"]),
        zone=interface.policy.zone,
        sequence=part["sequence"],
        run_type=cast("RunType", part["run_type"]),
        cycle=part["cycle"],
        part=part["part"],
        is_last=bool(part["is_last"]),
        revision=part["revision"],
        replaces_file_id=part["replaces_file_id"],
    )
    return BillingPart(header, found, _closing_from_text(part["closing"]))


def closing_account(session: Session, run: Row) -> ClosingAccount:
    """Return what became of every accepted item of a run (ruling 5)."""
    requested = delivered = cancelled = 0
    others: dict[str, int] = {}
    for row in billing_items.counts(session, run["run_id"]):
        requested += row["items"]
        if row["answer"] == "CANCELLED":
            cancelled += row["items"]
        elif row["answer"] in ("READY", "ESTIMATED"):
            delivered += row["items"]
        else:
            status = "HELD" if row["answer"] == "HELD" else "NO_READ"
            reason = f"{status} {row['code'].split(' ')[0]}"
            others[reason] = others.get(reason, 0) + row["items"]
    return ClosingAccount(requested, delivered, tuple(sorted(others.items())), run["rejected"], cancelled)


def overdue_work(interface: Interface, part: Row, *, now: datetime) -> WorkItem:
    """Return the work that a missing acknowledgement means."""
    reason = (
        f"{part['name']} was sent {part['sent_at']:%Y-%m-%d %H:%MZ}, no acknowledgement came" if part["sent_at"] else ""
    )
    return holds.work_about(
        interface, part["name"], PART_NOT_ACKNOWLEDGED, reason, due_at=part["ack_due_at"] or now, run_id=part["run_id"]
    )


def _mark(session: Session, items: Sequence[Row], *, now: datetime, file_id: str, count: bool) -> None:
    """Move items into a part; `count` states how the run's equations count them, once the run is closed it stays."""
    changes, notes = [], []
    for row in items:
        notice = row["state"] == State.CORRECTION_NOTICE
        changes.append(
            {"item_id": row["item_id"], "state": row["state"] if notice else State.BATCHED, "via": "",
             "answer": ANSWERS.get(row["status"], "READY") if count else row["answer"],
             "sent_version": row["version"], "step": "", "next_due_at": None}
        )  # fmt: skip
        if not notice:
            notes.append(Change(row["item_id"], (row["state"], State.BATCHED), f"part {file_id}"))
    billing_items.change(session, changes)
    billing_items.note(session, notes, now=now)


def _add(
    session: Session,
    interface: Interface,
    file_id: str,
    part: dict[str, Any],
    items: Sequence[Row],
    *,
    now: datetime,
) -> None:
    """Record a part under the next number of its stream, with the line of each SVC record in it."""
    names = {(row["determinant_id"], row["version"]) for row in items}
    kept = determinants.payloads(session, names)
    lines, line = [], 2
    for position, row in enumerate(items):
        one = kept[row["determinant_id"], row["version"]]
        lines.append(
            {"file_id": file_id, "position": position, "item_id": row["item_id"], "line": line, "verdict": "",
             "determinant_id": row["determinant_id"], "version": row["version"], "reason": ""}
        )  # fmt: skip
        line += one["records"]
    sequence = billing_parts.next_sequence(session, f"{interface.sender}/{interface.policy.partner}")
    row = {
        **part, "file_id": file_id, "interface": interface.name, "sequence": sequence, "revision": 0,
        "replaces_file_id": "", "state": "FORMED", "name": "", "delivery_id": "", "items": len(items),
        "quantity_micro": sum(one["quantity_micro"] for one in kept.values()), "formed_at": now, "sent_at": None,
        "ack_due_at": None, "acked_at": None, "ack_verdict": "", "ack_reason": "", "rejected_items": 0,
    }  # fmt: skip
    billing_parts.add(session, row, lines)


def ack_due(interface: Interface, now: datetime) -> datetime:
    """Return until when the receiver has to acknowledge what is enqueued now."""
    return now + timedelta(hours=float(interface.policy.ack_hours))


def _closing_to_text(closing: ClosingAccount | None) -> str:
    """Return a closing account as JSON, or nothing."""
    if closing is None:
        return ""
    return json.dumps(
        {"requested": closing.requested, "delivered": closing.delivered, "unanswered": list(closing.unanswered),
         "rejected": closing.rejected, "cancelled": closing.cancelled}
    )  # fmt: skip


def _closing_from_text(text: str) -> ClosingAccount | None:
    """Return the closing account that JSON holds."""
    if not text:
        return None
    kept = json.loads(text)
    unanswered = tuple((reason, count) for reason, count in kept["unanswered"])
    return ClosingAccount(kept["requested"], kept["delivered"], unanswered, kept["rejected"], kept["cancelled"])
