"""Releasing days of a wave: each order is looked at once more, and what still stands goes to the work system."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from canonical.codes.rollout import BILLING_WINDOW_LOCK, INFLIGHT_CONFLICT
from canonical.codes.rollout_waves import (
    APPROVAL_MISSING,
    CHANGED_SINCE_FROZEN,
    EXCLUDED_BY_RULE,
    NOT_TAKEN_BY_FIELD,
    NOTHING_TO_EXCHANGE,
    ROLLOUT_STATE,
    STOCK_SHORT,
)
from canonical.errors import RejectedError
from canonical.periods import local_date
from canonical.rollout import FieldOrder
from flows.meter_rollout import trouble
from flows.meter_rollout.field_orders import field_order, tellings
from flows.meter_rollout.planner import closed_days
from flows.meter_rollout.policy import Policy
from flows.meter_rollout.rules import WaveRules, rules_from
from flows.meter_rollout.stock import Lack, lacks
from flows.meter_rollout.trouble import Trouble
from flows.meter_rollout.verdicts import CONFLICTS, Candidate, Out, candidate, conflict
from flows.meter_rollout.working_days import around
from flows.routing.deliver import Sending, send_many
from store import rollout_candidates, rollout_orders, rollout_plans, rollout_waves
from store.rollout_candidates import Standing
from store.rollout_orders import Move
from store.rows import Row
from store.session import Session, Transaction

LOOK_AGAIN = timedelta(days=1)
"""After which time an order that is held for what passes is looked at again."""

HUB = "hub"
PASSED = "its day has passed; the next pass plans it again"


@dataclass(slots=True)
class Released:
    """What releasing came to."""

    wave: str
    orders: Counter[str] = field(default_factory=Counter)
    """Released orders by day (ISO 8601)."""

    held: Counter[str] = field(default_factory=Counter)
    """Orders that were held or excluded instead, by code; those whose day has passed are left alone (`PASSED`)."""

    lacking: list[Lack] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Now:
    """What a release looks at."""

    rules: WaveRules
    closed: Mapping[str, frozenset[date]]
    at: datetime


def release(
    wave: str,
    days: Sequence[date],
    *,
    policy: Policy,
    sending: Sending,
    transaction: Transaction,
    by: str,
    exclude: Mapping[str, str] | None = None,
    dry_run: bool = False,
) -> Released:
    """Release the eligible orders of some days of a frozen wave (empty: of all), and say what came of it.

    `exclude`: usage points, by mRID or name, that the site has excluded since the list was frozen, and why. A dry run
    changes nothing. `sending.now` is business time. A crash leaves whole batches: the same command goes on.

    Raises:
        RejectedError: the wave is not frozen, or paused (ROLLOUT_STATE); a person has to release it (APPROVAL_MISSING);
            fewer meters lie in stock than are needed where the wave says they must (STOCK_SHORT).
    """
    named = sorted(day.isoformat() for day in days)
    with transaction() as session:
        standing = rollout_waves.find(session, wave, lock=True)
        rules = current_rules(standing, exclude)
        _may_release(standing, rules, policy, by)
        found = Released(wave, lacking=lacks(session, rules, named) if rules.stock != "ignore" else [])
        if found.lacking and rules.stock == "must":
            raise RejectedError("; ".join(str(one) for one in found.lacking), code=STOCK_SHORT, where=f"wave {wave}")
        if not dry_run:
            _note(session, standing, named, now=sending.now, by=by)
        now = _Now(rules, closed_days(session, rules), sending.now)
    after: tuple[str, int, str] | None = None
    while True:
        with transaction() as session:
            rows = _next(session, wave, named, policy.batch, after)
            if not rows:
                return found
            _batch(session, rows, now, found, policy=policy, sending=sending, by=by, dry_run=dry_run)
        last = rows[-1]
        after = (last["planned_day"], last["place"], last["order_id"])


def current_rules(standing: Row, exclude: Mapping[str, str] | None) -> WaveRules:
    """Return the frozen rules of a wave, with the usage points that were excluded since."""
    rules = rules_from(standing["rules"])
    return replace(rules, exclude={**rules.exclude, **(exclude or {})})


def work_role(rules: WaveRules, policy: Policy) -> str:
    """Return the role that is told of the orders of a wave."""
    return rules.work_system or policy.roles.get("wams", "wams")


def _may_release(standing: Row, rules: WaveRules, policy: Policy, by: str) -> None:
    if standing["state"] not in ("FROZEN", "RELEASED", "RUNNING"):
        way = {"PAUSED": "resume it first", "PLANNED": "freeze it first", "DRAFT": "plan it first"}
        said = way.get(standing["state"], "it has ended")
        raise RejectedError(f"wave {standing['wave']!r} is {standing['state']}: {said}", code=ROLLOUT_STATE)
    if by in ("", HUB) and "release" in rules.approvals | policy.approvals:
        raise RejectedError("the release of days is a person's decision", code=APPROVAL_MISSING)


def _note(session: Session, standing: Row, days: list[str], *, now: datetime, by: str) -> None:
    said = ", ".join(days) or "all days"
    if standing["state"] == "FROZEN":
        rollout_waves.move(session, standing, "RELEASED", now=now, by=by, act="released", reason=said)
    else:
        rollout_waves.note(session, standing, "released", now=now, by=by, reason=said)


def _next(session: Session, wave: str, days: list[str], limit: int, after: tuple[str, int, str] | None) -> list[Row]:
    return rollout_plans.of_day(session, wave, states=["ELIGIBLE"], days=days, limit=limit, after=after)


def _batch(
    session: Session,
    rows: list[Row],
    now: _Now,
    found: Released,
    *,
    policy: Policy,
    sending: Sending,
    by: str,
    dry_run: bool,
) -> None:
    """Release a batch of orders, or hold what stands in the way."""
    stopped: list[Move] = []
    going: list[tuple[Row, FieldOrder]] = []
    today = local_date(now.at, ZoneInfo(now.rules.zone)).isoformat()
    coming = [row for row in rows if row["planned_day"] >= today]
    if len(coming) < len(rows):
        found.held[PASSED] += len(rows) - len(coming)
    for row, seen, out in looked_at(session, coming, now.rules, now.closed, at=now.at):
        if out is not None:
            found.held[str(out.code)] += 1
            stopped.append(stop(row, out, now.at))
        elif seen is not None:
            found.orders[row["planned_day"]] += 1
            verb = "change" if row["delivery_id"] else "create"
            going.append((row, field_order(row, seen, now.rules, verb=verb)))  # type: ignore[arg-type]
    if dry_run:
        return
    _send(session, going, now, policy=policy, sending=sending, by=by)
    rollout_orders.move_each(session, stopped, now=now.at, by=by)
    changed = [one for one in stopped if one.code is CHANGED_SINCE_FROZEN]
    points = {row["order_id"]: row["usage_point"] for row in rows}
    troubles = [Trouble(CHANGED_SINCE_FROZEN, one.order_id, one.reason, points[one.order_id]) for one in changed]
    trouble.tell(session, troubles, policy=policy, now=now.at)


def _send(
    session: Session, going: list[tuple[Row, FieldOrder]], now: _Now, *, policy: Policy, sending: Sending, by: str
) -> None:
    """Tell the work system of orders, and write that they were released; what it has no words for is held."""
    role = work_role(now.rules, policy)
    parts = list(tellings(going, role, size=now.rules.orders_per_message, now=now.at))
    is_told = role not in sending.routes.absent
    names = send_many(session, [telling for telling, _ in parts], sending=sending) if is_told else [""] * len(parts)
    due = now.at + policy.confirm_within
    is_by_hand = role in sending.routes.manual | sending.routes.absent
    moves = [
        _released(row, name, due) if name or is_by_hand else Move(row["order_id"], "ON_HOLD", code=NOT_TAKEN_BY_FIELD,
                                                                  reason=f"{role} has no words for it: see its work")
        for (_, rows), name in zip(parts, names, strict=True)
        for row in rows
    ]  # fmt: skip
    rollout_orders.move_each(session, moves, now=now.at, by=by)


def _released(row: Row, name: str, due: datetime) -> Move:
    columns = {"delivery_id": name or row["delivery_id"], "due_at": due}
    return Move(row["order_id"], "RELEASED", message_id=name, columns=columns)


def looked_at(
    session: Session, rows: Sequence[Row], rules: WaveRules, closed: Mapping[str, frozenset[date]], *, at: datetime
) -> list[tuple[Row, Candidate | None, Out | None]]:
    """Return orders with their usage points as they are now, and what stands in the way of each; None: nothing."""
    names = [row["usage_point"] for row in rows]
    points = {point["usage_point"]: point for point in rollout_candidates.named(session, names, at=at)}
    standing = rollout_candidates.standing(session, names, at=at, codes=CONFLICTS)
    found: list[tuple[Row, Candidate | None, Out | None]] = []
    for row in rows:
        point = points.get(row["usage_point"])
        if point is None:
            found.append((row, None, Out(NOTHING_TO_EXCHANGE, "the usage point has ended")))
            continue
        seen = candidate(point, standing, at=at)
        found.append((row, seen, _in_the_way(row, seen, rules, closed, standing, at)))
    return found


def _in_the_way(
    row: Row, seen: Candidate, rules: WaveRules, closed: Mapping[str, frozenset[date]], standing: Standing, at: datetime
) -> Out | None:
    """Return what has come between since the list was frozen."""
    if out := conflict(rules, seen, standing, at=at):
        return out
    if seen.meter != row["old_meter"]:
        return Out(CHANGED_SINCE_FROZEN, f"meter {seen.serial or 'none'} hangs there now")
    day = date.fromisoformat(row["planned_day"])
    if day in closed.get(seen.cycle, frozenset()):
        return Out(BILLING_WINDOW_LOCK, f"on {day} cycle {seen.cycle} is being billed", is_of_day=True)
    if day in around(rules, seen.moves):
        return Out(INFLIGHT_CONFLICT, f"its customer moves around {day}", is_of_day=True)
    return None


def stop(row: Row, out: Out, now: datetime) -> Move:
    """Return how an order is stopped: for good by what excludes it, else held until it is looked at again.

    One that the work system has is never excluded silently: it is held, and a person withdraws it.
    """
    if out.code in (EXCLUDED_BY_RULE, NOTHING_TO_EXCHANGE) and not row["delivery_id"]:
        return Move(row["order_id"], "EXCLUDED", code=out.code, reason=out.reason)
    return Move(row["order_id"], "ON_HOLD", code=out.code, reason=out.reason, columns={"due_at": now + LOOK_AGAIN})
