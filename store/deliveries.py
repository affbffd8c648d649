"""Deliveries: what goes out, one row per (destination, key), from enqueued to confirmed.

pending -> sent -> confirmed        sent is never confirmed: the other side has to say so
pending | sent -> parked            refused, or all attempts used; a person replays or waives
pending | parked -> cancelled       withdrawn, expired or waived
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, or_, text, update
from sqlmodel import Field, Session, SQLModel, col, select

from canonical.codes.message import DELIVERY_KEY_REUSED, NOT_IN_STORE, UNCONFIRMED
from canonical.errors import RejectedError
from canonical.ids import mint
from canonical.messages import Header, Outcome, Parcel
from store.columns import BigInteger, Instant
from store.conflict import insert_if_new

_PENDING = text("state = 'pending'")


class Delivery(SQLModel, table=True):
    """One message on its way to one destination."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("destination", "key"),
        Index(
            "ix_delivery_pending", "destination", "lane", "sequence", sqlite_where=_PENDING, postgresql_where=_PENDING
        ),
        Index("ix_delivery_confirm_name", "destination", "confirm_name"),
    )

    sequence: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    """Order of enqueue."""
    delivery_id: str = Field(unique=True)
    destination: str
    key: str
    """Delivery key: constant over attempts and replays."""
    message_id: str = Field(index=True)
    correlation_id: str = Field(default="", index=True)
    causation_id: str = Field(default="", index=True)
    verb: str = ""
    noun: str = ""
    lane: str = ""
    """Deliveries of one lane go one after the other; empty for none."""
    rank: int = 1
    """0 for high priority, 1 for normal."""
    state: str = Field(default="pending", index=True)
    name: str
    content_type: str
    sha256: str
    size: int = Field(sa_type=BigInteger)
    path: str = ""
    confirm_name: str = ""
    enqueued_at: datetime = Field(sa_type=Instant)
    """Business time, as are the next five."""
    expires_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    confirm_by: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    sent_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    confirmed_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    unconfirmed_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    """When the sweep found the confirmation overdue; None before, and again after a replay."""
    due_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    """Machine time before which it is not tried again; None for at once."""
    leased_until: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    """Machine time until which one relay holds it."""
    token: int = 0
    """Raised by every lease: a relay that lost its lease records nothing."""
    failures: int = 0
    """Attempts since enqueue or replay that found the destination away."""
    attempts: int = 0
    replay_of: int | None = None
    """Attempt that a person ordered to repeat and that was not begun again yet; None otherwise."""
    code: str = ""
    reason: str = ""
    reference: str = ""
    """What the other side calls it."""


class DeliveryPayload(SQLModel, table=True):
    """The wire bytes of a delivery, unless they lie in the spool."""

    __tablename__ = "delivery_payload"

    delivery_id: str = Field(primary_key=True, foreign_key="delivery.delivery_id")
    body: bytes


class DeliveryAttempt(SQLModel, table=True):
    """One attempt of a delivery, or the order of a person to make another."""

    __tablename__ = "delivery_attempt"

    delivery_id: str = Field(primary_key=True, foreign_key="delivery.delivery_id")
    number: int = Field(primary_key=True)
    at: datetime = Field(sa_type=Instant)
    """Machine time of the lease."""
    outcome: str = ""
    """sent, confirmed, rejected, unavailable, misconfigured; empty while it runs or when its relay died."""
    code: str = ""
    reason: str = ""
    reference: str = ""
    replay_of: int | None = None
    """Number of the attempt that a person ordered to repeat; None for an attempt of the relay's own."""


@dataclass(frozen=True, slots=True)
class Overdue:
    """A delivery that was sent and not confirmed in time: a person asks the destination, the hub never resends."""

    delivery_id: str
    destination: str
    name: str
    confirm_name: str
    message_id: str
    correlation_id: str
    sent_at: datetime | None
    confirm_by: datetime
    code: str = str(UNCONFIRMED)


def enqueue(
    session: Session,
    *,
    header: Header,
    parcel: Parcel,
    destination: str,
    now: datetime,
    confirm_by: datetime | None = None,
) -> str:
    """Decide that a parcel goes to a destination, and return the delivery's id; once for each (destination, key).

    `confirm_by` is the business time until which the destination has to confirm; None when it never does. A parcel
    without a key is known by the header's message id.

    Raises:
        RejectedError: the key was used before for other bytes (DELIVERY_KEY_REUSED).
    """
    key = parcel.key or header.message_id
    delivery_id = mint("delivery", destination, key)
    added = insert_if_new(session, Delivery, _row(header, parcel, destination, key, delivery_id, now, confirm_by))
    if added is None:
        if find(session, delivery_id).sha256 != parcel.sha256:
            raise RejectedError(
                f"key {key!r} came before with other bytes", code=DELIVERY_KEY_REUSED, where=destination
            )
        return delivery_id
    if parcel.body is not None:
        session.add(DeliveryPayload(delivery_id=delivery_id, body=parcel.body))
        session.flush()
    return delivery_id


def _row(
    header: Header,
    parcel: Parcel,
    destination: str,
    key: str,
    delivery_id: str,
    now: datetime,
    confirm_by: datetime | None,
) -> dict[str, object]:
    """Return the columns of a new delivery."""
    row = Delivery(
        delivery_id=delivery_id,
        destination=destination,
        key=key,
        message_id=header.message_id,
        correlation_id=header.correlation_id,
        causation_id=header.causation_id,
        verb=header.verb,
        noun=header.noun,
        lane=header.lane,
        rank=0 if header.priority == "high" else 1,
        name=parcel.name,
        content_type=parcel.content_type,
        sha256=parcel.sha256,
        size=parcel.size,
        path=parcel.path,
        confirm_name=parcel.confirm_name,
        enqueued_at=now,
        expires_at=header.expires_at,
        confirm_by=confirm_by,
    )
    return row.model_dump(exclude={"sequence"})


def find(session: Session, delivery_id: str) -> Delivery:
    """Return a delivery by its id, locked until the transaction ends.

    Raises:
        RejectedError: there is none (NOT_IN_STORE).
    """
    row = session.exec(select(Delivery).where(Delivery.delivery_id == delivery_id).with_for_update()).one_or_none()
    if row is None:
        raise RejectedError(f"no delivery has the id {delivery_id!r}", code=NOT_IN_STORE)
    return row


def confirm(session: Session, *, destination: str, confirm_name: str, outcome: Outcome, now: datetime) -> str | None:
    """Note what a destination says of what it got; return the delivery's id, or None when nothing bears that name.

    `confirmed` settles the delivery, `rejected` parks it with the destination's code. A confirmation that comes before
    our own record of the sending counts; what was confirmed once stays so.
    """
    row = session.exec(
        select(Delivery)
        .where(Delivery.destination == destination, Delivery.confirm_name == confirm_name)
        .order_by(col(Delivery.sequence).desc())
        .limit(1)
        .with_for_update()
    ).one_or_none()
    if row is None:
        return None
    if row.state in ("pending", "sent", "parked"):
        settle(row, outcome, now=now)
        session.add(row)
    return row.delivery_id


def settle(row: Delivery, outcome: Outcome, *, now: datetime) -> None:
    """Move a delivery to what an outcome `sent`, `confirmed` or `rejected` says; `now` is business time."""
    before = {"sent_at": row.sent_at, "confirmed_at": row.confirmed_at, "reference": row.reference}
    for name, value in settled(before, outcome, now=now).items():
        setattr(row, name, value)


def settled(before: Mapping[str, Any], outcome: Outcome, *, now: datetime) -> dict[str, Any]:
    """Return the columns of a delivery that an outcome `sent`, `confirmed` or `rejected` changes; `now` as above."""
    is_refused = outcome.state == "rejected"
    return {
        "state": "parked" if is_refused else "confirmed" if outcome.state == "confirmed" else "sent",
        "confirmed_at": now if outcome.state == "confirmed" else before["confirmed_at"],
        "sent_at": now if before["sent_at"] is None and not is_refused else before["sent_at"],
        "code": outcome.code,
        "reason": outcome.reason,
        "reference": outcome.reference or before["reference"],
        "leased_until": None,
    }


def cancel(session: Session, delivery_id: str, *, reason: str) -> bool:
    """Withdraw a delivery that has not gone yet and return True; False when it is sent, confirmed or under way."""
    changed = session.exec(
        update(Delivery)
        .where(
            col(Delivery.delivery_id) == delivery_id,
            or_(
                col(Delivery.state) == "parked",
                (col(Delivery.state) == "pending") & col(Delivery.leased_until).is_(None),
            ),
        )
        .values(state="cancelled", reason=reason)
    )
    return bool(changed.rowcount)


def overdue(session: Session, *, now: datetime, limit: int = 1000) -> Sequence[Overdue]:
    """Mark the sent deliveries whose confirmation is overdue at business time `now`, and return the newly marked."""
    rows = session.exec(
        select(Delivery)
        .where(
            Delivery.state == "sent",
            col(Delivery.confirm_by) <= now,
            col(Delivery.unconfirmed_at).is_(None),
        )
        .order_by(col(Delivery.sequence))
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    found = []
    for row in rows:
        row.unconfirmed_at, row.code = now, str(UNCONFIRMED)
        found.append(
            Overdue(
                row.delivery_id,
                row.destination,
                row.name,
                row.confirm_name,
                row.message_id,
                row.correlation_id,
                row.sent_at,
                row.confirm_by or now,
            )
        )
    session.flush()
    return found
