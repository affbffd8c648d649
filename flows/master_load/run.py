"""The run of a first-time load as its steps see it: what it was started with, how items are counted, when it pauses."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from canonical.codes.master_load import LOAD_ABOVE_CEILING
from flows.master_data_sync.records import Records
from flows.master_load.chunk import Terms
from flows.master_load.policy import LoadPolicy
from flows.master_load.stated import TURN, Became, Entry
from flows.routing import deliver
from store import master_load_held, master_loads
from store.rows import Row
from store.session import Session

Counts = Mapping[tuple[str, str], int]
"""Numbers by kind and disposition."""


def terms_of(run: Row, policy: LoadPolicy, records: Records, *, is_last_try: bool = False) -> Terms:
    """Return what a run was started with, as far as its items are concerned."""
    return Terms(run["history"], run["history_months"], policy.history_days, policy.zone, is_last_try, records)


def counts_of(entries: Sequence[Entry], became: Sequence[Became]) -> Counter[tuple[str, str]]:
    """Return how many items of each kind ended how."""
    return Counter((one.holding.kind, end.disposition) for one, end in zip(entries, became, strict=True))


def hold(session: Session, run: Row, file_id: str, entries: Sequence[Entry], became: Sequence[Became]) -> None:
    """Keep the items of a chunk that wait for their parents, and those that are exceptions."""
    rows = [
        {
            "run_id": run["run_id"], "file_id": file_id, "role": one.role, "line": one.line, "kind": one.holding.kind,
            "turn": TURN[one.holding.kind], "object_id": one.holding.object_id, "valid_from": one.holding.valid_from,
            "valid_to": one.holding.valid_to, "facts": dict(one.holding.facts), "watermark": one.watermark,
            "state": "waiting" if end.disposition == "WAITING" else "exception", "code": end.code,
            "reason": end.reason,
        }
        for one, end in zip(entries, became, strict=True)
        if end.disposition in ("WAITING", "EXCEPTION")
    ]  # fmt: skip
    master_load_held.add(session, rows)


def judge_errors(session: Session, run: Row, policy: LoadPolicy, *, now: datetime) -> bool:
    """Pause a run whose errors are above its ceiling, with work for a person; return whether it is paused now."""
    items, errors = master_loads.totals(session, run["run_id"])
    items, errors = items - run["forgiven_items"], errors - run["forgiven_errors"]
    if (
        run["state"] not in ("loading", "closing")
        or items <= 0
        or Decimal(100) * errors <= run["error_percent"] * items
    ):
        return False
    reason = f"{errors} of {items} items are errors; {run['error_percent']} % are allowed"
    master_loads.change(session, run["run_id"], now=now, state="paused", reason=reason)
    deliver.tell(session, LOAD_ABOVE_CEILING, run["run_id"], reason, queue=policy.queue, now=now)
    return True
