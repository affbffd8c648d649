"""Who may carry which delivery now: leases, lanes, throttle and breaker, and the record of what came of it.

All times here are machine time, except where a docstring says business time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_
from sqlalchemy.orm import aliased
from sqlmodel import Field, Session, SQLModel, col, select
from sqlmodel.sql.expression import SelectOfScalar

from canonical.codes.message import ATTEMPTS_EXHAUSTED, DELIVERY_EXPIRED
from canonical.messages import Outcome, Parcel
from store.columns import Instant
from store.conflict import insert_if_new
from store.deliveries import Delivery, DeliveryAttempt, DeliveryPayload, settle


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
    rows = session.exec(_due(destination, machine_now).limit(room)).all() if room > 0 else []
    until = machine_now + timedelta(seconds=limits.lease_s)
    leased = [_take(session, row, machine_now=machine_now, until=until) for row in rows]
    endpoint.permits_used += len(leased)
    session.add(endpoint)
    session.flush()
    return leased


def record(
    session: Session, held: Leased, outcome: Outcome, *, now: datetime, retry_at: datetime, attempts: int
) -> str:
    """Write what came of one attempt and return the delivery's new state.

    `now` is business time; `retry_at` is when to try again if the destination was away, unless `attempts` are used up.
    A relay that lost its lease, or came after the confirmation, changes the attempt's row only.
    """
    attempt = session.get_one(DeliveryAttempt, (held.delivery_id, held.attempt))
    attempt.outcome, attempt.code, attempt.reason = outcome.state, outcome.code, outcome.reason
    attempt.reference = outcome.reference
    row = session.exec(select(Delivery).where(Delivery.delivery_id == held.delivery_id).with_for_update()).one()
    if row.token != held.token or row.state != "pending":
        return row.state
    if outcome.state != "unavailable":
        settle(row, outcome, now=now)
        return row.state
    row.leased_until, row.due_at = None, retry_at
    row.failures += 1
    row.code, row.reason = outcome.code, outcome.reason
    if row.failures >= attempts:
        row.state, row.code = "parked", str(ATTEMPTS_EXHAUSTED)
    return row.state


def postpone(session: Session, held: Leased, *, code: str, reason: str, retry_at: datetime) -> None:
    """Give a delivery back without counting the attempt: we are set up wrong, which no retry cures."""
    attempt = session.get_one(DeliveryAttempt, (held.delivery_id, held.attempt))
    attempt.outcome, attempt.code, attempt.reason = "misconfigured", code, reason
    row = session.exec(select(Delivery).where(Delivery.delivery_id == held.delivery_id).with_for_update()).one()
    if row.token == held.token and row.state == "pending":
        row.leased_until, row.due_at, row.code, row.reason = None, retry_at, code, reason


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


def _due(destination: str, machine_now: datetime) -> SelectOfScalar[Delivery]:
    """Return the query of what may go: due, free, and first of its lane."""
    earlier = aliased(Delivery)
    behind = (
        select(earlier.sequence)
        .where(
            earlier.destination == Delivery.destination,
            earlier.lane == Delivery.lane,
            earlier.state == "pending",
            col(earlier.sequence) < col(Delivery.sequence),
        )
        .exists()
    )
    return (
        select(Delivery)
        .where(
            Delivery.destination == destination,
            Delivery.state == "pending",
            _is_due(machine_now),
            _is_free(machine_now),
            or_(col(Delivery.lane) == "", ~behind),
        )
        .order_by(col(Delivery.rank), col(Delivery.sequence))
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


def _take(session: Session, row: Delivery, *, machine_now: datetime, until: datetime) -> Leased:
    """Return a delivery as leased, with the row of the attempt that begins."""
    row.leased_until, row.token, row.attempts = until, row.token + 1, row.attempts + 1
    session.add(
        DeliveryAttempt(delivery_id=row.delivery_id, number=row.attempts, at=machine_now, replay_of=row.replay_of)
    )
    row.replay_of = None
    return Leased(row.delivery_id, row.token, row.attempts, row.failures, parcel(session, row))


def parcel(session: Session, row: Delivery) -> Parcel:
    """Return what a delivery carries, as it was when it was enqueued."""
    payload = None if row.path else session.get(DeliveryPayload, row.delivery_id)
    return Parcel(
        name=row.name,
        content_type=row.content_type,
        sha256=row.sha256,
        size=row.size,
        body=None if payload is None else payload.body,
        path=row.path,
        key=row.key,
        confirm_name=row.confirm_name,
    )
