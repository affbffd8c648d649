"""Corrections of exchanges by a person (domain 2.5, 2.6): all members of one at once, or nothing.

What was believed wrongly is taken back, what should have been told is judged by the same rules, readings move with
their meters, bills that rest on the old belief become proposals, and the systems are told anew. Completions are never
overwritten: a corrected one is a new row that names the one it replaces.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from canonical.codes.rollout_corrections import CORRECTION_FAILS
from canonical.errors import RejectedError
from canonical.rollout import Completion
from flows.master_data_sync import backdating
from flows.meter_rollout import recording, reversal, sequence, trouble, validate
from flows.meter_rollout.batch import about
from flows.meter_rollout.completion_facts import business_key, result_id
from flows.meter_rollout.policy import Policy
from flows.meter_rollout.recording import Told
from flows.meter_rollout.stays import Stays, intersecting, open_stays
from store import readings, reference, rollout_orders, rollout_results
from store.rollout_orders import Move
from store.rows import Row
from store.session import Session

WAIVED = ("EX05", "EX12")
"""Rules that a correction by a person goes before: where it was, and that a correction is open."""

_TOLD = ("VALIDATED", "CIS_EXCHANGED", "MDM_SYNCED", "HES_COMMISSIONED", "HEARD", "VERIFIED", "CERTIFIED", "CLOSED")
"""States of an order of which systems may have been told."""


@dataclass(frozen=True, slots=True)
class Meant:
    """What one completion should have said."""

    completion: Completion
    usage_point: str
    order: str
    """Order that it belongs to."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """What a correction changed, or would change."""

    lines: tuple[str, ...]
    """One for each member: usage point, what hung there, what hangs there now."""

    readings: int
    """Readings that moved with their meters."""

    told_again: tuple[str, ...]
    """Orders of which systems are told anew."""

    proposals: tuple[str, ...]
    """Usage points with bills that rest on the old belief."""


def apply(
    session: Session, meant: Mapping[str, Meant | None], *, policy: Policy, by: str, reason: str, now: datetime
) -> Corrected:
    """Let completions say what they should have said, by id; one with None says nothing any more.

    The caller's transaction holds everything or, when this raises, nothing.

    Raises:
        RejectedError: CORRECTION_FAILS: one of them cannot be believed so.
    """
    reference.lock(session)
    old = rollout_results.of_ids(session, meant)
    points = {row["usage_point"] for row in old.values()} | {one.usage_point for one in meant.values() if one}
    before = _hanging(session, points)
    believed = [row for row in old.values() if row["state"] == "VALIDATED"]
    _take_back(session, believed, by=by, now=now)
    orders = rollout_orders.of_ids(session, {one.order for one in meant.values() if one} | _orders(old.values()))
    told = sorted(name for name, row in orders.items() if row["state"] in _TOLD)
    rollout_orders.move(session, told, "CORRECTING", now=now, reason=reason, by=by)
    fresh = _replace(session, old, meant, now=now)
    validate.judge(session, fresh, policy=policy, now=now, besides=told)
    _check(fresh)
    moved = sum(_move_readings(session, row, believed) for row in fresh)
    left = {row["usage_point"]: _since(row) for row in believed} | {one["usage_point"]: _since(one) for one in fresh}
    proposals = backdating.look_again(session, left, sources=dict.fromkeys(left, by), now=now)
    _set_free(session, orders, {row["order_id"] for row in fresh}, by=by, now=now)
    _tell_again(session, told, fresh, policy=policy, by=by, reason=reason, now=now)
    over = [(code, about(row)) for row in old.values() for code in row["codes"]]
    trouble.settle(session, over, reason=f"corrected: {reason}", by=by, now=now)
    after = _hanging(session, points)
    lines = tuple(
        f"{point}: {before.get(point, 'nothing')} -> {after.get(point, 'nothing')}" for point in sorted(points)
    )
    return Corrected(lines, moved, tuple(told), tuple(sorted(proposals)))


def _take_back(session: Session, believed: Sequence[Row], *, by: str, now: datetime) -> None:
    """Let exchanges that were believed never have been, the last first."""
    meters = {row[name] for row in believed for name in ("removed_meter", "installed_meter")} - {""}
    stays = open_stays(session, meters, {row["usage_point"] for row in believed})
    for row in sorted(believed, key=lambda one: one["effective_at"], reverse=True):
        person = {**row, "source": by, "message_id": row["result_id"], "told_at": now}
        if reason := reversal.undo(stays, row, by=person):
            raise RejectedError(f"{row['usage_point']}: {reason}", code=CORRECTION_FAILS)
    _check_i1(stays)
    stays.write(session, now=now)


def _check_i1(stays: Stays) -> None:
    """Refuse what would let two meters hang where one does (I1)."""
    for own in (*stays.of_meter.values(), *stays.at.values()):
        if both := intersecting(own):
            reason = f"meters {both[0]['serial']} and {both[1]['serial']} would hang at the same time"
            raise RejectedError(reason, code=CORRECTION_FAILS)


def _replace(
    session: Session, old: Mapping[str, Row], meant: Mapping[str, Meant | None], *, now: datetime
) -> list[Row]:
    """Keep what completions should have said, to be judged now, in the place of what they said."""
    fresh = []
    for name, one in meant.items():
        if one is None:
            continue
        row, said = old[name], replace(one.completion, order=one.order)
        key = business_key(said, one.usage_point)
        own = recording.row_of(
            Told(said, row["source"], row["message_id"]), one.usage_point, key=key, name=result_id(key, said), now=now
        )
        own |= {"order_id": one.order, "replaces": name, "waived": sorted({*row["waived"], *WAIVED})}
        fresh.append(own)
    known = rollout_results.of_ids(session, {row["result_id"] for row in fresh})
    rollout_results.change(
        session, [{"result_id": name, "state": "SUPERSEDED", "due_at": None} for name in sorted(old)]
    )  # fmt: skip
    rollout_results.insert(session, [row for row in fresh if row["result_id"] not in known])
    columns = ("result_id", "state", "order_id", "replaces", "waived", "codes", "reason")
    again = [{name: row[name] for name in columns} for row in fresh if row["result_id"] in known]
    rollout_results.change(session, again)
    return fresh


def _check(fresh: Sequence[Row]) -> None:
    for row in fresh:
        if row["state"] != "VALIDATED":
            reason = f"{row['usage_point']}: {', '.join(row['codes'])}: {row['reason']}"
            raise RejectedError(reason, code=CORRECTION_FAILS)


def _move_readings(session: Session, row: Row, believed: Sequence[Row]) -> int:
    """Let the readings of a meter move with it from where it was believed to hang (I4); return how many there were."""
    meter, here = row["installed_meter"], row["usage_point"]
    was = next((one for one in believed if meter and one["installed_meter"] == meter), None)
    if was is None or was["usage_point"] == here:
        return 0
    since = min(reversal.instant(one, "installed_at") for one in (row, was))
    return readings.rehome(session, meter, here, since=since)


def _tell_again(
    session: Session,
    told: Collection[str],
    fresh: Sequence[Row],
    *,
    policy: Policy,
    by: str,
    reason: str,
    now: datetime,
) -> None:
    """Have systems told what is so now; where nothing is left of an exchange, that it was none."""
    orders = rollout_orders.of_ids(session, told)
    kept = {row["order_id"] for row in fresh}
    sequence.again(session, [row for name, row in orders.items() if name in kept], policy=policy, now=now)
    gone = [row for name, row in orders.items() if name not in kept]
    sequence.take_back(session, gone, policy=policy, now=now)
    moves = [Move(name, "CORRECTING", None, "", reason) for name in sorted(orders)]
    rollout_orders.move_each(session, moves, now=now, by=by)


def _set_free(session: Session, orders: Mapping[str, Row], kept: Collection[str], *, by: str, now: datetime) -> None:
    """Let orders go on of which nothing was believed and whose completion was another's: a crew still has to come."""
    why = "its completion belonged to another usage point"
    left = {name: row for name, row in orders.items() if name not in kept and row["state"] in ("REJECTED", "ON_HOLD")}
    moves = [Move(name, "ELIGIBLE" if left[name]["wave"] else "CANCELLED", None, "", why) for name in sorted(left)]
    rollout_orders.move_each(session, moves, now=now, by=by)


def _hanging(session: Session, points: Collection[str]) -> dict[str, str]:
    """Return what hangs at usage points without end, in words."""
    found: dict[str, str] = {}
    for row in reference.current(session, reference.INSTALLATION, "usage_point", points):
        if row["removed_at"] is None:
            found[row["usage_point"]] = f"{row['manufacturer']} {row['serial']} since {row['installed_at'].isoformat()}"
    return found


def _orders(rows: Collection[Row]) -> set[str]:
    return {row["order_id"] for row in rows} - {""}


def _since(row: Row) -> datetime:
    return min(reversal.instant(row, "installed_at"), reversal.instant(row, "removed_at"))
