"""Exchanges that are taken back: the old meter was put back. What was believed is marked REVERSED, never deleted."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from canonical.codes.rollout import CONTRADICTORY_RESULT, FINAL_READ_IMPLAUSIBLE
from flows.meter_rollout import believing, sequence
from flows.meter_rollout.batch import Batch, about, stop
from flows.meter_rollout.policy import Policy
from flows.meter_rollout.stays import Stays
from flows.meter_rollout.trouble import Trouble
from store import rollout_orders, rollout_results, shipments
from store.rollout_orders import Move
from store.rows import Row
from store.session import Session

_STANDS = ("VALIDATED", *rollout_results.OPEN)


def originals(session: Session, rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the exchanges at the usage points where something is taken back; of the batch its own rows."""
    points = {row["usage_point"] for row in rows if row["outcome"] == "REVERSED"}
    own = {row["result_id"]: row for row in rows}
    found: dict[str, list[Row]] = {}
    for row in rollout_results.of_usage_points(session, points):
        if row["outcome"] == "DONE":
            found.setdefault(row["usage_point"], []).append(own.get(row["result_id"], row))
    return found


def take_back(batch: Batch, row: Row, known: Mapping[str, Sequence[Row]]) -> None:
    """Take back the exchange that a reversal names; one that nobody told of yet is waited for."""
    told = known.get(row["usage_point"], ())
    done = _original(row, told)
    if done is None:
        reason = f"it takes back an exchange of {row['installed_serial'] or 'a meter'} that stands nowhere"
        row["codes"] = [str(CONTRADICTORY_RESULT)]
        stop(batch, row, CONTRADICTORY_RESULT, reason, action="WAIT")
        return
    others = [one for one in told if one is not done and one["state"] in _STANDS and _shares(one, done)]
    if done["state"] == "VALIDATED":
        reason = undo(batch.known.stays, done, by=row)
        if reason:
            row["codes"] = [str(CONTRADICTORY_RESULT)]
            stop(batch, row, CONTRADICTORY_RESULT, reason, action="HOLD")
            return
    elif done["order_id"] and not others:
        why = "the field took it back before it was believed"
        batch.believed.moves.append(Move(done["order_id"], "REVERSED", row["effective_at"], "", why, row["message_id"]))
    _end(batch, row, done, others)


def undo(stays: Stays, done: Row, *, by: Row) -> str:
    """Let an exchange that was believed never have been; return why that cannot be, or an empty text."""
    point, new, old = done["usage_point"], done["installed_meter"], done["removed_meter"]
    hung = next((one for one in stays.of_meter.get(new, ()) if _is_of(one, point, done, "installed_at")), None)
    gone = next((one for one in stays.of_meter.get(old, ()) if _is_of(one, point, done, "removed_at")), None)
    if hung is not None and hung["removed_at"] is not None:
        return f"meter {hung['serial']} went on {hung['removed_at'].isoformat()}: take that back first"
    if gone is not None:
        elsewhere = stays.place(old, gone["removed_at"])
        if elsewhere is not None:
            return f"meter {gone['serial']} hangs at {elsewhere['usage_point']} by now"
    who = believing.provenance(by)
    if hung is not None:
        stays.forget(hung, by=who)
    if gone is not None:
        gone["removed_at"] = None
        stays.touched[old] = who
    return ""


def tell(session: Session, order_ids: Collection[str], *, policy: Policy, now: datetime) -> None:
    """Have the systems told that exchanges are taken back."""
    orders = rollout_orders.of_ids(session, order_ids)
    sequence.take_back(session, list(orders.values()), policy=policy, now=now)
    shipments.move(session, {one["new_meter"] for one in orders.values()} - {""}, "STOCK", now=now)
    shipments.move(session, {one["old_meter"] for one in orders.values()} - {""}, "INSTALLED", now=now)


def instant(done: Row, name: str) -> datetime:
    """Return when a completion says that its old meter went, or its new one was hung."""
    return datetime.fromisoformat(done["content"].get(name) or done["content"]["effective_at"])


def _end(batch: Batch, row: Row, done: Row, others: Sequence[Row]) -> None:
    """Let an exchange be reversed: what was wrong with it, or with its reversal while that waited, is over.

    `others`: what else stands under its order; a held contradiction stays a person's to decide (EX14).
    """
    batch.troubles[:] = [one for one in batch.troubles if one.about != about(done)]
    batch.blocked[:] = [one for one in batch.blocked if one != done["order_id"]]
    # What was wrong while it waited was told of the reversal itself: it had no order then.
    batch.over += [(code, about(row)) for code in row["codes"]]
    is_open = any(one["state"] == "HELD" and str(CONTRADICTORY_RESULT) in one["codes"] for one in others)
    kept = {str(CONTRADICTORY_RESULT)} if is_open else set()
    batch.over += [(code, about(done)) for code in done["codes"] if code not in kept]
    if done["state"] == "VALIDATED":
        _forget(batch, row, done)
    done |= {"state": "REVERSED", "due_at": None}
    batch.others[done["result_id"]] = {"result_id": done["result_id"], "state": "REVERSED", "due_at": None}
    row |= {"state": "VALIDATED", "codes": [], "due_at": None, "order_id": done["order_id"], "judged_at": batch.now}
    batch.passed.add(row["result_id"])


def _forget(batch: Batch, row: Row, done: Row) -> None:
    """Note what a belief that was taken back leaves to be done."""
    since = min(instant(done, "installed_at"), instant(done, "removed_at"))
    believing.note(batch.believed, done["usage_point"], since, row)
    batch.taken_back.append(done["order_id"])
    for told in batch.believed.readings.values():
        # Believed and taken back in one batch: nobody has to look for whose they are.
        told[:] = [
            one for one in told if (one.usage_point, one.meter) != (done["usage_point"], done["installed_meter"])
        ]
    if row["effective_at"] > instant(done, "installed_at"):
        reason = (
            f"meter {done['installed_serial']} hung there from {instant(done, 'installed_at').isoformat()} to"
            f" {row['effective_at'].isoformat()} before it was taken back: what it measured has to be billed by hand"
        )
        batch.troubles.append(
            Trouble(FINAL_READ_IMPLAUSIBLE, about(done), reason, done["usage_point"], done["installed_meter"])
        )


def _original(row: Row, known: Sequence[Row]) -> Row | None:
    """Return the exchange that a reversal takes back: of the same meters, the last before it."""
    fitting = [
        one
        for one in known
        if one["state"] in _STANDS
        and one["installed_serial"] == row["installed_serial"]
        and (not row["removed_serial"] or one["removed_serial"] == row["removed_serial"])
        and one["effective_at"] <= row["effective_at"]
    ]
    return max(fitting, key=lambda one: one["effective_at"], default=None)


def _shares(one: Row, other: Row) -> bool:
    """Return whether two completions stand under one order: of contradicting ones that of the first (EX14)."""
    return bool(one["order_id"]) and bool(one["order_id"] == other["order_id"])


def _is_of(stay: Row, point: str, done: Row, name: str) -> bool:
    return bool(stay["usage_point"] == point and stay[name] == instant(done, name))
