"""The sequence of many exchanges: planned when they are validated, then brought on from what is so, never by a script.

Every step is a row. What its delivery came to, what its system holds when it is asked, and what a person decided move
it; the steps behind it begin in the transaction that sees it done. A crash leaves rows, and rows are all that counts.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from canonical.codes.rollout import BILLING_WINDOW_LOCK
from flows.meter_rollout import asking, beginning, subjects, waits, writing
from flows.meter_rollout.asking import Answers, Ask
from flows.meter_rollout.beginning import Begun
from flows.meter_rollout.policy import Policy
from flows.meter_rollout.progress import TOLD, UNDO, Track, is_taken_back, newest, settle
from flows.meter_rollout.steps import NEEDS_HEAD_END, OWN_BELIEF, STEPS, Step
from flows.routing.deliver import Sending
from store import rollout_orders, rollout_results, rollout_steps
from store.rows import Row
from store.session import Session, Transaction

AT_ONCE = 2_000
"""Orders that a loop brings on together: what the store read of them is still at hand when they go on."""


@dataclass(frozen=True, slots=True)
class Advanced:
    """What one batch came to."""

    orders: int = 0
    sent: int = 0
    """Messages."""

    moved: int = 0
    """Orders that came to another state."""

    asked: int = 0
    """Steps of which systems were asked."""

    work: int = 0
    """Things that became a person's."""

    def __add__(self, other: "Advanced") -> "Advanced":
        """Return both together."""
        return Advanced(
            self.orders + other.orders, self.sent + other.sent, self.moved + other.moved, self.asked + other.asked,
            self.work + other.work,
        )  # fmt: skip


def begin(
    session: Session,
    orders: Sequence[Row],
    *,
    policy: Policy,
    now: datetime,
    held: Mapping[str, datetime] = beginning.NOTHING_HELD,
) -> None:
    """Plan the steps of exchanges that were validated, in the transaction that believes them; the next pass begins.

    `orders` are rows with meters, instants and result as validated. `held` are those whose usage point is being billed
    (EX11), by id, with the time from which a person decides: only their pair waits.
    """
    causes = rollout_results.of_ids(session, {one["result_id"] for one in orders} - {""})
    rows: list[dict[str, Any]] = []
    for order in orders:
        facts = {**subjects.facts_of(order), "cause": causes.get(order["result_id"], {}).get("message_id", "")}
        rows += _planned(order["order_id"], facts, 1, policy=policy, now=now, held_until=held.get(order["order_id"]))
    rollout_steps.plan(session, rows)


def again(session: Session, orders: Sequence[Row], *, policy: Policy, now: datetime) -> None:
    """Tell exchanges anew after they were corrected: what was told is taken back first, at all of them.

    `orders` are rows as they are right now; what their last attempt told is known from its own row. They go through
    CORRECTING; none is told anew before everything wrong is taken back at every one of them (a meter cannot be linked
    to the one while it still is to the other).
    """
    _correct(session, orders, policy=policy, now=now, tells_anew=True)


def take_back(session: Session, orders: Sequence[Row], *, policy: Policy, now: datetime) -> None:
    """Take back what was told of exchanges; when every system said so they are REVERSED."""
    _correct(session, orders, policy=policy, now=now, tells_anew=False)


def resume(session: Session, order_ids: Collection[str], *, now: datetime) -> None:
    """Let orders that were held be looked at by the next pass."""
    rollout_steps.wake(session, order_ids, now=now)


def due(*, policy: Policy, transaction: Transaction, now: datetime, limit: int = 20_000) -> list[tuple[str, ...]]:
    """Return the orders that are due now as batches of ids, in order of id; each may be brought on by itself."""
    with transaction() as session:
        ids = rollout_steps.due(session, now=now, limit=limit)
    return [tuple(ids[at : at + policy.batch]) for at in range(0, len(ids), policy.batch)]


def advance_batch(
    order_ids: Sequence[str], *, policy: Policy, sending: Sending, ask: Ask, transaction: Transaction
) -> Advanced:
    """Bring orders one step on, from what is so now; `sending.now` is business time. One that is not due stays.

    Systems are asked between two transactions; whatever came in between counts in the second. Where there is nothing to
    ask, one is enough.

    Raises:
        MisconfiguredError: a role's adapter is set up wrong.
    """
    now = sending.now
    with transaction() as session:
        tracks = _tracks(session, order_ids, lock=True)
        asked = asking.collect(tracks, policy=policy, now=now)
        if not asked:
            return _go_on(session, tracks, {}, policy=policy, sending=sending)
    answers = asking.answered(asked, ask, now=now)
    with transaction() as session:
        tracks = _tracks(session, order_ids, lock=True)
        for track in tracks:
            settle(track, policy=policy, now=now)
        return _go_on(session, tracks, answers, policy=policy, sending=sending)


def _go_on(
    session: Session, tracks: Sequence[Track], answers: Answers, *, policy: Policy, sending: Sending
) -> Advanced:
    """Bring settled orders on by what systems answered, and write it."""
    now = sending.now
    writing.answered(session, tracks)
    asking.judge(tracks, answers, now=now)
    begun = Begun(troubles=waits.release_billed(session, tracks, policy=policy, now=now))
    waits.follow_origins(session, tracks, begun, policy=policy, sending=sending)
    beginning.begin_ready(session, tracks, begun, policy=policy, sending=sending)
    done = writing.write(session, tracks, begun.troubles, policy=policy, now=now)
    return Advanced(len(tracks), begun.sent, done.moved, len(answers), done.work)


def _planned(
    order_id: str, facts: Mapping[str, Any], attempt: int, *, policy: Policy, now: datetime, held_until: datetime | None
) -> list[dict[str, Any]]:
    """Return the steps of one attempt; what does not apply at this exchange or this site is not needed."""
    hears = "hes" in policy.roles or "hes" in policy.manual
    found: list[dict[str, Any]] = []
    for number, step in enumerate(STEPS):
        row = _row(order_id, step, attempt, policy=policy, now=now, facts=dict(facts) if number == 0 else None)
        if not subjects.has(facts, step.needs) or not (hears or step.name not in NEEDS_HEAD_END):
            row |= {"state": "NOT_NEEDED", "ended_at": now}
        elif not _is_served(step, policy):
            row |= {"state": "NOT_NEEDED", "ended_at": now, "reason": "the site has no such system"}
        elif number == 0 and held_until is not None:
            row |= {"state": "HELD", "code": str(BILLING_WINDOW_LOCK), "reason": f"a person from {held_until} on"}
        found.append(row)
    # One step that is due has its order looked at; a due time of each would be written once more of every other.
    for row in [one for one in found if one["ended_at"] is None][:1]:
        row["due_at"] = now
    return found


def _is_served(step: Step, policy: Policy) -> bool:
    """Return whether anybody is told, or what the hub itself believes changes with it."""
    return step.system is None or step.name in OWN_BELIEF or step.system in policy.roles or step.system in policy.manual


def _row(
    order_id: str, step: Step, attempt: int, *, policy: Policy, now: datetime, facts: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "order_id": order_id, "step": step.name, "attempt": attempt,
        "role": policy.roles.get(step.system or "hub", ""), "origin": policy.origin_of(step.name), "state": "PENDING",
        "delivery_id": "", "operation": 0, "work_id": "", "facts": facts, "code": "", "reason": "", "due_at": None,
        "began_at": now, "ended_at": None,
    }  # fmt: skip


def _correct(session: Session, orders: Sequence[Row], *, policy: Policy, now: datetime, tells_anew: bool) -> None:
    """Plan one more attempt of each order: the steps that were told are taken back, then all are told anew."""
    ids = sorted(one["order_id"] for one in orders)
    known = rollout_steps.of_orders(session, ids)
    planned: list[dict[str, Any]] = []
    ended: list[Track] = []
    for order in orders:
        track = Track(order, newest(known[order["order_id"]]))
        attempt = track.attempt + 1
        undo = _undone(session, track, attempt, policy=policy, now=now)
        facts = {**subjects.facts_of(order), "after": ids} if tells_anew else None
        anew = _planned(order["order_id"], facts, attempt, policy=policy, now=now, held_until=None) if facts else []
        planned += undo + anew
        ended.append(track)
    writing.rewrite(session, ended)
    rollout_steps.plan(session, planned)
    rollout_orders.move(session, ids, "CORRECTING", now=now, reason="told anew" if tells_anew else "taken back")


def _undone(session: Session, track: Track, attempt: int, *, policy: Policy, now: datetime) -> list[dict[str, Any]]:
    """Return the steps that take back what an attempt told, and end those of the attempt itself."""
    found = []
    for step in STEPS:
        row = track.rows.get(step.name)
        if row is None:
            continue
        is_told = row["state"] in TOLD and not writing.withdrawn(session, row)
        if is_told and step.undo:
            facts = {**track.facts(step.name), "lane": row["delivery_lane"] or ""}
            own = _row(track.order["order_id"], step, attempt, policy=policy, now=now, facts=facts)
            found.append({**own, "step": f"{UNDO}{step.name}", "origin": "hub", "due_at": now})
        state = "COMPENSATED" if is_told and step.undo else row["state"] if is_told else "NOT_NEEDED"
        track.put(step.name, state=state, due_at=None, ended_at=now, reason=f"attempt {attempt} tells otherwise")
    return found


def _tracks(session: Session, ids: Collection[str], *, lock: bool) -> list[Track]:
    """Return where some orders stand; with `lock`, nobody else moves them until the transaction ends."""
    orders = rollout_orders.of_ids(session, ids, lock=lock)
    known = rollout_steps.of_orders(session, orders, ended=False)
    rows = {name: newest(own) for name, own in known.items()}
    tracks = [Track(orders[name], rows[name]) for name in sorted(orders)]
    besides: dict[str, list[str]] = {}
    for track in tracks:
        first = track.rows.get(STEPS[0].name)
        if first is not None and (first["facts"] or {}).get("after"):
            besides[track.order["order_id"]] = first["facts"]["after"]
    if besides:
        others = rollout_steps.of_orders(session, {name for own in besides.values() for name in own})
        clear = {name for name, own in others.items() if is_taken_back(newest(own))}
        for track in tracks:
            track.is_clear = clear.issuperset(besides.get(track.order["order_id"], ()))
    return tracks
