"""Writing down what a batch of orders came to: steps, states with their history, and what became a person's work."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from canonical.errors import ErrorCode
from canonical.rollout import OrderState
from flows.meter_rollout import trouble
from flows.meter_rollout.policy import Policy
from flows.meter_rollout.progress import Track, doubts, passed, took_part_of
from flows.meter_rollout.saying import message_id
from flows.meter_rollout.steps import REACHED
from flows.meter_rollout.trouble import Trouble
from flows.shipments.returns import returned
from store import deliveries, master_statements, rollout_orders, rollout_steps, work
from store.rollout_orders import Move
from store.rows import Row
from store.session import Session


@dataclass(frozen=True, slots=True)
class Written:
    """What was written of a batch."""

    moved: int = 0
    work: int = 0


def write(
    session: Session, tracks: Sequence[Track], troubles: Sequence[Trouble], *, policy: Policy, now: datetime
) -> Written:
    """Write the steps that changed, the states that orders came to, and the work, in the deciding transaction."""
    raised = [*troubles]
    for track in tracks:
        _rest(track)
        for name, code in list(doubts(track)):
            row = track.rows[name]
            about = f"{track.order['order_id']}:{name}:{row['attempt']}"
            track.put(name, work_id=trouble.work_id(code, about))
            said = f"{row['role'] or name}: {name} of order {track.order['order_id']}: {row['code']} {row['reason']}"
            raised.append(_trouble(track, code, about, said.rstrip()))
    _end_work(session, tracks, now=now)
    returned(session, {track.order["old_meter"] for track in tracks if _is_back(track)} - {""}, now=now)
    rewrite(session, tracks)
    trouble.tell(session, raised, policy=policy, now=now)
    moves = [move for track in tracks for move in _moves(track, now)]
    rollout_orders.move_each(session, moves, now=now)
    return Written(len({move.order_id for move in moves}), len(raised))


def answered(session: Session, tracks: Sequence[Track]) -> None:
    """Note with what was told in one message with others whether its system took it: the delivery says that of none."""
    found: dict[tuple[str, str], tuple[str, str, str]] = {}
    for track in tracks:
        for name, row in track.rows.items():
            if name in track.dirty and took_part_of(row):
                is_taken = row["state"] == "CONFIRMED"
                told = message_id(track.order["order_id"], name, row["attempt"])
                found[row["role"], told] = ("APPLIED", "", "") if is_taken else ("REJECTED", row["code"], row["reason"])
    master_statements.answered(session, found)


def _is_back(track: Track) -> bool:
    """Return whether the removed meter came to the stock of returned ones just now."""
    row = track.rows.get("WAMS_STOCK")
    return row is not None and "WAMS_STOCK" in track.dirty and row["state"] in ("CONFIRMED", "SEEN", "NOT_NEEDED")


def _rest(track: Track) -> None:
    """Let steps that cannot begin rest until one before them moves; what waits for other orders is looked at again."""
    for name, row in track.rows.items():
        if row["state"] == "PENDING" and row["due_at"] is not None and track.is_clear:
            track.put(name, due_at=None)


def rewrite(session: Session, tracks: Iterable[Track]) -> None:
    """Write what changed of steps."""
    changes = []
    for track in tracks:
        for name, columns in sorted(track.dirty.items()):
            row = track.rows[name]
            changes.append({key: row[key] for key in (*rollout_steps.KEY, *sorted(columns))})
    rollout_steps.move(session, changes)


def withdrawn(session: Session, row: Row) -> bool:
    """Return whether the delivery of a step could still be withdrawn, so that nobody was told; one of several stays."""
    if row["state"] != "SENT" or not row["delivery_id"] or row["operation"]:
        return False
    return deliveries.cancel(session, row["delivery_id"], reason="the exchange is corrected")


def _trouble(track: Track, code: ErrorCode, about: str, said: str) -> Trouble:
    order = track.order
    return Trouble(code, about, said, order["usage_point"], order["new_meter"] or order["old_meter"])


def _end_work(session: Session, tracks: Sequence[Track], *, now: datetime) -> None:
    """End the work of steps that have become so without it."""
    over = {
        row["work_id"]
        for track in tracks
        for name, row in track.rows.items()
        if name in track.dirty and row["work_id"] and row["state"] in ("CONFIRMED", "SEEN", "NOT_NEEDED", "PENDING")
    }
    still = trouble.open_ones(session, over)
    work.act(session, still, "resolved", state="RESOLVED", by="hub", reason="the step is done", now=now)


def _moves(track: Track, now: datetime) -> list[Move]:
    """Return the states that an order comes to, each with the instant at which its last step was so."""
    found = []
    for state in passed(track):
        columns = {"heard_at": track.rows["HEARD"]["ended_at"]} if state == "HEARD" else {}
        found.append(Move(track.order["order_id"], state, _since(track, state) or now, columns=columns))
    return found


def _since(track: Track, state: OrderState) -> datetime | None:
    names = dict(REACHED).get(state, ())
    ends = [track.rows[name]["ended_at"] for name in names if name in track.rows and track.rows[name]["ended_at"]]
    return max(ends, default=None)
