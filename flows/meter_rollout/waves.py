"""What a person decides about a wave: pause, resume, abort, close."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from canonical.codes.rollout_waves import APPROVAL_MISSING, ROLLOUT_STATE, WAVE_NOT_DONE
from canonical.errors import RejectedError
from canonical.rollout import FieldOrder, WaveState
from flows.meter_rollout.field_orders import field_order, tellings
from flows.meter_rollout.freezing import holds
from flows.meter_rollout.policy import Policy
from flows.meter_rollout.release import work_role
from flows.meter_rollout.rules import WaveRules, rules_from
from flows.meter_rollout.verdicts import CONFLICTS, candidate
from flows.routing.deliver import Sending, send_many
from store import rollout_candidates, rollout_orders, rollout_plans, rollout_waves
from store.rollout_orders import Move
from store.rollout_states import FIELD, FINAL, PLANS, check_wave
from store.rows import Row
from store.session import Session, Transaction

WITHDRAWN = ("PLANNED", "ELIGIBLE", *FIELD, "ON_HOLD")
"""States of an order that an abort withdraws; a held one only where its exchange was not reported yet."""


@dataclass(slots=True)
class Aborted:
    """What an abort came to."""

    cancelled: int = 0
    withdrawn: int = 0
    """Those of them of which the work system is told."""

    going_on: int = 0
    """Exchanges that were done and are brought to their end."""


def pause(wave: str, *, transaction: Transaction, now: datetime, by: str, reason: str = "") -> None:
    """Stop releasing and planning; what is in the field goes on.

    Raises:
        RejectedError: the wave is not under way (ROLLOUT_STATE).
    """
    with transaction() as session:
        standing = rollout_waves.find(session, wave, lock=True)
        rollout_waves.move(session, standing, "PAUSED", now=now, by=by, act="paused", reason=reason)


def resume(wave: str, *, transaction: Transaction, now: datetime, by: str, reason: str = "") -> WaveState:
    """Let a paused wave go on as what it was, and return that state.

    Raises:
        RejectedError: the wave is not paused (ROLLOUT_STATE).
    """
    with transaction() as session:
        standing = rollout_waves.find(session, wave, lock=True)
        if standing["state"] != "PAUSED":
            raise RejectedError(f"wave {wave!r} is {standing['state']}, not paused", code=ROLLOUT_STATE)
        before: WaveState = standing["before"]
        rollout_waves.move(session, standing, before, now=now, by=by, act="resumed", reason=reason)
    return before


def abort(wave: str, *, policy: Policy, sending: Sending, transaction: Transaction, by: str, reason: str) -> Aborted:
    """End a wave: what was not done is cancelled, also at the work system; what was done goes its way to the end.

    A crash leaves whole batches: the same command goes on.

    Raises:
        RejectedError: the wave has ended otherwise (ROLLOUT_STATE).
    """
    with transaction() as session:
        standing = rollout_waves.find(session, wave, lock=True)
        if standing["state"] != "ABORTED":
            rollout_waves.move(session, standing, "ABORTED", now=sending.now, by=by, act="aborted", reason=reason)
    rules, found = rules_from(standing["rules"]), Aborted()
    after: tuple[str, int, str] | None = None
    while True:
        with transaction() as session:
            rows = rollout_plans.of_day(session, wave, states=WITHDRAWN, days=[], limit=policy.batch, after=after)
            if not rows:
                states = rollout_waves.orders_by_state(session, wave)
                found.going_on = sum(number for state, number in states.items() if state not in FINAL)
                return found
            why = f"the wave was aborted: {reason}"
            withdraw(session, rows, rules, found, policy=policy, sending=sending, by=by, reason=why)
        after = (rows[-1]["planned_day"], rows[-1]["place"], rows[-1]["order_id"])


def close(wave: str, *, transaction: Transaction, now: datetime, by: str, reason: str = "") -> None:
    """Sign a completed wave off: its frozen list holds, and every order of it has ended.

    Raises:
        RejectedError: nobody signs (APPROVAL_MISSING), something is open or was changed (WAVE_NOT_DONE), or the wave is
            not completed (ROLLOUT_STATE).
    """
    if by in ("", "hub"):
        raise RejectedError("a wave is closed by a person who signs for it", code=APPROVAL_MISSING)
    is_whole = holds(wave, transaction=transaction)
    with transaction() as session:
        standing = rollout_waves.find(session, wave, lock=True)
        check_wave(standing["state"], "CLOSED", wave=wave)
        states = rollout_waves.orders_by_state(session, wave)
        still = {state: number for state, number in states.items() if state not in FINAL}
        if still or not is_whole:
            said = ", ".join(f"{number} {state}" for state, number in sorted(still.items()))
            raise RejectedError(said or "its frozen list does not hold", code=WAVE_NOT_DONE, where=f"wave {wave}")
        rollout_waves.move(session, standing, "CLOSED", now=now, by=by, act="closed", reason=reason)


def withdraw(
    session: Session,
    rows: Sequence[Row],
    rules: WaveRules,
    found: Aborted,
    *,
    policy: Policy,
    sending: Sending,
    by: str,
    reason: str,
) -> None:
    """Cancel a batch of orders, and tell the work system of those that it has."""
    ours = [row for row in rows if row["state"] != "ON_HOLD" or row["before"] in (*PLANS, *FIELD)]
    told = [row for row in ours if row["delivery_id"]]
    orders = _cancelling(session, told, rules, sending)
    role = work_role(rules, policy)
    parts = list(tellings(orders, role, size=rules.orders_per_message, now=sending.now))
    is_told = role not in sending.routes.absent
    names = send_many(session, [telling for telling, _ in parts], sending=sending) if is_told else [""] * len(parts)
    carried = {row["order_id"]: name for (_, some), name in zip(parts, names, strict=True) for row in some}
    moves = [
        Move(row["order_id"], "CANCELLED", reason=reason,
             message_id=carried.get(row["order_id"], ""),
             columns={"delivery_id": carried.get(row["order_id"], row["delivery_id"])})
        for row in ours
    ]  # fmt: skip
    rollout_orders.move_each(session, moves, now=sending.now, by=by)
    found.cancelled += len(ours)
    found.withdrawn += len(told)


def _cancelling(
    session: Session, rows: Sequence[Row], rules: WaveRules, sending: Sending
) -> list[tuple[Row, FieldOrder]]:
    """Return what withdraws orders; one whose usage point has ended is withdrawn as the order knows it."""
    names = [row["usage_point"] for row in rows]
    points = {one["usage_point"]: one for one in rollout_candidates.named(session, names, at=sending.now)}
    standing = rollout_candidates.standing(session, names, at=sending.now, codes=CONFLICTS)
    found = []
    for row in rows:
        known = {
            "name": row["usage_point_name"], "zone": rules.zone, "commodity": "ELECTRICITY",
            "district": row["district"], "route": row["route"],
        }  # fmt: skip
        point = points.get(row["usage_point"], {**known, "usage_point": row["usage_point"]})
        seen = candidate(point, standing, at=sending.now)
        found.append((row, field_order(row, seen, rules, verb="cancel")))
    return found
