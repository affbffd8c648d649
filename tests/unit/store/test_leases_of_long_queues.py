"""A lease looks at what it takes: however much waits, and whatever a relay left behind."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Session, SQLModel, create_engine, select

from canonical.messages import Header, Outcome, Parcel
from store import deliveries, delivery_outcomes, dispatch, tables
from store.attempts import DeliveryAttempt, of_delivery
from store.deliveries import Delivery, Outgoing
from store.dispatch import Leased, Limits
from store.endpoints import EndpointBatch
from store.session import Transaction

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
LEASE_S = 60.0
LIMITS = Limits(batch=3, in_flight=100, per_minute=0, lease_s=LEASE_S)


def outgoing(number: int, lane: str = "") -> Outgoing:
    parcel = Parcel("part", "text/plain", str(number), 1, b"x", key=f"k{number}", confirm_name=f"ack-{number}")
    return Outgoing(Header(f"m{number}", "hub", "changed", "MeterConfig", lane=lane), parcel, "cis")


def leased(session: Session, at: datetime) -> list[Leased]:
    return list(dispatch.lease(session, "cis", now=NOW, machine_now=at, limits=LIMITS))


def recorded(session: Session, held: list[Leased], outcome: Outcome, at: datetime) -> None:
    delivery_outcomes.record(
        session, held, [outcome] * len(held), now=NOW, patience=3, retry_at=lambda _each: at + timedelta(seconds=1)
    )


def test_every_step_of_a_lease_finds_its_rows_by_an_index() -> None:
    assert tables.METADATA is SQLModel.metadata
    engine = create_engine("sqlite://")
    SQLModel.metadata.create_all(engine)
    plans = []
    for query in (dispatch._DUE, dispatch._WAITING, dispatch._EXPIRED):
        said = query.compile(engine)
        with engine.connect() as connection:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {said}", (1,) * len(said.positiontup or ())).all()
        plans.append(" ".join(row[3] for row in rows))
    assert "ix_delivery_pending" in plans[0]
    assert "ix_delivery_lane (destination=? AND lane=? AND sequence<?)" in plans[0]
    assert "ix_delivery_pending (destination>?)" in plans[1]
    assert "ix_delivery_expires" in plans[2]
    assert not any("SCAN delivery" in plan.replace("SCAN delivery USING INDEX", "") for plan in plans)
    assert not any("TEMP B-TREE" in plan for plan in plans)


def test_whoever_waits_is_named_once_and_who_is_served_is_not(transaction: Transaction) -> None:
    with transaction() as session:
        deliveries.enqueue_many(session, [outgoing(number) for number in range(2)], now=NOW)
        assert dispatch.destinations_waiting(session, machine_now=NOW) == {"cis"}
        assert len(leased(session, NOW)) == 2
        assert dispatch.destinations_waiting(session, machine_now=NOW) == set()
        assert dispatch.destinations_waiting(session, machine_now=NOW + timedelta(seconds=LEASE_S)) == {"cis"}


def test_a_batch_counts_as_under_way_until_it_is_recorded_or_its_lease_ends(transaction: Transaction) -> None:
    few = Limits(batch=3, in_flight=3, per_minute=0, lease_s=LEASE_S)
    with transaction() as session:
        deliveries.enqueue_many(session, [outgoing(number) for number in range(9)], now=NOW)
        held = list(dispatch.lease(session, "cis", now=NOW, machine_now=NOW, limits=few))
        assert not dispatch.lease(session, "cis", now=NOW, machine_now=NOW, limits=few)
        recorded(session, held, Outcome("confirmed"), NOW)
        assert len(dispatch.lease(session, "cis", now=NOW, machine_now=NOW, limits=few)) == 3
        later = NOW + timedelta(seconds=LEASE_S)
        assert len(dispatch.lease(session, "cis", now=NOW, machine_now=later, limits=few)) == 3
        assert len(session.exec(select(EndpointBatch)).all()) == 1


@pytest.mark.parametrize("state", ["confirmed", "rejected"])
def test_an_attempt_is_kept_although_the_answer_came_before_its_relay_died(
    transaction: Transaction, state: str
) -> None:
    with transaction() as session:
        deliveries.enqueue_many(session, [outgoing(1)], now=NOW)
        (held,) = leased(session, NOW)
        deliveries.confirm(session, destination="cis", confirm_name="ack-1", outcome=Outcome(state), now=NOW)  # type: ignore[arg-type]
    with transaction() as session:
        (row,) = session.exec(select(Delivery)).all()
        assert (row.begun, row.leased_until, row.attempts) == (None, None, 1)
        assert [(one.number, one.outcome) for one in session.exec(select(DeliveryAttempt)).all()] == [(1, "")]
        recorded(session, [held], Outcome("sent"), NOW)
    with transaction() as session:
        assert [one.outcome for one in session.exec(select(DeliveryAttempt)).all()] == ["sent"]
        assert session.exec(select(Delivery.state)).one() == ("confirmed" if state == "confirmed" else "parked")


STEPS = st.lists(st.sampled_from(["lease", "record", "away", "wait", "confirm", "cancel", "wrong"]), max_size=14)


@pytest.mark.slow
@settings(deadline=None, max_examples=25)
@given(STEPS, st.integers(0, 3))
def test_a_delivery_has_a_row_for_every_attempt_that_does_not_run(steps: list[str], lanes: int) -> None:
    engine = create_engine("sqlite://")
    SQLModel.metadata.create_all(engine)
    at, holds = NOW, list[list[Leased]]()
    with Session(engine) as session:
        deliveries.enqueue_many(session, [outgoing(n, f"lane-{n % lanes}" if lanes else "") for n in range(5)], now=NOW)
        for step in steps:
            if step == "lease":
                holds += [held] if (held := leased(session, at)) else []
            elif step == "wait":
                at += timedelta(seconds=LEASE_S)
            elif step == "confirm":
                deliveries.confirm(session, destination="cis", confirm_name="ack-1", outcome=Outcome("sent"), now=NOW)
            elif step == "cancel":
                deliveries.cancel(session, outgoing(2).delivery_id, reason="not wanted")
            elif step == "wrong" and holds:
                delivery_outcomes.postpone(session, holds.pop(0), code="9", reason="set up", retry_at=at)
            elif holds:
                recorded(session, holds.pop(), Outcome("confirmed" if step == "record" else "unavailable"), at)
            session.flush()
            session.expire_all()
            for row in session.exec(select(Delivery)).all():
                made = of_delivery(session, row.sequence, row.begun)
                assert [one.number for one in made] == list(range(1, row.attempts + 1))
                assert (row.leased_at is None) == (row.leased_until is None)
                assert row.state == "pending" or row.leased_at is None
    engine.dispose()
