"""A batch of completions while it is judged: what is known, what is to be believed, what is wrong."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from canonical.codes.rollout import NEW_METER_UNKNOWN
from canonical.errors import ErrorCode
from flows.meter_rollout.believing import Believed
from flows.meter_rollout.known import Known
from flows.meter_rollout.policy import Policy
from flows.meter_rollout.trouble import Trouble
from store.rollout_orders import Move
from store.rows import Row


@dataclass(slots=True)
class Batch:
    """A batch while it is judged."""

    known: Known
    policy: Policy
    now: datetime
    believed: Believed = field(default_factory=Believed)
    troubles: list[Trouble] = field(default_factory=list)
    over: list[tuple[str, str]] = field(default_factory=list)
    """Findings that are not there any more: code and order."""

    blocked: list[str] = field(default_factory=list)
    """Orders whose new meter must not be commissioned (EX20)."""

    passed: set[str] = field(default_factory=set)
    taken_back: list[str] = field(default_factory=list)
    """Orders that a reversal takes back."""

    others: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Completions that were taken back, by id."""

    crossed: list[dict[str, Any]] = field(default_factory=list)
    """Completions of other batches that are cross-installed with some of this one."""


def stop(batch: Batch, row: Row, code: ErrorCode, reason: str, *, action: str) -> None:
    """Keep a completion from being believed: it waits, is held for a person, or has to be told again."""
    waits = (
        action == "WAIT" and batch.now < row["told_at"] + batch.policy.search_attempts * batch.policy.search_interval
    )
    state = "WAITING" if waits else "REJECTED" if action == "REJECT" else "HELD"
    row |= {"state": state, "reason": reason, "tries": row["tries"] + 1, "judged_at": batch.now}
    row["due_at"] = batch.now + batch.policy.search_interval if waits else None
    if not waits or code is not NEW_METER_UNKNOWN:
        batch.troubles.append(trouble_of(row, code, reason))
    order = batch.known.orders.get(row["order_id"])
    then = "ON_HOLD" if waits else "REJECTED"
    if order is not None and (order["state"] != then or order["code"] != str(code)):
        move = Move(row["order_id"], then, row["effective_at"], code, reason, row["message_id"])  # type: ignore[arg-type]
        batch.believed.moves.append(move)


def about(row: Row) -> str:
    """Return what a finding about a completion is about: its order; the completion where it has none (a reversal)."""
    return str(row["order_id"] or row["result_id"])


def trouble_of(row: Row, code: ErrorCode, reason: str, meter: str = "") -> Trouble:
    """Return a finding about a completion as work; one item for each order and rule."""
    return Trouble(code, about(row), f"{row['source']}: {reason}", row["usage_point"], meter or row["installed_meter"])
