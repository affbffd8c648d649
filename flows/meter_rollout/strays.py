"""Meters that speak where none should: heard though nobody installed them (EX16), read after their removal (EX17)."""

from collections.abc import Iterable
from datetime import datetime

from canonical.codes.rollout import HEARD_UNINSTALLED, OLD_METER_STILL_READING
from flows.meter_rollout import trouble
from flows.meter_rollout.policy import Policy
from flows.meter_rollout.trouble import Trouble
from store import rollout_heard, rollout_steps, work
from store.session import Session, Transaction

LIMIT = 1000
"""Meters that one pass tells of; the rest goes with the next, for work that is open is not told again."""


def find(*, policy: Policy, transaction: Transaction, now: datetime) -> int:
    """Open work for strays, end it for those that have found their place, and return how many are new."""
    with transaction() as session:
        opened = _uninstalled(session, policy=policy, now=now)
    for step in rollout_steps.OBSERVED:
        behind, is_more = "", True
        while is_more:
            with transaction() as session:
                rows = rollout_steps.awaited(session, step, limit=policy.batch, behind=behind)
                opened += _still_read(session, [row["order_id"] for row in rows], policy=policy, now=now)
            is_more = len(rows) == policy.batch
            behind = rows[-1]["order_id"] if rows else ""
    return opened


def _uninstalled(session: Session, *, policy: Policy, now: datetime) -> int:
    rows = rollout_heard.uninstalled(session, since=now - policy.heard_lookback, limit=LIMIT)
    found = [
        Trouble(
            HEARD_UNINSTALLED,
            row["meter"],
            f"meter {row['meter']} is heard by {row['source']} since {row['at'].isoformat()} and hangs nowhere",
            meter=row["meter"],
        )
        for row in rows
    ]
    _end_found(session, {row["meter"] for row in rows}, now=now)
    return _fresh(session, found, policy=policy, now=now)


def _end_found(session: Session, still: set[str], *, now: datetime) -> None:
    """End the work about meters that hang somewhere by now."""
    rows = [row for row in work.open_of_code(session, str(HEARD_UNINSTALLED)) if row["meter"] not in still]
    hanging = rollout_heard.hanging(session, {row["meter"] for row in rows})
    over = [row["work_id"] for row in rows if row["meter"] in hanging]
    work.act(session, over, "resolved", state="RESOLVED", by="hub", reason="it hangs somewhere now", now=now)


def _still_read(session: Session, order_ids: Iterable[str], *, policy: Policy, now: datetime) -> int:
    found = [
        Trouble(
            OLD_METER_STILL_READING,
            row["order_id"],
            f"{row['number']} readings of meter {row['old_meter']} from {row['at'].isoformat()} on, after its removal",
            row["usage_point"],
            row["old_meter"],
        )
        for row in rollout_heard.read_after_removal(session, set(order_ids))
    ]
    return _fresh(session, found, policy=policy, now=now)


def _fresh(session: Session, found: list[Trouble], *, policy: Policy, now: datetime) -> int:
    """Tell of what nobody was told of yet: what a person closed stays closed."""
    known = work.of_ids(session, {trouble.work_id(one.code, one.about) for one in found})
    new = [one for one in found if trouble.work_id(one.code, one.about) not in known]
    trouble.tell(session, new, policy=policy, now=now)
    return len(new)
