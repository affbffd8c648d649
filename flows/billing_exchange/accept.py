"""Lines that ask for a bill: accepted, held as a second request for one period, repeated or rejected (ruling 4)."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from canonical.billing import BillingRequestItem, ItemVerdict
from canonical.codes.billing import DUPLICATE_PERIOD, REPLACES_UNKNOWN, REQUEST_ID_REUSED, REQUEST_REPEATED
from canonical.errors import ErrorCode
from canonical.ids import mint
from canonical.periods import Period
from flows.billing_exchange import holds, ladder, stored, subjects
from flows.billing_exchange.interface import Interface, State
from flows.billing_exchange.ladder import Ladder
from flows.billing_exchange.subjects import Subject
from store import billing_items, determinants, work
from store.billing_items import Change
from store.session import Session

Row = Mapping[str, Any]
GONE = (State.CANCELLED, State.REBILL_REQUESTED)
"""States of an item whose period may be asked for again."""


def take(
    session: Session,
    interface: Interface,
    run: Row,
    asked: Sequence[tuple[int, BillingRequestItem]],
    *,
    now: datetime,
) -> dict[int, ItemVerdict]:
    """Return the verdict on each line by its place in the batch; accepted ones are items from now on."""
    verdicts: dict[int, ItemVerdict] = {}
    fresh: list[tuple[int, BillingRequestItem]] = []
    names = {item.request_id for _, item in asked} | {item.replaces for _, item in asked if item.replaces}
    known = billing_items.by_requests(session, interface.name, names)
    prints = {name: row["fingerprint"] for name, row in known.items()}
    for place, item in asked:
        content = fingerprint(item)
        before = prints.get(item.request_id)
        if before is not None:
            verdicts[place] = _again(item, same=before == content)
        elif item.replaces and item.replaces not in known:
            verdicts[place] = _refused(item, REPLACES_UNKNOWN, f"no request {item.replaces} is known")
        else:
            prints[item.request_id] = content
            fresh.append((place, item))
    climb = Ladder(interface, run["opened_at"])
    rows: list[dict[str, Any]] = []
    for (place, item), subject in zip(fresh, subjects.resolve(session, [item for _, item in fresh]), strict=True):
        row = _row(climb, run, item, subject, now)
        if row is None and subject.problem is not None:
            verdicts[place] = _refused(item, subject.problem, subject.reason)
            continue
        if row is not None:
            verdicts[place] = ItemVerdict(item.request_id, "ACCEPTED", line=item.line)
            rows.append(row)
    _keep(session, climb, rows, known, now=now)
    return verdicts


def fingerprint(item: BillingRequestItem) -> str:
    """Return what the content of a line hashes to; its place in the file is no content."""
    parts = (
        item.request_id, item.reason, item.commodity, item.period.start.isoformat(), item.period.end.isoformat(),
        item.usage_point, item.agreement, item.account, item.manufacturer, item.serial, item.replaces,
        item.deadline.isoformat() if item.deadline else "",
    )  # fmt: skip
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def _keep(
    session: Session, climb: Ladder, rows: list[dict[str, Any]], known: Mapping[str, Row], *, now: datetime
) -> None:
    """Record accepted items; a period asked for twice is held, a predecessor that is replaced is left behind."""
    _estimate_risk(session, rows)
    replaced = {row["replaces"]: known[row["replaces"]] for row in rows if row["replaces"]}
    overlapping = billing_items.same_period(session, rows)
    held = []
    for row in rows:
        twins = overlapping.setdefault((row["usage_point"], row["commodity"]), [])
        if row["state"] == State.ACCEPTED and any(_is_twin(twin, row, replaced) for twin in twins):
            row.update(state=State.HELD, code=str(DUPLICATE_PERIOD), status="HELD", step=ladder.ANSWER)
            row["next_due_at"] = climb.decision(row["deadline"]).due
            held.append(row)
        twins.append(row)
    billing_items.add(session, rows, now=now)
    work.raise_work(session, [holds.work_item(climb.interface, row, DUPLICATE_PERIOD) for row in held], now=now)
    for row in rows:
        if row["replaces"]:
            _leave_behind(session, replaced[row["replaces"]], row["request_id"], now=now)


def _leave_behind(session: Session, old: Row, by: str, *, now: datetime) -> None:
    """Move a predecessor to the state that says that another request took its place."""
    sent = old["sent_version"] > 0
    after = State.REBILL_REQUESTED if sent else State.CANCELLED
    values = {"state": after, "next_due_at": None, "via": "", "recheck": False}
    billing_items.change(session, [{"item_id": old["item_id"], **values, "answer": old["answer"] or "CANCELLED"}])
    billing_items.note(
        session, [Change(old["item_id"], (old["state"], after), f"replaced by request {by}", "cis")], now=now
    )


def _is_twin(twin: Row, row: Row, replaced: Mapping[str, Row]) -> bool:
    """Return whether an earlier item asks for the same period and still stands."""
    return (
        (twin["period_start"], twin["period_end"]) == (row["period_start"], row["period_end"])
        and twin["state"] not in GONE
        and twin["request_id"] not in replaced
    )


def _estimate_risk(session: Session, rows: list[dict[str, Any]]) -> None:
    """Set what each item puts at risk until it has a figure of its own: the last bill's daily quantity."""
    if not rows:
        return
    span = Period(min(row["period_start"] for row in rows), max(row["period_end"] for row in rows))
    earlier = determinants.before(session, {row["usage_point"] for row in rows}, span)
    for row in rows:
        found = earlier.get((row["usage_point"], row["commodity"]), [])
        days = (row["period_end"] - row["period_start"]).days
        daily = stored.daily_quantity(found[0]) if found else Decimal(0)
        row["quantity_micro"] = int(daily * days * 1_000_000)


def _row(climb: Ladder, run: Row, item: BillingRequestItem, subject: Subject, now: datetime) -> dict[str, Any] | None:
    """Return the row of an item to be accepted, or None when it is to be rejected."""
    interface = climb.interface
    waits = subject.problem in subjects.UNKNOWN and bool(interface.sync_wait)
    if subject.problem is not None and not waits:
        return None
    item_id = mint("billing_item", interface.name, item.request_id)
    deadline = item.deadline or run["window_end"]
    return {
        "item_id": item_id, "interface": interface.name, "run_id": run["run_id"], "line": item.line,
        "request_id": item.request_id, "reason": item.reason, "commodity": item.commodity,
        "usage_point": subject.usage_point or item.usage_point, "agreement": subject.agreement or item.agreement,
        "account": subject.account or item.account, "cycle": subject.cycle or run["cycle"],
        "period_start": item.period.start, "period_end": item.period.end, "replaces": item.replaces,
        "asked_as": subject.asked_as, "fingerprint": fingerprint(item), "deadline": deadline,
        "state": State.AWAITING_SYNC if waits else State.ACCEPTED,
        "step": ladder.SYNC if waits else climb.first(deadline).name, "next_due_at": now, "failures": 0,
        "determinant_id": mint("determinant", interface.name, item.request_id),
        "supersedes_id": mint("determinant", interface.name, item.replaces) if item.replaces else "",
        "version": 0, "sent_version": 0, "status": "", "code": "", "answer": "", "quantity_micro": 0,
        "unit": "kWh" if item.commodity == "ELECTRICITY" else "m3", "released": False, "via": "", "recheck": False,
    }  # fmt: skip


def _again(item: BillingRequestItem, *, same: bool) -> ItemVerdict:
    """Return the verdict on a request id that was used before."""
    if same:
        return ItemVerdict(
            item.request_id, "DUPLICATE", str(REQUEST_REPEATED), "taken in before, nothing done again", item.line
        )
    return _refused(item, REQUEST_ID_REUSED, "the request id was used before for other content")


def _refused(item: BillingRequestItem, code: ErrorCode, reason: str) -> ItemVerdict:
    """Return a rejection of one line."""
    return ItemVerdict(item.request_id, "REJECTED", str(code), reason, item.line)
