"""Deliveries: what goes out, one row per (destination, key), from enqueued to confirmed.

pending -> sent -> confirmed        sent is never confirmed: the other side has to say so
pending | sent -> parked            refused, or all attempts used; a person replays or waives
pending | parked -> cancelled       withdrawn, expired or waived
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, column, literal_column, or_, update
from sqlalchemy import select as sa_select
from sqlmodel import Field, Session, SQLModel, col, select

from canonical.codes.message import DELIVERY_KEY_REUSED, NOT_IN_STORE
from canonical.errors import RejectedError
from canonical.ids import mint_near
from canonical.messages import Header, Outcome, Parcel
from store import attempts, bulk
from store.among import among
from store.attempts import Begun
from store.columns import BigInteger, Instant, only

IS_PENDING = column("state") == literal_column("'pending'")
"""Said as text and not as a parameter: so both databases see that an index of what is pending serves."""

NOTHING: ColumnElement[str] = literal_column("''")
"""The empty text, likewise: an index of what is not empty serves where a query says so."""


class Delivery(SQLModel, table=True):
    """One message on its way to one destination."""

    __tablename__ = "delivery"
    __table_args__ = (
        only("ix_delivery_pending", "state = 'pending'", "destination", "rank", "sequence"),
        only("ix_delivery_lane", "state = 'pending' AND lane <> ''", "destination", "lane", "sequence"),
        only("ix_delivery_expires", "state = 'pending' AND expires_at IS NOT NULL", "destination", "expires_at"),
        only("ix_delivery_sent", "state = 'sent'", "confirm_by"),
        only("ix_delivery_parked", "state = 'parked'", "sequence"),
        only("ix_delivery_confirm_name", "confirm_name <> ''", "destination", "confirm_name"),
        only("ix_delivery_correlation_id", "correlation_id <> ''", "correlation_id"),
        only("ix_delivery_causation_id", "causation_id <> ''", "causation_id"),
        # A lease rewrites a row in the page where it stands, and its indexes stay as they are, while the page has room.
        {"postgresql_with": {"fillfactor": "50"}},
    )

    sequence: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    """Order of enqueue."""
    delivery_id: str = Field(unique=True)
    """Minted of destination and key: that it is unique makes them so."""
    destination: str
    key: str
    """Delivery key: constant over attempts and replays."""
    message_id: str = Field(index=True)
    correlation_id: str = ""
    causation_id: str = ""
    verb: str = ""
    noun: str = ""
    lane: str = ""
    """Deliveries of one lane go one after the other; empty for none."""
    rank: int = 1
    """0 for high priority, 1 for normal."""
    state: str = "pending"
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
    leased_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    """Machine time at which the attempt began that is not recorded yet."""
    leased_until: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    """Machine time until which one relay holds it; both are set while it is pending and under way, or else neither."""
    token: int = 0
    """Raised by every lease: a relay that lost its lease records nothing."""
    failures: int = 0
    """Attempts since enqueue or replay that found the destination away."""
    attempts: int = 0
    replay_of: int | None = None
    """Attempt that a person ordered to repeat, until what came of its repetition is recorded; None otherwise."""
    code: str = ""
    reason: str = ""
    reference: str = ""
    """What the other side calls it."""

    @property
    def begun(self) -> Begun | None:
        """Return the attempt that runs, or that a relay which died left; None when all are recorded."""
        return Begun(self.attempts, self.leased_at, self.replay_of) if self.leased_at is not None else None


class DeliveryPayload(SQLModel, table=True):
    """The wire bytes of a delivery, unless they lie in the spool."""

    __tablename__ = "delivery_payload"

    delivery_id: str = Field(primary_key=True, foreign_key="delivery.delivery_id")
    body: bytes


DELIVERY: Table = SQLModel.metadata.tables["delivery"]
DELIVERY_PAYLOAD: Table = SQLModel.metadata.tables["delivery_payload"]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A parcel that is to go to a destination."""

    header: Header
    parcel: Parcel
    """One without a key is known by the header's message id."""

    destination: str
    confirm_by: datetime | None = None
    """Business time until which the destination has to confirm; None when it never does."""

    @property
    def key(self) -> str:
        """Return the delivery key."""
        return self.parcel.key or self.header.message_id

    @property
    def delivery_id(self) -> str:
        """Return the id that its delivery has."""
        return mint_near(self.key, "delivery", self.destination, self.key)


def enqueue(
    session: Session,
    *,
    header: Header,
    parcel: Parcel,
    destination: str,
    now: datetime,
    confirm_by: datetime | None = None,
) -> str:
    """Decide that one parcel goes to a destination, and return the delivery's id, as `enqueue_many` does.

    Raises:
        RejectedError: the key was used before for other bytes (DELIVERY_KEY_REUSED).
    """
    return enqueue_many(session, [Outgoing(header, parcel, destination, confirm_by)], now=now)[0]


def enqueue_many(session: Session, outgoing: Sequence[Outgoing], *, now: datetime) -> list[str]:
    """Decide that parcels go out, and return the deliveries' ids in order; once for each (destination, key).

    They go in the order given. What stands there already with the same bytes is the same delivery.

    Raises:
        RejectedError: a key was used before for other bytes (DELIVERY_KEY_REUSED); nothing is enqueued.
    """
    names = [one.delivery_id for one in outgoing]
    wanted = dict(zip(names, outgoing, strict=True))
    for name, one in zip(names, outgoing, strict=True):
        _same_bytes(one, wanted[name].parcel.sha256)
    before = _bytes_of(session, wanted)
    bulk.insert_if_new(session, DELIVERY, [_row(one, name, now) for name, one in wanted.items() if name not in before])
    for name, sha256 in (before if len(before) == len(wanted) else _bytes_of(session, wanted)).items():
        _same_bytes(wanted[name], sha256)
    bodies = [
        {"delivery_id": name, "body": one.parcel.body}
        for name, one in wanted.items()
        if name not in before and one.parcel.body is not None
    ]
    bulk.insert_if_new(session, DELIVERY_PAYLOAD, bodies)
    return names


def _bytes_of(session: Session, names: Collection[str]) -> dict[str, str]:
    """Return the hash of the bytes of every delivery of some ids that is there."""
    query = sa_select(DELIVERY.c.delivery_id, DELIVERY.c.sha256).where(among(session, DELIVERY.c.delivery_id, names))
    return {name: sha256 for name, sha256 in session.execute(query).all()}


def _same_bytes(one: Outgoing, sha256: str) -> None:
    """Check that a key stands for the bytes that it stood for before.

    Raises:
        RejectedError: it does not (DELIVERY_KEY_REUSED).
    """
    if one.parcel.sha256 != sha256:
        reason = f"key {one.key!r} came before with other bytes"
        raise RejectedError(reason, code=DELIVERY_KEY_REUSED, where=one.destination)


def _row(one: Outgoing, delivery_id: str, now: datetime) -> dict[str, object]:
    """Return the columns of a new delivery."""
    header, parcel = one.header, one.parcel
    return {
        "delivery_id": delivery_id, "destination": one.destination, "key": one.key, "message_id": header.message_id,
        "correlation_id": header.correlation_id, "causation_id": header.causation_id, "verb": header.verb,
        "noun": header.noun, "lane": header.lane, "rank": 0 if header.priority == "high" else 1, "state": "pending",
        "name": parcel.name, "content_type": parcel.content_type, "sha256": parcel.sha256, "size": parcel.size,
        "path": parcel.path, "confirm_name": parcel.confirm_name, "enqueued_at": now, "expires_at": header.expires_at,
        "confirm_by": one.confirm_by, "token": 0, "failures": 0, "attempts": 0, "code": "", "reason": "",
        "reference": "",
    }  # fmt: skip


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
        .where(col(Delivery.confirm_name) != NOTHING)
        .order_by(col(Delivery.sequence).desc())
        .limit(1)
        .with_for_update()
    ).one_or_none()
    if row is None:
        return None
    if row.state in ("pending", "sent", "parked"):
        if row.begun is not None and row.sequence is not None:
            attempts.leave(session, [(row.sequence, row.begun)])
        settle(row, outcome, now=now)
        session.add(row)
    return row.delivery_id


def settle(row: Delivery, outcome: Outcome, *, now: datetime) -> None:
    """Move a delivery to what an outcome `sent`, `confirmed` or `rejected` says; `now` is business time."""
    for name, value in settled(outcome, now=now).items():
        setattr(row, name, value)
    if row.sent_at is None and row.state != "parked":
        row.sent_at = now


def settled(outcome: Outcome, *, now: datetime) -> dict[str, Any]:
    """Return the columns of a delivery that an outcome `sent`, `confirmed` or `rejected` changes; `now` as above.

    Besides, whatever arrived and was not sent before is sent now.
    """
    state = "parked" if outcome.state == "rejected" else "confirmed" if outcome.state == "confirmed" else "sent"
    found: dict[str, Any] = {"state": state, "code": outcome.code, "reason": outcome.reason} | NOT_LEASED
    if outcome.state == "confirmed":
        found["confirmed_at"] = now
    if outcome.reference:
        found["reference"] = outcome.reference
    return found


NOT_LEASED: dict[str, Any] = {"leased_at": None, "leased_until": None, "replay_of": None}
"""Columns of a delivery that no relay holds and whose attempts are recorded."""


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
