"""Exchange orders in bulk: found, inserted, moved from state to state with a line of history for each step."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from canonical.codes.rollout_waves import ORDER_UNKNOWN
from canonical.errors import ErrorCode, RejectedError
from canonical.ids import mint_near
from canonical.rollout import OrderState
from store import bulk
from store.rollout import ORDER, ORDER_HISTORY
from store.rollout_states import BEFORE_VISIT, FINAL, INTERRUPTED, OPEN, check_order
from store.rows import Row, rows_of

AT_ONCE = 5_000
"""Ids in one statement."""

REACHED: Mapping[str, str] = {
    "DONE_IN_FIELD": "done_at",
    "VALIDATED": "validated_at",
    "HES_COMMISSIONED": "commissioned_at",
    "HEARD": "heard_at",
    "CERTIFIED": "certified_at",
    "CLOSED": "closed_at",
}
"""Column that says when the hub knew that a state was reached."""

BLANK: Mapping[str, Any] = {
    "wave": "", "usage_point_name": "", "district": "", "route": "", "cycle": "", "customer_class": "", "before": "",
    "code": "", "reason": "", "planned_day": "", "place": 0, "attempts": 0, "old_meter": "", "new_meter": "",
    "removed_at": None, "installed_at": None, "result_id": "", "shortfall": "BILL_THROUGH", "due_at": None,
    "done_at": None, "validated_at": None, "commissioned_at": None, "heard_at": None, "certified_at": None,
    "closed_at": None, "delivery_id": "",
}  # fmt: skip
"""Columns of an order that whoever inserts it may leave out."""


@dataclass(frozen=True, slots=True)
class Move:
    """One step of one order."""

    order_id: str
    state: OrderState
    valid_at: datetime | None = None
    """Business time at which it became so in the world; None: as the hub knew."""

    code: ErrorCode | str = ""
    reason: str = ""
    message_id: str = ""
    """What brought it: a message, a line of a file, a delivery."""

    columns: Mapping[str, Any] = field(default_factory=dict)
    """Other columns of the order that change with it."""


def order_id_of(wave: str, usage_point: str) -> str:
    """Return the id of the order of a usage point in a wave."""
    return mint_near(usage_point, "rollout_order", wave, usage_point)


def insert(session: Session, rows: Sequence[Mapping[str, Any]], *, now: datetime, by: str = "hub") -> None:
    """Add orders, with the first line of their history; columns that are left out are blank (`BLANK`).

    A row states `order_id`, `usage_point` and `state` at least, and `valid_at` where it became so at another time
    than `now`.
    """
    plain = [{**BLANK, **{name: value for name, value in row.items() if name != "valid_at"}} for row in rows]
    bulk.insert(session, ORDER, plain)
    lines = [
        _line(Move(row["order_id"], row["state"], row.get("valid_at"), row.get("code", ""), row.get("reason", "")),
              now=now, by=by)
        for row in rows
    ]  # fmt: skip
    bulk.insert(session, ORDER_HISTORY, lines)


def move(
    session: Session,
    order_ids: Collection[str],
    state: OrderState,
    *,
    now: datetime,
    valid_at: datetime | None = None,
    code: ErrorCode | str = "",
    reason: str = "",
    by: str = "hub",
    message_id: str = "",
    **columns: Any,
) -> None:
    """Bring orders to a state, all for the same cause; `columns` are set with it. Raises as `move_each`."""
    moves = [Move(name, state, valid_at, code, reason, message_id, columns) for name in sorted(set(order_ids))]
    move_each(session, moves, now=now, by=by)


def move_each(session: Session, moves: Sequence[Move], *, now: datetime, by: str = "hub") -> None:
    """Bring each order to a state of its own and write its history; two moves of one order follow each other.

    ON_HOLD and CORRECTING remember in `before` what they interrupt. A report of the field on an order that was not
    judged yet counts as a visit. When a state is reached (`REACHED`) its time is kept; a move's own columns go before.

    Raises:
        RejectedError: an order is not there (ORDER_UNKNOWN), or its state does not allow the step (ROLLOUT_STATE).
    """
    if not moves:
        return
    standing = of_ids(session, {one.order_id for one in moves}, lock=True)
    changed: dict[str, dict[str, Any]] = {}
    for one in moves:
        row = standing.get(one.order_id)
        if row is None:
            raise RejectedError(f"no exchange order has the id {one.order_id!r}", code=ORDER_UNKNOWN)
        check_order(row["state"], one.state, order=one.order_id)
        values = _values(row, one, now)
        row.update(values)
        changed.setdefault(one.order_id, {}).update(values)
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for name, values in changed.items():
        alike[tuple(sorted(values))].append({"order_id": name, **{key: values[key] for key in sorted(values)}})
    for rows in alike.values():
        bulk.change(session, ORDER, rows, key="order_id")
    bulk.insert(session, ORDER_HISTORY, [_line(one, now=now, by=by) for one in moves])


def change(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write columns of orders other than their state, found by `order_id`; all rows state the same columns."""
    bulk.change(session, ORDER, rows, key="order_id")


def of_ids(session: Session, order_ids: Collection[str], *, lock: bool = False) -> dict[str, Row]:
    """Return orders by id; with `lock`, nobody else changes them until the transaction ends."""
    found: dict[str, Row] = {}
    for some in _chunks(order_ids):
        query = select(ORDER).where(ORDER.c.order_id.in_(some)).order_by(ORDER.c.order_id)
        found.update((row["order_id"], row) for row in rows_of(session, query.with_for_update() if lock else query))
    return found


def of_usage_points(session: Session, usage_points: Collection[str]) -> dict[str, Row]:
    """Return the open order of each usage point that has one: of several, the one that is furthest in the field."""
    found: dict[str, Row] = {}
    for some in _chunks(usage_points):
        query = select(ORDER).where(ORDER.c.usage_point.in_(some), ORDER.c.state.in_(OPEN))
        for row in rows_of(session, query.order_by(ORDER.c.usage_point, ORDER.c.order_id)):
            other = found.get(row["usage_point"])
            if other is None or OPEN.index(row["state"]) > OPEN.index(other["state"]):
                found[row["usage_point"]] = row
    return found


def all_of_usage_points(session: Session, usage_points: Collection[str]) -> dict[str, list[Row]]:
    """Return every order of usage points, ended and excluded ones too, by wave."""
    found: dict[str, list[Row]] = defaultdict(list)
    for some in _chunks(usage_points):
        query = select(ORDER).where(ORDER.c.usage_point.in_(some))
        for row in rows_of(session, query.order_by(ORDER.c.usage_point, ORDER.c.wave, ORDER.c.order_id)):
            found[row["usage_point"]].append(row)
    return dict(found)


def excluded(session: Session, usage_points: Collection[str]) -> dict[str, Row]:
    """Return an order that excludes each usage point where one does (EX18)."""
    return {
        point: row
        for point, rows in all_of_usage_points(session, usage_points).items()
        for row in rows
        if row["state"] == "EXCLUDED"
    }


def due(session: Session, *, now: datetime, limit: int, states: Collection[OrderState] = OPEN) -> list[Row]:
    """Return the open orders that must be looked at again by `now`, the longest due first."""
    query = select(ORDER).where(ORDER.c.state.in_(sorted(states)), ORDER.c.due_at <= now)
    return rows_of(session, query.order_by(ORDER.c.due_at, ORDER.c.order_id).limit(limit))


def history(session: Session, order_id: str) -> list[Row]:
    """Return every step of one order, in the order in which they were known."""
    query = select(ORDER_HISTORY).where(ORDER_HISTORY.c.order_id == order_id)
    return rows_of(session, query.order_by(ORDER_HISTORY.c.line))


def _values(row: Row, one: Move, now: datetime) -> dict[str, Any]:
    """Return the columns of an order that a move changes."""
    values: dict[str, Any] = {"state": one.state, "code": str(one.code), "reason": one.reason}
    if one.state in INTERRUPTED:
        values["before"] = row["before"] if row["state"] in INTERRUPTED else row["state"]
    elif row["before"]:
        values["before"] = ""
    if one.state in ("DONE_IN_FIELD", "UNABLE") and row["state"] in BEFORE_VISIT:
        values["attempts"] = row["attempts"] + 1
    if one.state in FINAL:
        values["due_at"] = None
    if one.state in REACHED:
        values[REACHED[one.state]] = now
    return values | dict(one.columns)


def _line(one: Move, *, now: datetime, by: str) -> dict[str, Any]:
    """Return the line of history of one step."""
    return {
        "order_id": one.order_id, "state": one.state, "code": str(one.code), "reason": one.reason,
        "valid_at": one.valid_at or now, "known_at": now, "by": by, "message_id": one.message_id,
    }  # fmt: skip


def _chunks(names: Collection[str]) -> Iterator[list[str]]:
    """Yield names in order, as many as one statement takes."""
    ordered = sorted(set(names))
    for start in range(0, len(ordered), AT_ONCE):
        yield ordered[start : start + AT_ONCE]
