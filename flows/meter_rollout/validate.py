"""Validation of completions (domain 2.4): judged one after another in the order of their work, believed by batches.

A batch reads set-wise, judges in memory and writes set-wise, in one transaction: what passes is believed with its
order, readings and steps; what does not is held with its code and a work item. Whatever changes what is known of a
usage point or meter has held completions about it judged again: the end does not depend on the order of their coming.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from canonical.codes.rollout import (
    CONTRADICTORY_RESULT,
    DATE_INCOHERENT,
    EXCLUDED_INSTALLED,
    NEW_METER_UNKNOWN,
    PREMISE_MISMATCH,
)
from flows.meter_rollout import believing, blocked, cross_installed, known, multipliers, reversal, trouble
from flows.meter_rollout.batch import Batch, stop, trouble_of
from flows.meter_rollout.facts import Facts
from flows.meter_rollout.judging import STOPS, Finding, findings_of
from flows.meter_rollout.policy import Policy
from store import reference, rollout_results
from store.rows import Row
from store.session import Session, Transaction

_COLUMNS = ("state", "codes", "reason", "tries", "due_at", "judged_at", "removed_meter", "installed_meter")
"""Columns of a completion that judging changes."""


@dataclass(frozen=True, slots=True)
class Validated:
    """What became of one batch; the four counts add up to what was judged (I5)."""

    believed: int = 0
    waiting: int = 0
    held: int = 0
    rejected: int = 0

    def __add__(self, other: "Validated") -> "Validated":
        """Return both together."""
        return Validated(
            self.believed + other.believed, self.waiting + other.waiting, self.held + other.held,
            self.rejected + other.rejected,
        )  # fmt: skip


def due(*, policy: Policy, transaction: Transaction, now: datetime, limit: int = 20_000) -> list[tuple[str, ...]]:
    """Return what is to be judged now as batches of ids, the earliest work first; each may be judged by itself."""
    with transaction() as session:
        blocked.release(session, now=now)
        rollout_results.wake_for_masters(session, meters=str(NEW_METER_UNKNOWN), points=str(PREMISE_MISMATCH), now=now)
        ids = rollout_results.due(session, now=now, limit=limit)
    return [tuple(ids[at : at + policy.batch]) for at in range(0, len(ids), policy.batch)]


def validate_batch(result_ids: Sequence[str], *, policy: Policy, transaction: Transaction, now: datetime) -> Validated:
    """Judge a batch of completions and believe what passes; what another worker judged meanwhile is left alone."""
    with transaction() as session:
        reference.lock(session)
        rows = rollout_results.of_ids(session, result_ids).values()
        return judge(session, [row for row in rows if row["state"] in ("NEW", "WAITING")], policy=policy, now=now)


def judge(
    session: Session, rows: Collection[Row], *, policy: Policy, now: datetime, besides: Collection[str] = ()
) -> Validated:
    """Judge completions in an open transaction that holds the masters' lock; orders of `besides` get no steps here."""
    if not rows:
        return Validated()
    ordered = sorted(rows, key=lambda row: (row["effective_at"], row["outcome"] != "DONE", row["result_id"]))
    known.find_points(session, ordered)
    batch = Batch(known.open_known(session, ordered, policy=policy, now=now), policy, now)
    originals = reversal.originals(session, ordered)
    for row in ordered:
        if row["outcome"] == "REVERSED":
            reversal.take_back(batch, row, originals)
        else:
            _one(batch, known.facts_of(batch.known, row))
    cross_installed.mark(session, batch, ordered)
    _write(session, batch, ordered, besides)
    return _counted(ordered)


def _one(batch: Batch, facts: Facts) -> None:
    """Judge one completion by what is believed when its turn comes."""
    row, found = facts.row, findings_of(facts, batch.policy.actions)
    own = [str(one.rule.code) for one in found]
    kept = [code for code in row["codes"] if code == str(EXCLUDED_INSTALLED)]
    batch.over += [(code, row["order_id"]) for code in row["codes"] if code not in own and code not in kept]
    row |= {"codes": own + kept, "judged_at": batch.now, "removed_meter": facts.old_meter}
    row["installed_meter"] = facts.new_meter
    stopping = next((one for one in found if one.action in STOPS), None)
    if stopping is not None:
        stop(batch, row, stopping.rule.code, _said(found, row, stopping), action=stopping.action)
        return
    believing.believe(facts, batch.believed, holds_pair=any(one.action == "HOLD_PAIR" for one in found))
    batch.passed.add(row["result_id"])
    batch.over.append((str(DATE_INCOHERENT), row["order_id"]))  # what had to be told again has been (EX10)
    row |= {"state": "VALIDATED", "due_at": None, "reason": _said(found, row)}
    for one in found:
        if one.action in ("BLOCK", "ALERT"):
            batch.troubles.append(trouble_of(row, one.rule.code, one.reason, facts.new_meter))
        if one.action == "BLOCK":
            batch.blocked.append(row["order_id"])
    if kept:
        batch.troubles.append(trouble_of(row, EXCLUDED_INSTALLED, _said((), row), facts.new_meter))


def _write(session: Session, batch: Batch, rows: Sequence[Row], besides: Collection[str]) -> None:
    """Write what a batch came to."""
    now, policy, believed = batch.now, batch.policy, batch.believed
    multipliers.apply(session, believed.multipliers, batch.known.stays, now=now)
    batch.known.stays.write(session, now=now)
    believing.hand_on(session, believed, now=now)
    rollout_results.change(session, [{name: row[name] for name in ("result_id", *_COLUMNS)} for row in rows])
    rollout_results.change(session, [batch.others[name] for name in sorted(batch.others)])
    rollout_results.change(session, batch.crossed)
    believing.begin_steps(session, believed, besides=besides, policy=policy, now=now)
    blocked.block(session, batch.blocked, now=now)
    reversal.tell(session, batch.taken_back, policy=policy, now=now)
    trouble.settle(session, batch.over, reason="it was judged again, and is not so any more", now=now)
    trouble.tell(session, batch.troubles, policy=policy, now=now)
    rollout_results.wake(
        session,
        usage_points=believed.since,
        serials=believed.serials,
        besides=batch.passed,
        never=(str(CONTRADICTORY_RESULT),),
        now=now,
    )


def _said(found: Sequence[Finding], row: Row, first: Finding | None = None) -> str:
    """Return all findings in words, the deciding one first."""
    told = [one.reason for one in found if one is not first]
    if row["reason"].startswith("excluded: "):
        told.append(row["reason"].partition("; ")[0])
    return "; ".join([first.reason, *told] if first is not None else told)


def _counted(rows: Sequence[Row]) -> Validated:
    states = [row["state"] for row in rows]
    return Validated(*(states.count(state) for state in ("VALIDATED", "WAITING", "HELD", "REJECTED")))


def validate_due(*, policy: Policy, transaction: Transaction, now: datetime) -> Validated:
    """Judge everything that is due now, batch by batch, until nothing is: what one pass frees the next one takes."""
    total = Validated()
    while batches := due(policy=policy, transaction=transaction, now=now):
        for one in batches:
            total += validate_batch(one, policy=policy, transaction=transaction, now=now)
    return total
