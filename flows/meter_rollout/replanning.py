"""Another day for orders that were not done on theirs: a visit in vain, a day that passed, a hold that is over."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from canonical.codes.rollout_waves import ATTEMPTS_USED, NO_CLEAR_DAY, WAVE_FULL
from canonical.periods import local_date
from canonical.rollout import OrderState
from flows.meter_rollout import trouble
from flows.meter_rollout.packing import Packer, days_filled
from flows.meter_rollout.planner import closed_days, days_left, no_room
from flows.meter_rollout.policy import Policy
from flows.meter_rollout.release import LOOK_AGAIN, looked_at, stop
from flows.meter_rollout.rules import WaveRules
from flows.meter_rollout.trouble import Trouble
from flows.meter_rollout.verdicts import Candidate, Out
from flows.meter_rollout.working_days import around
from store import rollout_orders, rollout_plans, rollout_waves
from store.rollout_orders import Move
from store.rollout_states import JUDGED, TOLD
from store.rows import Row
from store.session import Session, Transaction

DECIDED = tuple(str(code) for code in (ATTEMPTS_USED, WAVE_FULL, NO_CLEAR_DAY))
"""Codes under which a person has an order."""

FILLS = ("PLANNED", "ELIGIBLE", "RELEASED", "DISPATCHED", *JUDGED, *TOLD, "CLOSED")
"""States in which an order holds its place in its day."""


@dataclass(slots=True)
class Replanned:
    """What came of orders that needed another day."""

    planned: int = 0
    given_up: int = 0
    """Orders for which a person decides now."""


@dataclass(frozen=True, slots=True)
class _Days:
    """The days of a wave that are left."""

    rules: WaveRules
    packer: Packer
    closed: Mapping[str, frozenset[date]]
    today: date


def replan(rules: WaveRules, *, policy: Policy, transaction: Transaction, now: datetime) -> Replanned:
    """Give orders of a wave another day, up to as many visits as it allows; what finds none is a person's work.

    The list does not change: the same orders, on later days.
    """
    found = Replanned()
    with transaction() as session:
        days = _open(session, rules, now)
    while True:
        with transaction() as session:
            rows = rollout_plans.needing_a_day(
                session, rules.wave, today=days.today.isoformat(), now=now, decided=DECIDED, limit=policy.batch
            )
            if not rows:
                return found
            _batch(session, rows, days, found, policy=policy, now=now)


def another_day(session: Session, row: Row, rules: WaveRules, *, now: datetime) -> Move | Out:
    """Return the move of one order to another day, however often it was visited, or why it can have none."""
    days = _open(session, rules, now)
    [(_, seen, out)] = looked_at(session, [row], rules, days.closed, at=now)
    if seen is None or (out is not None and not out.is_of_day):
        return out or _used(row)
    return _planned(row, seen, days)


def _open(session: Session, rules: WaveRules, now: datetime) -> _Days:
    closed = closed_days(session, rules)
    filled = days_filled(rollout_waves.orders_by_day(session, rules.wave), FILLS)
    packer = Packer(days_left(rules, now), rules.capacity_per_day, filled)
    return _Days(rules, packer, closed, local_date(now, ZoneInfo(rules.zone)))


def _batch(session: Session, rows: list[Row], days: _Days, found: Replanned, *, policy: Policy, now: datetime) -> None:
    moves: list[Move] = []
    troubles: list[Trouble] = []
    later: list[dict[str, Any]] = []
    for row, seen, out in looked_at(session, rows, days.rules, days.closed, at=now):
        is_used = row["state"] == "UNABLE" and row["attempts"] >= days.rules.attempts
        if out is not None and not out.is_of_day:
            if (row["state"], row["code"]) == ("ON_HOLD", str(out.code)):
                later.append({"order_id": row["order_id"], "due_at": now + LOOK_AGAIN, "reason": out.reason})
            else:
                moves.append(stop(row, out, now))
            continue
        one = _used(row) if is_used or seen is None else _planned(row, seen, days)
        if isinstance(one, Move):
            found.planned += 1
            moves.append(one)
            continue
        found.given_up += 1
        state: OrderState = "UNABLE" if row["state"] == "UNABLE" else "ON_HOLD"
        moves.append(Move(row["order_id"], state, code=one.code, reason=one.reason, columns={"due_at": None}))
        troubles.append(Trouble(one.code, row["order_id"], one.reason, row["usage_point"], row["old_meter"]))
    rollout_orders.move_each(session, moves, now=now)
    rollout_orders.change(session, later)
    trouble.tell(session, troubles, policy=policy, now=now)


def _planned(row: Row, seen: Candidate, days: _Days) -> Move | Out:
    """Return the move of an order to its next day, or why there is none."""
    rules = days.rules
    after = days.today + timedelta(days=rules.retry_after_days - 1) if row["state"] == "UNABLE" else days.today
    closed = days.closed.get(seen.cycle, frozenset())
    moves = around(rules, seen.moves)
    slot = days.packer.place(closed, moves, after=after)
    if slot is None:
        return no_room(days.packer, closed | moves)
    why = {"UNABLE": "another visit", "ON_HOLD": "held no more"}.get(row["state"], "its day has passed")
    columns = {"planned_day": slot.day.isoformat(), "place": slot.place, "due_at": None}
    return Move(row["order_id"], "ELIGIBLE", reason=f"{why}: planned for {slot.day}", columns=columns)


def _used(row: Row) -> Out:
    return Out(
        ATTEMPTS_USED, f"{row['attempts']} visits in vain" + (f", the last: {row['reason']}" if row["reason"] else "")
    )
