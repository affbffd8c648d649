"""Who may carry which delivery now: leases and lanes. What came of it: `store.delivery_outcomes`.

Whole batches go in a few statements, never row by row. All times here are machine time, except where a docstring says
business time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Executable, Select, Table, bindparam, literal_column, or_, update
from sqlalchemy import select as sa_select
from sqlmodel import Session, SQLModel

from canonical.codes.message import DELIVERY_EXPIRED
from canonical.messages import Parcel
from store import attempts, endpoints
from store.among import among, among_numbers, numbers
from store.attempts import Begun
from store.columns import Instant
from store.deliveries import IS_PENDING, NOTHING
from store.endpoints import Endpoint
from store.rows import Row

DELIVERY: Table = SQLModel.metadata.tables["delivery"]
PAYLOAD: Table = SQLModel.metadata.tables["delivery_payload"]

_NEEDED = (
    *("sequence", "delivery_id", "token", "attempts", "failures", "replay_of", "leased_at"),
    *("name", "content_type", "sha256", "size", "path", "key", "confirm_name"),
)
"""What a relay needs to know of a delivery."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How a destination may be used."""

    batch: int
    in_flight: int
    """Leases that may run at once, over all relays."""
    per_minute: int
    """Deliveries that may begin in a minute; 0 for any number."""
    lease_s: float


@dataclass(frozen=True, slots=True)
class Leased:
    """A delivery that this relay, and no other, may carry until the lease ends."""

    delivery_id: str
    sequence: int
    token: int
    failures: int
    begun: Begun
    parcel: Parcel
    batch: int
    """Number of the batch under way."""


def destinations_waiting(session: Session, *, machine_now: datetime) -> set[str]:
    """Return the destinations for which something is due that nobody carries."""
    found: set[str] = set(session.execute(_WAITING, {"machine_now": machine_now}).scalars())
    return found


def lease(
    session: Session, destination: str, *, now: datetime, machine_now: datetime, limits: Limits
) -> Sequence[Leased]:
    """Return the deliveries that shall be carried now, high priority first, each lane's oldest only.

    What lost its meaning at business time `now` is cancelled on the way. Nothing comes while the breaker is open;
    one delivery comes when it has been open long enough.
    """
    endpoint = endpoints.locked(session, destination)
    if endpoint.open_until is not None and endpoint.open_until > machine_now:
        return []
    _expire(session, destination, now=now, machine_now=machine_now)
    room = _room(session, endpoint, machine_now=machine_now, limits=limits)
    which = {"destination": destination, "machine_now": machine_now, "room": room}
    rows = session.execute(_DUE, which).all() if room > 0 else []
    endpoint.permits_used += len(rows)
    if not rows:
        return []
    until = machine_now + timedelta(seconds=limits.lease_s)
    batch = endpoints.begin_batch(session, destination, len(rows), until=until)
    return _taken(session, rows, batch, machine_now=machine_now, until=until)


def _room(session: Session, endpoint: Endpoint, *, machine_now: datetime, limits: Limits) -> int:
    """Return how many deliveries may begin now."""
    if endpoint.permits_until is None or endpoint.permits_until <= machine_now:
        endpoint.permits_used, endpoint.permits_until = 0, machine_now + timedelta(minutes=1)
    running = endpoints.under_way(session, endpoint.destination, machine_now=machine_now)
    room = min(limits.batch, limits.in_flight - running)
    if limits.per_minute:
        room = min(room, limits.per_minute - endpoint.permits_used)
    # A breaker that has been open lets one delivery try: its outcome closes it, or opens it again.
    return min(room, 1 - running) if endpoint.open_until is not None else room


def _expire(session: Session, destination: str, *, now: datetime, machine_now: datetime) -> None:
    """Cancel what nobody carries and what lost its meaning at business time `now`."""
    rows = session.execute(_EXPIRED, {"destination": destination, "now": now, "machine_now": machine_now}).all()
    if not rows:
        return
    attempts.leave(session, [(row.sequence, _left(row)) for row in rows if row.leased_at is not None])
    code, reason = str(DELIVERY_EXPIRED), DELIVERY_EXPIRED.meaning
    change = {"state": "cancelled", "code": code, "reason": reason, "leased_at": None, "leased_until": None}
    session.execute(
        update(DELIVERY).where(among(session, DELIVERY.c.sequence, [row.sequence for row in rows])).values(**change)
    )


def _taken(
    session: Session, rows: Sequence[Any], batch: int, *, machine_now: datetime, until: datetime
) -> Sequence[Leased]:
    """Return deliveries as leased; of those whose relay died, the attempt that it left is written."""
    left = [row for row in rows if row.leased_at is not None]
    if left:
        attempts.leave(session, [(row.sequence, _left(row)) for row in left])
        again = among(session, DELIVERY.c.sequence, [row.sequence for row in left])
        session.execute(update(DELIVERY).where(again).values(replay_of=None))
    mine = numbers(session, [row[0] for row in rows])
    session.execute(
        _taking(session.get_bind().dialect.name), {"mine": mine, "held_at": machine_now, "held_until": until}
    )
    begun = _Beginnings(machine_now)
    return [
        Leased(
            delivery_id, sequence, token + 1, failures,
            begun.of(count + 1, None if leased_at else replay_of),
            Parcel(name, content_type, sha256, size, None if path else body, path, key, confirm_name), batch,
        )
        for sequence, delivery_id, token, count, failures, replay_of, leased_at,
            name, content_type, sha256, size, path, key, confirm_name, body in rows
    ]  # fmt: skip


class _Beginnings:
    """Attempts that begin together: most are alike, and are one object."""

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._known: dict[tuple[int, int | None], Begun] = {}

    def of(self, number: int, replay_of: int | None) -> Begun:
        """Return the attempt of a number."""
        found = self._known.get((number, replay_of))
        if found is None:
            found = self._known[number, replay_of] = Begun(number, self._at, replay_of)
        return found


def _left(row: Any) -> Begun:
    """Return the attempt that a relay left behind."""
    return Begun(row.attempts, row.leased_at, row.replay_of)


def parcel(row: Row, body: bytes | None) -> Parcel:
    """Return what a delivery carries, as it was when it was enqueued."""
    return Parcel(
        name=row["name"],
        content_type=row["content_type"],
        sha256=row["sha256"],
        size=row["size"],
        body=None if row["path"] else body,
        path=row["path"],
        key=row["key"],
        confirm_name=row["confirm_name"],
    )


def _is_free() -> ColumnElement[bool]:
    """Return the condition that no relay holds a delivery at `machine_now`."""
    return or_(DELIVERY.c.leased_until.is_(None), DELIVERY.c.leased_until <= bindparam("machine_now"))


def _is_due() -> ColumnElement[bool]:
    """Return the condition that a delivery need not wait for its retry at `machine_now`."""
    return or_(DELIVERY.c.due_at.is_(None), DELIVERY.c.due_at <= bindparam("machine_now"))


def _due() -> Select[Any]:
    """Return the query of what may go, in order: due, free, and first of its lane."""
    earlier = DELIVERY.alias("earlier")
    behind = (
        sa_select(earlier.c.sequence)
        .where(
            earlier.c.destination == DELIVERY.c.destination,
            earlier.c.lane == DELIVERY.c.lane,
            earlier.c.lane != NOTHING,
            earlier.c.state == literal_column("'pending'"),
            earlier.c.sequence < DELIVERY.c.sequence,
        )
        .exists()
    )
    return (
        sa_select(*(DELIVERY.c[name] for name in _NEEDED), PAYLOAD.c.body)
        .select_from(DELIVERY.outerjoin(PAYLOAD, PAYLOAD.c.delivery_id == DELIVERY.c.delivery_id))
        .where(DELIVERY.c.destination == bindparam("destination"), IS_PENDING, _is_due(), _is_free())
        .where(or_(DELIVERY.c.lane == "", ~behind))
        .order_by(DELIVERY.c.rank, DELIVERY.c.sequence)
        .limit(bindparam("room"))
        .with_for_update(skip_locked=True, of=DELIVERY)
        .execution_options(in_binary=True)
    )


def _waiting() -> Select[Any]:
    """Return the query of the destinations for which something may go, whatever its lane.

    The index is asked for one destination after the other: however much waits, only what comes first is looked at.
    """
    pending = sa_select(DELIVERY.c.destination).where(IS_PENDING).order_by(DELIVERY.c.destination).limit(1)
    each = pending.subquery().select().cte("each", recursive=True)
    following = pending.where(DELIVERY.c.destination > each.c.destination).scalar_subquery()
    each = each.union_all(sa_select(following).where(each.c.destination.is_not(None)))
    may_go = sa_select(DELIVERY.c.sequence).where(DELIVERY.c.destination == each.c.destination, IS_PENDING)
    return sa_select(each.c.destination).where(may_go.where(_is_due(), _is_free()).exists())


_WAITING = _waiting()
_DUE = _due()
_EXPIRED = (
    sa_select(*(DELIVERY.c[name] for name in ("sequence", "delivery_id", "attempts", "leased_at", "replay_of")))
    .where(DELIVERY.c.destination == bindparam("destination"), IS_PENDING)
    .where(DELIVERY.c.expires_at <= bindparam("now"), _is_free())
    .with_for_update(skip_locked=True)
)


@cache
def _taking(dialect: str) -> Executable:
    """Return the statement that marks deliveries as leased: no column of an index changes, so that no index does."""
    values = {"token": DELIVERY.c.token + 1, "attempts": DELIVERY.c.attempts + 1}
    held = {"leased_at": bindparam("held_at", type_=Instant), "leased_until": bindparam("held_until", type_=Instant)}
    return update(DELIVERY).where(among_numbers(dialect, DELIVERY.c.sequence, "mine")).values(**values, **held)
