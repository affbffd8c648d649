"""Who may carry which delivery now: leases, lanes, throttle and breaker. What came of it: `store.delivery_outcomes`.

Whole batches go in a few statements, never row by row. All times here are machine time, except where a docstring says
business time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, func, or_, update
from sqlalchemy import select as sa_select
from sqlmodel import Field, Session, SQLModel, col, select

from canonical.codes.message import DELIVERY_EXPIRED
from canonical.messages import Parcel
from store import bulk
from store.among import among
from store.columns import Instant
from store.conflict import insert_if_new
from store.deliveries import Delivery
from store.rows import Row, rows_of

DELIVERY: Table = SQLModel.metadata.tables["delivery"]
ATTEMPT: Table = SQLModel.metadata.tables["delivery_attempt"]
PAYLOAD: Table = SQLModel.metadata.tables["delivery_payload"]


_CARRIED = (
    *("sequence", "delivery_id", "token", "attempts", "failures", "replay_of", "name", "content_type"),
    *("sha256", "size", "path", "key", "confirm_name"),
)
"""What a relay needs to know of a delivery."""


class Endpoint(SQLModel, table=True):
    """How one destination is doing: its throttle and its circuit breaker."""

    __tablename__ = "endpoint"

    destination: str = Field(primary_key=True)
    permits_used: int = 0
    """Deliveries begun in the running minute."""
    permits_until: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    """End of that minute: the permits are free again, whoever died holding them."""
    failures: int = 0
    """Attempts in a row that found it away."""
    open_until: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    """The breaker is open until then; after it, one delivery tries."""
    openings: int = 0
    """How often in a row the breaker opened."""
    reason: str = ""
    """Why it opened last."""


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
    token: int
    attempt: int
    failures: int
    parcel: Parcel


def destinations_waiting(session: Session, *, machine_now: datetime) -> set[str]:
    """Return the destinations for which something is due that nobody carries."""
    rows = session.exec(
        select(Delivery.destination)
        .where(Delivery.state == "pending", _is_due(machine_now), _is_free(machine_now))
        .distinct()
    )
    return set(rows.all())


def lease(
    session: Session, destination: str, *, now: datetime, machine_now: datetime, limits: Limits
) -> Sequence[Leased]:
    """Return the deliveries that shall be carried now, high priority first, each lane's oldest only.

    What lost its meaning at business time `now` is cancelled on the way. Nothing comes while the breaker is open;
    one delivery comes when it has been open long enough.
    """
    endpoint = _endpoint(session, destination)
    if endpoint.open_until is not None and endpoint.open_until > machine_now:
        return []
    _expire(session, destination, now=now, machine_now=machine_now)
    room = _room(session, endpoint, machine_now=machine_now, limits=limits)
    rows = rows_of(session, _due(destination, machine_now).limit(room)) if room > 0 else []
    endpoint.permits_used += len(rows)
    session.add(endpoint)
    session.flush()
    return _taken(session, rows, machine_now=machine_now, until=machine_now + timedelta(seconds=limits.lease_s))


def note_answer(session: Session, destination: str) -> None:
    """Close the breaker: the destination answered."""
    endpoint = _endpoint(session, destination)
    endpoint.failures, endpoint.openings, endpoint.open_until, endpoint.reason = 0, 0, None, ""


def note_absence(
    session: Session,
    destination: str,
    *,
    machine_now: datetime,
    threshold: int,
    open_s: float,
    cap_s: float,
    reason: str,
) -> None:
    """Count that the destination was away, and open the breaker at the threshold, each time twice as long."""
    endpoint = _endpoint(session, destination)
    endpoint.failures += 1
    is_open = endpoint.open_until is not None and endpoint.open_until > machine_now
    if endpoint.failures >= threshold and not is_open:
        wait = min(cap_s, open_s * 2.0**endpoint.openings)
        endpoint.open_until = machine_now + timedelta(seconds=wait)
        endpoint.openings = min(endpoint.openings + 1, 30)
        endpoint.reason = reason


def _endpoint(session: Session, destination: str) -> Endpoint:
    """Return the row of a destination, locked: relays lease for one destination one after the other."""
    blank = Endpoint(destination=destination).model_dump()
    insert_if_new(session, Endpoint, blank)
    return session.exec(
        select(Endpoint)
        .where(Endpoint.destination == destination)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def _room(session: Session, endpoint: Endpoint, *, machine_now: datetime, limits: Limits) -> int:
    """Return how many deliveries may begin now."""
    if endpoint.permits_until is None or endpoint.permits_until <= machine_now:
        endpoint.permits_used, endpoint.permits_until = 0, machine_now + timedelta(minutes=1)
    running = session.exec(
        select(func.count())
        .select_from(Delivery)
        .where(
            Delivery.destination == endpoint.destination,
            Delivery.state == "pending",
            col(Delivery.leased_until) > machine_now,
        )
    ).one()
    room = min(limits.batch, limits.in_flight - running)
    if limits.per_minute:
        room = min(room, limits.per_minute - endpoint.permits_used)
    # A breaker that has been open lets one delivery try: its outcome closes it, or opens it again.
    return min(room, 1 - running) if endpoint.open_until is not None else room


def _is_free(machine_now: datetime) -> ColumnElement[bool]:
    """Return the condition that no relay holds a delivery."""
    return or_(col(Delivery.leased_until).is_(None), col(Delivery.leased_until) <= machine_now)


def _is_due(machine_now: datetime) -> ColumnElement[bool]:
    """Return the condition that a delivery need not wait for its retry."""
    return or_(col(Delivery.due_at).is_(None), col(Delivery.due_at) <= machine_now)


def _due(destination: str, machine_now: datetime) -> Select[Any]:
    """Return the query of what may go: due, free, and first of its lane."""
    earlier = DELIVERY.alias("earlier")
    behind = (
        sa_select(earlier.c.sequence)
        .where(
            earlier.c.destination == DELIVERY.c.destination,
            earlier.c.lane == DELIVERY.c.lane,
            earlier.c.state == "pending",
            earlier.c.sequence < DELIVERY.c.sequence,
        )
        .exists()
    )
    return (
        sa_select(*(DELIVERY.c[name] for name in _CARRIED))
        .where(
            DELIVERY.c.destination == destination,
            DELIVERY.c.state == "pending",
            _is_due(machine_now),
            _is_free(machine_now),
            or_(DELIVERY.c.lane == "", ~behind),
        )
        .order_by(DELIVERY.c.rank, DELIVERY.c.sequence)
        .with_for_update(skip_locked=True)
    )


def _expire(session: Session, destination: str, *, now: datetime, machine_now: datetime) -> None:
    """Cancel what nobody carries and what lost its meaning at business time `now`."""
    rows = session.exec(
        select(Delivery).where(
            Delivery.destination == destination,
            Delivery.state == "pending",
            col(Delivery.expires_at) <= now,
            _is_free(machine_now),
        )
    ).all()
    for row in rows:
        row.state, row.code, row.reason = "cancelled", str(DELIVERY_EXPIRED), DELIVERY_EXPIRED.meaning
    session.flush()


def _taken(session: Session, rows: Sequence[Row], *, machine_now: datetime, until: datetime) -> Sequence[Leased]:
    """Return deliveries as leased, with the rows of the attempts that begin."""
    if not rows:
        return []
    ids = [row["delivery_id"] for row in rows]
    values = {"leased_until": until, "token": DELIVERY.c.token + 1, "attempts": DELIVERY.c.attempts + 1}
    mine = among(session, DELIVERY.c.sequence, [row["sequence"] for row in rows])
    session.execute(update(DELIVERY).where(mine).values(**values, replay_of=None))
    begun = [
        {
            "delivery_id": row["delivery_id"], "number": row["attempts"] + 1, "at": machine_now, "outcome": "",
            "code": "", "reason": "", "reference": "", "replay_of": row["replay_of"],
        }
        for row in rows
    ]  # fmt: skip
    bulk.insert(session, ATTEMPT, begun)
    held = sa_select(PAYLOAD.c.delivery_id, PAYLOAD.c.body).where(among(session, PAYLOAD.c.delivery_id, ids))
    bodies: dict[str, bytes] = {name: body for name, body in session.execute(held).all()}
    return [
        Leased(
            row["delivery_id"],
            row["token"] + 1,
            row["attempts"] + 1,
            row["failures"],
            parcel(row, bodies.get(row["delivery_id"])),
        )
        for row in rows
    ]


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
