"""What a person decides on: whether a change that reaches far back is applied, whether billed periods are corrected."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from canonical.codes.linkage import BACKDATED_TOO_FAR
from canonical.codes.message import NOT_IN_STORE
from canonical.errors import RejectedError
from canonical.master_data import ThingVerdict
from canonical.periods import Period
from flows.billing_exchange.late import mark
from flows.master_data_sync import intake
from flows.master_data_sync.backdating import proposed
from flows.master_data_sync.policy import Policy
from flows.master_data_sync.said import said_from
from flows.routing import deliver
from flows.routing.deliver import Sending
from store import master_waiting, reference, work
from store.rows import Row
from store.session import Session, Transaction


@dataclass(frozen=True, slots=True)
class Act:
    """What a person decides, and why."""

    by: str
    reason: str


def asked(*, transaction: Transaction) -> Sequence[Row]:
    """Return the changes that wait for approval, oldest first."""
    with transaction() as session:
        return [row for row in master_waiting.listed(session) if row["stage"] == "approve"]


def approve(waiting_id: str, act: Act, *, policy: Policy, sending: Sending, transaction: Transaction) -> ThingVerdict:
    """Apply a change that waited for approval, tell it on, and return what became of it.

    Raises:
        RejectedError: nothing of that id waits for approval (NOT_IN_STORE).
    """
    with transaction() as session:
        reference.lock(session)
        row = _asked(session, waiting_id)
        said = said_from(row["said"])
        taken = intake.judge(session, [said], policy=replace(policy, max_backdate=None), now=sending.now)
        intake.conclude(session, taken, policy=policy, sending=sending)
        verdict = taken.judged[0].verdict
        state = "refused" if verdict.disposition == "REJECTED" else "done"
        master_waiting.settle(
            session, row["waiting_id"], state=state, now=sending.now, code=verdict.code, reason=verdict.reason
        )
        _close(session, row, act, f"approved: {verdict.disposition}", sending)
    return verdict


def refuse(waiting_id: str, act: Act, *, sending: Sending, transaction: Transaction) -> None:
    """Let a change that waited for approval never be applied.

    Raises:
        RejectedError: nothing of that id waits for approval (NOT_IN_STORE).
    """
    with transaction() as session:
        row = _asked(session, waiting_id)
        master_waiting.settle(
            session, row["waiting_id"], state="refused", now=sending.now, code=row["code"], reason=act.reason
        )
        _close(session, row, act, "refused", sending)


def correct(work_id: str, act: Act, *, sending: Sending, transaction: Transaction) -> int:
    """Have the billed periods of a proposal calculated again, and return how many items are looked at.

    What differs goes to the CIS as each interface's policy says: a notice, a next version, or the next bill.

    Raises:
        RejectedError: there is no such open proposal (NOT_IN_STORE).
    """
    with transaction() as session:
        found = work.of_ids(session, {work_id}).get(work_id)
        if found is None or found["state"] not in work.OPEN_STATES or not found["code"].startswith("3019"):
            raise RejectedError(f"no open proposal of a correction has the id {work_id!r}", code=NOT_IN_STORE)
        point, since = proposed(found["key"])
        looked = mark(session, [(point, Period(since, max(since, sending.now)))], now=sending.now)
        reason = f"{act.reason}: {looked} items are calculated again"
        work.act(session, [work_id], "resolved", state="RESOLVED", by=act.by, reason=reason, now=sending.now)
    return looked


def _asked(session: Session, waiting_id: str) -> Row:
    """Return a change that waits for approval, by its id or the beginning of it."""
    rows = [
        row
        for row in master_waiting.listed(session)
        if row["stage"] == "approve" and waiting_id and row["waiting_id"].startswith(waiting_id)
    ]
    if len(rows) != 1:
        raise RejectedError(f"{len(rows)} changes that wait for approval have the id {waiting_id!r}", code=NOT_IN_STORE)
    return rows[0]


def _close(session: Session, row: Row, act: Act, what: str, sending: Sending) -> None:
    """End the work about a change."""
    name = deliver.work_id(BACKDATED_TOO_FAR, row["waiting_id"])
    reason = f"{what}; {act.reason}"
    work.act(session, [name], "resolved", state="RESOLVED", by=act.by, reason=reason, now=sending.now)
