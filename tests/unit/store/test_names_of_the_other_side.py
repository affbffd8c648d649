"""What the other side calls deliveries: each has its own name there, also where all else of a batch is alike."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlmodel import Session, select

from canonical.messages import Header, Outcome, Parcel
from store import deliveries, delivery_outcomes, dispatch
from store.attempts import DeliveryAttempt
from store.deliveries import Delivery, Outgoing
from store.dispatch import Leased, Limits
from store.session import Transaction

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
LIMITS = Limits(batch=3, in_flight=100, per_minute=0, lease_s=60.0)


def lease(session: Session, at: datetime) -> Sequence[Leased]:
    return dispatch.lease(session, "cis", now=NOW, machine_now=at, limits=LIMITS)


def enqueue(session: Session) -> None:
    parcels = [Parcel("part", "text/plain", str(n), 1, b"x", key=f"k{n}") for n in range(3)]
    header = Header("m", "hub", "changed", "MeterConfig")
    deliveries.enqueue_many(session, [Outgoing(header, parcel, "cis") for parcel in parcels], now=NOW)


def record(session: Session, held: Sequence[Leased], outcomes: Sequence[Outcome]) -> None:
    delivery_outcomes.record(session, held, outcomes, now=NOW, patience=3, retry_at=lambda _each: NOW)


def names(session: Session, table: type[Delivery] | type[DeliveryAttempt]) -> list[str]:
    return [row.reference for row in session.exec(select(table).order_by(table.sequence)).all()]  # type: ignore[arg-type]


def test_each_delivery_and_its_attempt_keep_the_name_that_the_other_side_gave(transaction: Transaction) -> None:
    with transaction() as session:
        enqueue(session)
        record(session, lease(session, NOW), [Outcome("confirmed", reference=name) for name in ("r1", "", "r3")])

        assert names(session, Delivery) == names(session, DeliveryAttempt) == ["r1", "", "r3"]


def test_a_relay_that_lost_its_lease_names_its_attempts_alone(transaction: Transaction) -> None:
    with transaction() as session:
        enqueue(session)
        first = lease(session, NOW)
        second = lease(session, NOW + timedelta(seconds=61))
        record(session, first, [Outcome("confirmed", reference=f"lost{n}") for n in range(3)])
        record(session, second, [Outcome("confirmed", reference=f"held{n}") for n in range(3)])

        assert names(session, Delivery) == ["held0", "held1", "held2"]
        assert sorted(names(session, DeliveryAttempt)) == ["held0", "held1", "held2", "lost0", "lost1", "lost2"]
