"""One pass over the waves: what the work system confirmed, what needs another day, what is released, what ended."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from canonical.codes.message import PARTNER_TOOK_PART
from canonical.codes.rollout_waves import NOT_TAKEN_BY_FIELD
from canonical.periods import local_date
from canonical.refusals import refused_in, shown
from canonical.rollout import WaveState
from flows.meter_rollout import trouble
from flows.meter_rollout.policy import Policy
from flows.meter_rollout.release import HUB, current_rules, release
from flows.meter_rollout.replanning import replan
from flows.meter_rollout.rules import rules_from
from flows.meter_rollout.trouble import Trouble
from flows.meter_rollout.working_days import is_working
from flows.routing.deliver import Sending
from store import rollout_orders, rollout_plans, rollout_waves
from store.rollout_orders import Move
from store.rollout_states import FINAL
from store.rows import Row
from store.session import Session, Transaction

MOVING: tuple[WaveState, ...] = ("FROZEN", "RELEASED", "RUNNING")
"""States of a wave of which orders are planned again."""

Exclusions = Mapping[str, Mapping[str, str]]
"""By wave, the usage points that the site file excludes now, and why."""


@dataclass(frozen=True, slots=True)
class WavesPassed:
    """What one pass came to."""

    dispatched: int = 0
    """Orders that the work system confirmed."""

    refused: int = 0
    """Orders that it refused, or did not confirm in time: a person's work."""

    replanned: int = 0
    """Orders that got another day."""

    given_up: int = 0
    """Orders that found none, or used their attempts: a person's work."""

    released: int = 0
    """Orders that were released by themselves, some days ahead."""

    ended: tuple[str, ...] = ()
    """Waves of which every order has ended."""


def pass_waves(
    *, policy: Policy, sending: Sending, transaction: Transaction, exclude: Exclusions | None = None
) -> WavesPassed:
    """Bring every wave on, as far as it goes by itself; run again, it changes nothing. `sending.now` counts."""
    now = sending.now
    dispatched, refused = _heard_from_work_system(policy, transaction, now)
    with transaction() as session:
        waves = rollout_waves.in_states(session, *MOVING)
    replanned = given_up = released = 0
    for wave in waves:
        rules = current_rules(wave, (exclude or {}).get(wave["wave"]))
        again = replan(rules, policy=policy, transaction=transaction, now=now)
        replanned, given_up = replanned + again.planned, given_up + again.given_up
        released += _release_ahead(wave, policy, sending, transaction, rules.exclude)
    return WavesPassed(dispatched, refused, replanned, given_up, released, _ended(transaction, now))


def _heard_from_work_system(policy: Policy, transaction: Transaction, now: datetime) -> tuple[int, int]:
    """Record what the work system said of released orders, and return how many it took and how many are work."""
    dispatched = refused = 0
    while True:
        with transaction() as session:
            rows = rollout_plans.answered(session, limit=policy.batch)
            by_hand = rollout_plans.told_by_person(session, limit=policy.batch)
            # What is answered and waits for its turn is not late: only when nothing is answered any more, late is late.
            is_told = bool(rows or by_hand)
            late = [] if is_told else rollout_plans.unconfirmed(session, now=now, limit=policy.batch)
            why = refusals(rows)
            taken = [row for row in rows if row["order_id"] not in why] + by_hand
            _dispatch(session, taken, now)
            _refuse(session, [(row, why[row["order_id"]]) for row in rows if row["order_id"] in why], policy, now)
            _late(session, late, policy, now)
        dispatched, refused = dispatched + len(taken), refused + len(rows) + len(by_hand) - len(taken) + len(late)
        if not (rows or by_hand or late):
            return dispatched, refused


def _dispatch(session: Session, rows: list[Row], now: datetime) -> None:
    moves = [
        Move(row["order_id"], "DISPATCHED", message_id=row["delivery_id"], columns={"due_at": None},
             reason="" if row["delivery_id"] else "a person tells the crews")
        for row in rows
    ]  # fmt: skip
    rollout_orders.move_each(session, moves, now=now)
    over = [(str(NOT_TAKEN_BY_FIELD), row["order_id"]) for row in rows]
    trouble.settle(session, over, reason="the work system took the order", by="hub", now=now)


def refusals(rows: Iterable[Row]) -> dict[str, str]:
    """Return which released orders the work system did not take, and why; of a message in part those that it names.

    Where a refusal names no order of the message, or there are more than its answer has room for, nobody knows of the
    others, and they count as not taken.
    """
    messages: dict[str, list[Row]] = {}
    for row in rows:
        if row["told"] != "confirmed":
            messages.setdefault(row["delivery_id"], []).append(row)
    found: dict[str, str] = {}
    for orders in messages.values():
        first = orders[0]
        whole = f"{first['told_code']} {shown(first['told_why'])}".strip() or f"the delivery is {first['told']}"
        named: Mapping[str, str] = {}
        is_whole = False
        if first["told_code"] == str(PARTNER_TOOK_PART):
            refused = refused_in(first["told_why"], {row["order_id"]: (row["usage_point"],) for row in orders})
            named, is_whole = refused.named, refused.is_whole
        others = {} if is_whole else {row["order_id"]: whole for row in orders}
        found |= {**others, **named}
    return found


def _refuse(session: Session, found: list[tuple[Row, str]], policy: Policy, now: datetime) -> None:
    """Hold orders that the work system did not take; a person has them."""
    moves = [
        Move(row["order_id"], "ON_HOLD", code=NOT_TAKEN_BY_FIELD, reason=why, message_id=row["delivery_id"],
             columns={"due_at": None})
        for row, why in found
    ]  # fmt: skip
    rollout_orders.move_each(session, moves, now=now)
    _tell(session, found, policy, now)


def _late(session: Session, rows: list[Row], policy: Policy, now: datetime) -> None:
    """Tell a person of orders that were not confirmed in time; they stay released, and may be confirmed yet."""
    found = [(row, "the work system has not confirmed the order in time") for row in rows]
    rollout_orders.change(session, [{"order_id": row["order_id"], "due_at": None} for row in rows])
    _tell(session, found, policy, now)


def _tell(session: Session, found: list[tuple[Row, str]], policy: Policy, now: datetime) -> None:
    troubles = [
        Trouble(NOT_TAKEN_BY_FIELD, row["order_id"], why, row["usage_point"], row["old_meter"]) for row, why in found
    ]
    trouble.tell(session, troubles, policy=policy, now=now)


def _release_ahead(
    wave: Row, policy: Policy, sending: Sending, transaction: Transaction, exclude: Mapping[str, str]
) -> int:
    """Release the days that come next, where the wave says so and a person has released days of it before."""
    rules = rules_from(wave["rules"])
    if not rules.release_ahead_days or wave["state"] == "FROZEN" or "release" in rules.approvals | policy.approvals:
        return 0
    today = local_date(sending.now, ZoneInfo(rules.zone))
    days = [today + timedelta(days=n) for n in range(1, rules.release_ahead_days + 1)]
    days = [day for day in days if is_working(rules, day)]
    with transaction() as session:
        waiting = rollout_waves.orders_by_day(session, wave["wave"])
    days = [day for day in days if waiting.get((day.isoformat(), "ELIGIBLE"))]
    if not days:
        return 0
    found = release(
        wave["wave"], days, policy=policy, sending=sending, transaction=transaction, by=HUB, exclude=exclude
    )
    return found.orders.total()


def _ended(transaction: Transaction, now: datetime) -> tuple[str, ...]:
    """Bring waves to what their orders say: running, completed, or running again; return those that completed now."""
    ended = []
    with transaction() as session:
        for wave in rollout_waves.listed(session, lock=True):
            states = rollout_waves.orders_by_state(session, wave["wave"])
            is_over = all(state in FINAL for state in states)
            began = any(state not in (*FINAL, "PLANNED", "ELIGIBLE", "RELEASED", "ON_HOLD") for state in states)
            if wave["state"] == "RELEASED" and began:
                wave = rollout_waves.move(session, wave, "RUNNING", now=now, by=HUB, act="running")
            if wave["state"] in ("RELEASED", "RUNNING") and is_over:
                rollout_waves.move(session, wave, "COMPLETED", now=now, by=HUB, act="completed")
                ended.append(wave["wave"])
            if wave["state"] == "COMPLETED" and not is_over:
                reason = "an order of it is open again"
                rollout_waves.move(session, wave, "RUNNING", now=now, by=HUB, act="running again", reason=reason)
    return tuple(ended)
