"""A new attempt of one delivery, ordered by a person: shown first, made once, never another delivery."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from canonical.codes.message import NOT_REPLAYABLE
from canonical.errors import RejectedError
from canonical.messages import Parcel
from store import acts, attempts, dispatch
from store.deliveries import DeliveryPayload, find


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay would send, or sends."""

    delivery_id: str
    destination: str
    state: str
    """State of the delivery when this was looked at."""

    parcel: Parcel
    attempt: int
    """The attempt that is repeated."""

    last_outcome: str
    """Outcome, code and reason of that attempt."""

    in_doubt: bool
    """Whether that attempt's relay died, so that nobody knows whether it arrived."""

    ordered: bool = False
    """Whether a new attempt waits to be made, by this order or an earlier one."""


def look(session: Session, delivery_id: str) -> Replay:
    """Return what a replay of a delivery would send, and how its last attempt ended.

    Raises:
        RejectedError: there is no such delivery (NOT_IN_STORE).
    """
    row = find(session, delivery_id)
    last = next(reversed(attempts.of_delivery(session, row.sequence, row.begun)), None)
    payload = session.get(DeliveryPayload, delivery_id)
    said = " ".join(filter(None, (last.outcome, last.code, last.reason))) if last else ""
    return Replay(
        delivery_id,
        row.destination,
        row.state,
        dispatch.parcel(row.model_dump(), payload.body if payload is not None else None),
        last.number if last else 0,
        said or "no outcome recorded",
        in_doubt=last is not None and not last.outcome,
        ordered=row.replay_of is not None,
    )


def order(session: Session, shown: Replay, *, now: datetime, machine_now: datetime, by: str) -> Replay:
    """Make the delivery due again with a full set of attempts, and return the order; an order that waits is returned.

    Raises:
        RejectedError: the delivery is confirmed, cancelled, on its way, or not yet overdue (NOT_REPLAYABLE).
    """
    row = find(session, shown.delivery_id)
    if row.replay_of is not None and row.state == "pending":
        return shown
    if not (row.state == "parked" or (row.state == "sent" and row.unconfirmed_at is not None)):
        raise RejectedError(f"delivery {row.delivery_id} is {row.state}", code=NOT_REPLAYABLE, where=row.destination)
    if row.confirm_by is not None:
        row.confirm_by = now + (row.confirm_by - row.enqueued_at)
    row.state, row.failures, row.due_at, row.leased_until = "pending", 0, machine_now, None
    row.unconfirmed_at, row.sent_at, row.replay_of = None, None, shown.attempt
    acts.note(session, row.delivery_id, "replayed", by=by, reason=f"attempt {shown.attempt} again", at=now)
    return Replay(
        shown.delivery_id,
        shown.destination,
        row.state,
        shown.parcel,
        shown.attempt,
        shown.last_outcome,
        shown.in_doubt,
        ordered=True,
    )
