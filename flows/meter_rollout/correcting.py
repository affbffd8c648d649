"""What a person may ask to be corrected: crossed meters, a wrong premise, one of two tellings, a finding let pass.

Each is done in one transaction, or only rehearsed (`is_preview`): then it is done and taken back.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from canonical.codes.rollout import EX
from canonical.codes.rollout_corrections import NOT_CROSSED, RESULT_UNKNOWN
from canonical.errors import RejectedError
from canonical.ids import mint_near
from flows.meter_rollout import corrections, validate
from flows.meter_rollout.completion_facts import completion_from
from flows.meter_rollout.corrections import Corrected, Meant
from flows.meter_rollout.judging import BY_NUMBER
from flows.meter_rollout.orders_of_work import TAKES_WORK
from flows.meter_rollout.policy import Policy
from flows.meter_rollout.recording import contradicted
from flows.meter_rollout.stays import open_stays
from store import reference, rollout_orders, rollout_results
from store.rows import Row
from store.session import Session, Transaction

_DECIDABLE = ("VALIDATED", "HELD", "WAITING", "REJECTED")
"""States of a completion that a person may correct."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who corrects, why and when."""

    by: str
    reason: str
    now: datetime
    """Business time."""


def cross(
    points: Sequence[str], *, policy: Policy, transaction: Transaction, person: Person, is_preview: bool = False
) -> Corrected:
    """Correct meters that were reported at each other's usage points.

    What was reported at each of `points` belongs to the next one, and of the last to the first. Completions that are
    held go to where the meter hangs that they removed; of those that are believed, the new meters change places.

    Raises:
        RejectedError: NOT_CROSSED, or CORRECTION_FAILS.
    """
    return _done(lambda session: _crossed(session, points), policy, transaction, person, is_preview)


def premise(
    result_id: str,
    usage_point: str,
    *,
    policy: Policy,
    transaction: Transaction,
    person: Person,
    is_preview: bool = False,
) -> Corrected:
    """Correct a completion that was reported at a wrong usage point.

    Raises:
        RejectedError: RESULT_UNKNOWN, or CORRECTION_FAILS.
    """
    return _done(
        lambda session: {result_id: _moved(session, _row(session, result_id), usage_point, person)},
        policy,
        transaction,
        person,
        is_preview,
    )


def accept(
    result_id: str, *, policy: Policy, transaction: Transaction, person: Person, is_preview: bool = False
) -> Corrected:
    """Let one of several contradicting completions be right (EX14); the others are superseded.

    Raises:
        RejectedError: RESULT_UNKNOWN, or CORRECTION_FAILS.
    """
    return _done(lambda session: _accepted(session, result_id), policy, transaction, person, is_preview)


def waive(result_id: str, rule: str, *, policy: Policy, transaction: Transaction, person: Person) -> str:
    """Let a finding pass that a person has looked at, judge the completion again, and return its state then.

    Raises:
        RejectedError: RESULT_UNKNOWN: it is not held, or the rule cannot be waived, because I1 would be broken.
    """
    with transaction() as session:
        reference.lock(session)
        row, known = _row(session, result_id), BY_NUMBER.get(rule)
        if row["state"] not in ("HELD", "WAITING") or known is None or not known.can_be_waived:
            may = ", ".join(sorted(number for number, one in BY_NUMBER.items() if one.can_be_waived))
            reason = f"{result_id} is {row['state']}, {rule} cannot be let pass: of what is held or waits, {may} may"
            raise RejectedError(reason, code=RESULT_UNKNOWN)
        row |= {"waived": sorted({*row["waived"], rule})}
        rollout_results.change(session, [{"result_id": result_id, "waived": row["waived"]}])
        noted = f"{EX[rule]} was looked at: {person.reason}"
        order = rollout_orders.of_ids(session, {row["order_id"]}).get(row["order_id"])
        if order is not None:
            rollout_orders.move(
                session,
                [row["order_id"]],
                order["state"],
                now=person.now,
                code=order["code"],
                reason=noted,
                by=person.by,
            )
        validate.judge(session, [row], policy=policy, now=person.now)
        return str(row["state"])


def _done(
    meant: Callable[[Session], dict[str, Meant | None]],
    policy: Policy,
    transaction: Transaction,
    person: Person,
    is_preview: bool,
) -> Corrected:
    """Carry a correction out, or rehearse it."""
    with transaction() as session:
        whole = session.begin_nested()
        found = corrections.apply(
            session, meant(session), policy=policy, by=person.by, reason=person.reason, now=person.now
        )
        if is_preview:
            whole.rollback()
        else:
            whole.commit()
    return found


def _crossed(session: Session, points: Sequence[str]) -> dict[str, Meant | None]:
    """Return what the completions of a cycle should have said."""
    if len(set(points)) != len(points) or len(points) < 2:
        raise RejectedError("a cycle has two different usage points or more", code=NOT_CROSSED)
    rows = [_only(session, point) for point in points]
    states = {row["state"] == "VALIDATED" for row in rows}
    if len(states) != 1:
        said = ", ".join(f"{row['usage_point']} is {row['state']}" for row in rows)
        raise RejectedError(f"some are believed, some are not: {said}", code=NOT_CROSSED)
    if states == {True}:
        return _exchanged(rows)
    return _redirected(session, rows)


def _exchanged(rows: Sequence[Row]) -> dict[str, Meant | None]:
    """Return believed completions with the new meter of the one before in each: instants stay where they were."""
    found: dict[str, Meant | None] = {}
    for row, before in zip(rows, (rows[-1], *rows[:-1]), strict=True):
        said, other = completion_from(row["content"]), completion_from(before["content"])
        own = replace(
            said,
            installed=other.installed,
            first_readings=other.first_readings,
            multiplier_seen=other.multiplier_seen,
        )
        found[row["result_id"]] = Meant(own, row["usage_point"], row["order_id"])
    return found


def _redirected(session: Session, rows: Sequence[Row]) -> dict[str, Meant | None]:
    """Return held completions at the usage points where the meters hang that they removed."""
    by_point = {row["usage_point"]: row for row in rows}
    stays = open_stays(session, {row["removed_meter"] for row in rows} - {""}, ())
    found: dict[str, Meant | None] = {}
    taken = set()
    for row in rows:
        stay = stays.place(row["removed_meter"], row["effective_at"])
        there = by_point.get(stay["usage_point"]) if stay is not None else None
        if there is None or there["usage_point"] in taken:
            raise RejectedError(f"the meter removed at {row['usage_point']} hangs at none of them", code=NOT_CROSSED)
        taken.add(there["usage_point"])
        said = completion_from(row["content"])
        own = replace(said, usage_point=there["usage_point"], usage_point_name="")
        found[row["result_id"]] = Meant(own, there["usage_point"], there["order_id"])
    return found


def _accepted(session: Session, result_id: str) -> dict[str, Meant | None]:
    """Return the completion that is right, and those that it contradicts."""
    row = _row(session, result_id)
    others = [
        one for one in rollout_results.of_usage_points(session, {row["usage_point"]}) if one["result_id"] != result_id
    ]
    found: dict[str, Meant | None] = {
        one["result_id"]: None for one in others if one["state"] in _DECIDABLE and contradicted(row, [one])
    }
    found[result_id] = Meant(completion_from(row["content"]), row["usage_point"], row["order_id"])
    return found


def _moved(session: Session, row: Row, point: str, person: Person) -> Meant:
    """Return a completion at another usage point, with an order there that takes it, else with a new one."""
    own = replace(completion_from(row["content"]), usage_point=point, usage_point_name="")
    fitting = [
        one for one in rollout_orders.all_of_usage_points(session, {point}).get(point, ()) if one["state"] in TAKES_WORK
    ]
    best = min(fitting, key=lambda one: TAKES_WORK.index(one["state"]), default=None)
    if best is not None:
        order: str = best["order_id"]
        rollout_orders.move(session, [order], "DONE_IN_FIELD", now=person.now, reason=person.reason, by=person.by)
        return Meant(own, point, order)
    order = mint_near(point, "rollout_order", "", row["business_key"], point)
    fresh = {"order_id": order, "usage_point": point, "state": "DONE_IN_FIELD", "valid_at": row["effective_at"]}
    rollout_orders.insert(session, [{**fresh, "reason": person.reason}], now=person.now, by=person.by)
    return Meant(own, point, order)


def _only(session: Session, point: str) -> Row:
    """Return the exchange of a usage point that a cycle may be about: the last that is believed or held."""
    rows = [
        row
        for row in rollout_results.of_usage_points(session, {point})
        if row["outcome"] == "DONE" and row["state"] in ("VALIDATED", "HELD")
    ]
    if not rows:
        raise RejectedError(f"no exchange at {point} is believed or held", code=NOT_CROSSED)
    return max(rows, key=lambda row: row["effective_at"])


def _row(session: Session, result_id: str) -> Row:
    row = rollout_results.of_ids(session, {result_id}).get(result_id)
    if row is None or row["outcome"] != "DONE" or row["state"] not in _DECIDABLE:
        raise RejectedError(f"no completion {result_id!r} can be decided on", code=RESULT_UNKNOWN)
    return row
