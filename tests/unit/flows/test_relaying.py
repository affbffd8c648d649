"""Carrying batch after batch: each parcel goes once, in its lane's order, and nobody waits for somebody else."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from delivery_office import AWAY, Office
from sqlmodel import select

from canonical.codes.transport import NAME_INVALID
from canonical.errors import MisconfiguredError
from canonical.messages import Outcome, Parcel
from flows.delivery import DeliveryPolicy, RelayReport, Way
from flows.relaying import carry_on
from store.deliveries import Delivery
from store.session import Transaction

SMALL = DeliveryPolicy(batch=3, in_flight=100, timeout_s=10)


@pytest.fixture
def office(transaction: Transaction, now: datetime, tmp_path: Path) -> Office:
    return Office(transaction, now, tmp_path)


@pytest.fixture
def carrier() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as one:
        yield one


def carried(office: Office, carrier: Executor, port: Any = None, **more: Any) -> RelayReport:
    way = Way("cis", port or office.partner, SMALL, office.transaction, office.spool)
    return carry_on(way, carrier=carrier, now=lambda: office.now, machine_now=lambda: office.now, **more)


def states(office: Office) -> list[str]:
    with office.transaction() as session:
        return [row.state for row in session.exec(select(Delivery).order_by(Delivery.sequence)).all()]  # type: ignore[arg-type]


def test_everything_goes_once_and_in_order(office: Office, carrier: Executor) -> None:
    names = [f"part-{number}" for number in range(10)]
    for name in names:
        office.enqueue(name)
    assert carried(office, carrier).sent == 10
    assert office.partner.brought == names
    assert states(office) == ["sent"] * 10


def test_the_next_batch_is_leased_while_one_is_carried(office: Office, carrier: Executor) -> None:
    for number in range(6):
        office.enqueue(f"part-{number}")
    leased_then: list[int] = []

    def look() -> None:
        with office.transaction() as session:
            rows = session.exec(select(Delivery)).all()
        leased_then.append(sum(row.leased_until is not None and row.state == "pending" for row in rows))

    class Slow:
        def carry(self, parcels: Sequence[Parcel], *, spool: Path, timeout_s: float) -> Sequence[Outcome]:
            for _ in range(200):
                look()
                if leased_then[-1] == 6 or len(leased_then) > 400:
                    break
            return [Outcome("confirmed")] * len(parcels)

    carried(office, carrier, Slow())
    assert max(leased_then) == 6


def test_one_lane_stays_in_order_although_batches_overlap(office: Office, carrier: Executor) -> None:
    for number in range(5):
        office.enqueue(f"part-{number}", lane="up1")
    while carried(office, carrier).carried:
        pass
    assert office.partner.brought == [f"part-{number}" for number in range(5)]


def test_who_is_away_gets_two_batches_at_most_before_the_breaker_is_asked(office: Office, carrier: Executor) -> None:
    office.partner.otherwise = AWAY
    for number in range(30):
        office.enqueue(f"part-{number}")
    report = carried(office, carrier)
    assert report.postponed == report.carried
    assert report.carried <= SMALL.breaker_failures * SMALL.batch + SMALL.batch
    assert set(states(office)) == {"pending"}


def test_a_wrong_setup_gives_both_batches_back(office: Office, carrier: Executor) -> None:
    office.partner.otherwise = MisconfiguredError("its key changed", code=NAME_INVALID)
    for number in range(5):
        office.enqueue(f"part-{number}")
    report = carried(office, carrier)
    assert report.misconfigured
    with office.transaction() as session:
        rows = session.exec(select(Delivery)).all()
    assert {(row.state, row.leased_until, row.failures) for row in rows} == {("pending", None, 0)}


def test_asked_to_stop_it_records_what_it_carries_and_leases_no_more(office: Office, carrier: Executor) -> None:
    for number in range(12):
        office.enqueue(f"part-{number}")
    stop = Event()
    office.partner.meanwhile = stop.set
    carried(office, carrier, stopped=stop.is_set)
    now_states = states(office)
    assert now_states.count("sent") == len(office.partner.brought) in (3, 6)
    with office.transaction() as session:
        assert all(row.leased_until is None for row in session.exec(select(Delivery)).all())
