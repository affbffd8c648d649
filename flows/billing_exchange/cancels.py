"""Withdrawals of a CIS: the five outcomes of domain 1.3 for each line that cancels a request."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from canonical.billing import BillingRequestItem, ItemVerdict
from canonical.codes.billing import CANCEL_AMBIGUOUS, CANCEL_IN_WORK, CANCEL_NOT_FOUND, CANCEL_TOO_LATE, WITHDRAWN
from canonical.errors import ErrorCode
from flows.billing_exchange.interface import BEFORE_SENT, Interface, State
from store import billing_items, work
from store.billing_items import Change
from store.session import Session


def withdraw(
    session: Session, interface: Interface, lines: Sequence[tuple[int, BillingRequestItem]], *, now: datetime
) -> dict[int, ItemVerdict]:
    """Withdraw what the lines name and return the verdict on each by its place in the batch.

    Outcomes: cancelled; not found; more than one found; not cancellable in this state; being handed on right now. The
    request id is unique within an interface, so that more than one is found only where a line names a usage point,
    agreement or account instead of a request.
    """
    known = billing_items.by_requests(session, interface.name, {item.cancels for _, item in lines if item.cancels})
    verdicts: dict[int, ItemVerdict] = {}
    gone: dict[str, Mapping[str, Any]] = {}
    for place, item in lines:
        found = [known[item.cancels]] if item.cancels in known else _meant(session, interface, item)
        problem = _problem(found, gone)
        if problem is None:
            gone[found[0]["item_id"]] = found[0]
            verdicts[place] = ItemVerdict(item.request_id, "ACCEPTED", reason="cancelled", line=item.line)
            continue
        code, reason = problem
        verdicts[place] = ItemVerdict(item.request_id, "REJECTED", str(code), reason, item.line)
    cancel_items(session, list(gone.values()), why="withdrawn by the CIS", by="cis", now=now)
    return verdicts


def cancel_items(session: Session, items: Sequence[Mapping[str, Any]], *, why: str, by: str, now: datetime) -> None:
    """Move items that were not handed on to CANCELLED, and their open work with them."""
    billing_items.change(
        session,
        [
            {"item_id": row["item_id"], "state": State.CANCELLED, "answer": "CANCELLED", "code": str(WITHDRAWN),
             "next_due_at": None, "via": "", "recheck": False}
            for row in items
        ],
    )  # fmt: skip
    billing_items.note(session, [Change(r["item_id"], (r["state"], State.CANCELLED), why, by) for r in items], now=now)
    open_work = work.open_of_requests(session, {row["request_id"] for row in items})
    work.act(session, [row["work_id"] for row in open_work], "cancelled", state="CANCELLED", by=by, reason=why, now=now)


def _meant(session: Session, interface: Interface, item: BillingRequestItem) -> list[Mapping[str, Any]]:
    """Return the items that a line without a known request id may mean."""
    if item.cancels or not item.usage_point:
        return []
    rows = billing_items.of_usage_points(session, {item.usage_point})
    return [row for row in rows if row["interface"] == interface.name and row["state"] in BEFORE_SENT]


def _problem(found: Sequence[Mapping[str, Any]], gone: Mapping[str, Mapping[str, Any]]) -> tuple[ErrorCode, str] | None:
    """Return why an item cannot be cancelled, or None when it can."""
    if not found:
        return CANCEL_NOT_FOUND, "no such request"
    if len(found) > 1:
        return CANCEL_AMBIGUOUS, f"{len(found)} requests answer to it"
    state = found[0]["state"]
    if state in (State.BATCHED, State.SENT):
        return CANCEL_IN_WORK, f"its answer is being handed on ({state})"
    if state not in BEFORE_SENT or found[0]["sent_version"] or found[0]["item_id"] in gone:
        return CANCEL_TOO_LATE, f"it is {state} already"
    return None
