"""What people do with work items: look, take, resolve, release, cancel, waive; each kept with who, when and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from canonical.codes.configuration import WORK_NOT_FOUND, WORK_NOT_POSSIBLE
from canonical.errors import RejectedError
from flows.billing_exchange import release as billing_release
from store import work
from store.session import Session, Transaction


@dataclass(frozen=True, slots=True)
class WorkDetails:
    """One work item with everything that was done about it."""

    item: dict[str, Any]
    acts: Sequence[dict[str, Any]]


def list_work(*, transaction: Transaction, queue: str = "", state: str = "", limit: int = 200) -> list[dict[str, Any]]:
    """Return work by due time; open work unless a state is named."""
    with transaction() as session:
        return work.listed(session, queue=queue, state=state, limit=limit)


def show(work_id: str, *, transaction: Transaction) -> WorkDetails:
    """Return one work item, by its id or the beginning of it.

    Raises:
        RejectedError: no work item, or more than one, answers to it (WORK_NOT_FOUND).
    """
    with transaction() as session:
        item = _one(session, work_id)
        return WorkDetails(item, work.acts(session, item["work_id"]))


def assign(work_id: str, *, to: str, by: str, reason: str, transaction: Transaction, now: datetime) -> str:
    """Give a work item to a person and return what was done."""
    with transaction() as session:
        item = _open(session, work_id)
        work.act(session, [item["work_id"]], "assigned", state="ASSIGNED", by=by, reason=reason, now=now, owner=to)
        return f"{item['code']} {item['key']}: assigned to {to}"


def resolve(work_id: str, *, by: str, reason: str, transaction: Transaction, now: datetime) -> str:
    """Close a work item because a person did what it asks for, and return what was done.

    What waited for it goes on with the next pass: a step of an exchange that is done by hand counts as confirmed.

    Raises:
        RejectedError: it is about an item of a bill, which is released or cancelled (WORK_NOT_POSSIBLE).
    """
    with transaction() as session:
        item = _open(session, work_id)
        if item["request_id"]:
            reason = "it is about an item of a bill: release or cancel that"
            raise RejectedError(reason, code=WORK_NOT_POSSIBLE)
        work.act(session, [item["work_id"]], "resolved", state="RESOLVED", by=by, reason=reason, now=now)
        return f"{item['code']} {item['key']}: done, says {by}"


def release(work_id: str, *, by: str, reason: str, transaction: Transaction, now: datetime) -> str:
    """Let the item behind a work item be billed as it is, and return what was done.

    Raises:
        RejectedError: there is nothing to release (WORK_NOT_POSSIBLE).
    """
    with transaction() as session:
        item = _open(session, work_id)
        done = billing_release.release(session, item["request_id"], by=by, reason=reason, now=now)
        _close(session, item, by=by, reason=reason, now=now, whole=bool(item["request_id"]))
        return f"{item['code']} {item['key']}: {done}"


def cancel(work_id: str, *, by: str, reason: str, transaction: Transaction, now: datetime) -> str:
    """Withdraw the item behind a work item and return what was done.

    Raises:
        RejectedError: its answer left the hub already (WORK_NOT_POSSIBLE).
    """
    with transaction() as session:
        item = _open(session, work_id)
        done = billing_release.cancel(session, item["request_id"], by=by, reason=reason, now=now)
        work.act(session, [item["work_id"]], "cancelled", state="CANCELLED", by=by, reason=reason, now=now)
        return f"{item['code']} {item['key']}: {done}"


def waive(work_id: str, *, by: str, reason: str, transaction: Transaction, now: datetime) -> str:
    """Close a work item under a person's name although nothing was done, and return what was done.

    Waiving the work of a run that does not balance closes that run (domain 4.9).
    """
    with transaction() as session:
        item = _open(session, work_id)
        work.act(session, [item["work_id"]], "waived", state="WAIVED", by=by, reason=reason, now=now)
        done = billing_release.waive_run(session, item, by=by, reason=reason, now=now)
        return f"{item['code']} {item['key']}: {done}"


def _close(session: Session, item: dict[str, Any], *, by: str, reason: str, now: datetime, whole: bool) -> None:
    """Resolve a work item, and with it what else is open about the same request."""
    names = {item["work_id"]}
    if whole:
        names |= {row["work_id"] for row in work.open_of_requests(session, {item["request_id"]})}
    work.act(session, names, "released", state="RESOLVED", by=by, reason=reason, now=now)


def _one(session: Session, work_id: str) -> dict[str, Any]:
    """Return the one work item that an id, or its beginning, names."""
    rows = work.found(session, work_id)
    if len(rows) != 1:
        reason = f"{len(rows)} work items answer to {work_id!r}; give more of its id"
        raise RejectedError(reason, code=WORK_NOT_FOUND)
    return rows[0]


def _open(session: Session, work_id: str) -> dict[str, Any]:
    """Return an open work item."""
    item = _one(session, work_id)
    if item["state"] not in work.OPEN_STATES:
        raise RejectedError(f"it is {item['state']} already", code=WORK_NOT_POSSIBLE)
    return item
