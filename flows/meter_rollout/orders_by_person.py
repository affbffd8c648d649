"""What a person decides about the one order of a usage point in a wave: another day, or none."""

from collections.abc import Mapping
from datetime import datetime

from canonical.codes.rollout_waves import (
    ATTEMPTS_USED,
    CHANGED_SINCE_FROZEN,
    NO_CLEAR_DAY,
    NOT_TAKEN_BY_FIELD,
    ORDER_UNKNOWN,
    ROLLOUT_STATE,
    WAVE_FULL,
)
from canonical.errors import RejectedError
from canonical.rollout import OrderState
from flows.meter_rollout import trouble
from flows.meter_rollout.policy import Policy
from flows.meter_rollout.release import current_rules
from flows.meter_rollout.replanning import another_day
from flows.meter_rollout.verdicts import Out
from flows.meter_rollout.waves import WITHDRAWN, Aborted, withdraw
from flows.routing.deliver import Sending
from store import rollout_candidates, rollout_orders, rollout_waves, work
from store.rollout_states import FIELD, PLANS
from store.rows import Row
from store.session import Session, Transaction

ENDED_BY_IT = (ATTEMPTS_USED, WAVE_FULL, NO_CLEAR_DAY, NOT_TAKEN_BY_FIELD, CHANGED_SINCE_FROZEN)
"""Work that a decision about an order ends."""

WAITS: tuple[OrderState, ...] = ("UNABLE", "ON_HOLD", "ELIGIBLE")
"""States from which an order may get another day."""


def again(
    name: str,
    wave: str,
    *,
    transaction: Transaction,
    now: datetime,
    by: str,
    reason: str,
    exclude: Mapping[str, str] | None = None,
) -> str:
    """Give the order of a usage point (mRID or name) in a wave another day, and return it (ISO 8601).

    Raises:
        RejectedError: there is no such order (ORDER_UNKNOWN), it is under way (ROLLOUT_STATE), or it can have no day:
            the code says why.
    """
    with transaction() as session:
        standing = rollout_waves.find(session, wave, lock=True)
        row = _order(session, name, wave, now)
        if row["state"] not in WAITS or not _is_ours(row):
            reason = f"the order is {row['state']}; only one that waits, is held or was not done gets another day"
            raise RejectedError(reason, code=ROLLOUT_STATE)
        found = another_day(session, row, current_rules(standing, exclude), now=now)
        if isinstance(found, Out):
            raise RejectedError(found.reason, code=found.code)
        rollout_orders.move_each(session, [found], now=now, by=by)
        _end_work(session, row, by=by, reason=reason, now=now)
    return str(found.columns["planned_day"])


def drop(
    name: str, wave: str, *, policy: Policy, sending: Sending, transaction: Transaction, by: str, reason: str
) -> None:
    """Cancel the order of a usage point (mRID or name) in a wave, at the work system too where it has it.

    Raises:
        RejectedError: there is no such order (ORDER_UNKNOWN), or its exchange was reported already (ROLLOUT_STATE).
    """
    with transaction() as session:
        standing = rollout_waves.find(session, wave, lock=True)
        row = _order(session, name, wave, sending.now)
        if row["state"] not in WITHDRAWN or not _is_ours(row):
            raise RejectedError(f"the order is {row['state']} and cannot be cancelled any more", code=ROLLOUT_STATE)
        rules = current_rules(standing, None)
        withdraw(session, [row], rules, Aborted(), policy=policy, sending=sending, by=by, reason=reason)
        _end_work(session, row, by=by, reason=reason, now=sending.now)


def _order(session: Session, name: str, wave: str, now: datetime) -> Row:
    """Return the order of a usage point in a wave, locked."""
    known = {point["usage_point"] for point in rollout_candidates.named(session, {name}, at=now)} | {name}
    found = rollout_orders.of_ids(session, [rollout_orders.order_id_of(wave, one) for one in known], lock=True)
    if len(found) != 1:
        said = "no order" if not found else "several usage points with orders"
        raise RejectedError(f"wave {wave!r} has {said} at {name!r}", code=ORDER_UNKNOWN)
    return next(iter(found.values()))


def _is_ours(row: Row) -> bool:
    """Return whether no exchange of it was reported: a held order may interrupt one."""
    return row["state"] != "ON_HOLD" or row["before"] in (*PLANS, *FIELD)


def _end_work(session: Session, row: Row, *, by: str, reason: str, now: datetime) -> None:
    names = [trouble.work_id(code, row["order_id"]) for code in ENDED_BY_IT]
    still = trouble.open_ones(session, names)
    work.act(session, still, "resolved", state="RESOLVED", by=by, reason=reason, now=now)
