"""Killed anywhere while exchanges are told, and run again: every system holds the same, and nothing is told twice."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from kill_harness import Boundaries, Place, survive_every_kill
from rollout_sequence_world import PATIENCE, SINCE, Office, T, exchange, registered, values_of
from rollout_sequence_world import POLICY as ALONE
from sqlmodel import select

from canonical.master_data import MasterData
from canonical.messages import Outcome, Parcel
from flows.delivery import relay_once
from flows.meter_rollout import sequence, strays, verification
from flows.meter_rollout.policy import SYSTEMS
from flows.routing import Routes, Sending
from store import end_device_events, readings
from store.deliveries import Delivery
from store.rollout import RolloutOrderHistoryRow, RolloutOrderRow, RolloutStepRow
from store.session import Session, Transaction, open_engine, transactions
from store.work import WorkItemRow

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

POLICY = replace(ALONE, several={"mdms": 2, "hes": 2})
"""Meter data system and head-end are told steps of both exchanges in one message, the others one by one."""

ORDERS = 2
SHARES = 6
"""Tests among which the boundaries are shared out: every moment before a commit or a call. A kill after one
leaves what a kill before the next leaves, for nothing is kept but in the store and by the systems."""


class Books(Office):
    """A system that keeps each thing that it was told in a file of its own."""

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name)
        self.folder = folder / name
        self.folder.mkdir(parents=True, exist_ok=True)

    def carry(self, parcels: Sequence[Parcel], *, spool: Path, timeout_s: float) -> Sequence[Outcome]:
        for parcel in parcels:
            path = self.folder / parcel.name
            assert not path.exists() or path.read_bytes() == parcel.body, "one id says two things"
            path.write_bytes(parcel.body or b"")
        return [Outcome("confirmed") for _ in parcels]

    def held(self, noun: str, ids: Sequence[str], *, as_of: Any, timeout_s: float) -> Iterable[MasterData]:
        kept = [said for path in sorted(self.folder.iterdir()) for said in json.loads(path.read_bytes())]
        self.told = sorted(kept, key=lambda said: said["verb"] == "create")
        return iter(list(super().held(noun, ids, as_of=as_of, timeout_s=timeout_s)))


class Rollout:
    """Two exchanges from validation to their end."""

    def prepare(self, place: Place) -> None:
        """Two exchanges are believed, and their new meters speak."""
        engine = open_engine(place.url)
        with transactions(engine)() as session:
            for number in range(1, ORDERS + 1):
                exchange(session, number, policy=POLICY, now=T + timedelta(hours=1))
            heard = [registered(number) for number in range(1, ORDERS + 1)]
            end_device_events.keep(session, heard, message_id="events", now=T + timedelta(hours=1))
            readings.keep(session, [values_of(number) for number in range(1, ORDERS + 1)], now=T + timedelta(hours=1))
        engine.dispose()

    def run(self, place: Place, boundaries: Boundaries, start: int) -> None:
        """Bring both on, day by day."""
        engine = open_engine(place.url)
        transaction = boundaries.transaction(transactions(engine))
        offices = {str(name): Books(name, place.folder) for name in SYSTEMS}
        ports = {name: boundaries.port(one) for name, one in offices.items()}
        for day, rounds in ((0, 7), (5, 3)):
            now = T + timedelta(days=day, hours=2)
            _pass(offices, ports, transaction, place.folder, now, machine_day=start * 2 + day, rounds=rounds)
        engine.dispose()

    def observe(self, place: Place) -> Any:
        """Return what every system holds, and every step, state and work item."""
        engine = open_engine(place.url)
        with transactions(engine)() as session:
            found = _observed(session)
        engine.dispose()
        books = {name: sorted(path.name for path in (place.folder / name).iterdir()) for name in SYSTEMS}
        return {"store": found, "books": books}


def _pass(
    offices: dict[str, Books],
    ports: dict[str, Any],
    transaction: Transaction,
    spool: Path,
    now: Any,
    *,
    machine_day: int,
    rounds: int,
) -> None:
    """One day: advance and carry until nothing more comes of it."""
    machine_now = SINCE + timedelta(days=machine_day)
    sending = Sending(Routes(), lambda role, message: offices[role].encode(message, spool=spool), now)

    def ask(role: str, noun: Any, ids: Sequence[str]) -> Iterable[MasterData]:
        return offices[role].held(noun, ids, as_of=now, timeout_s=1)

    for _ in range(rounds):
        for batch in sequence.due(policy=POLICY, transaction=transaction, now=now):
            sequence.advance_batch(batch, policy=POLICY, sending=sending, ask=ask, transaction=transaction)
        machine_now += timedelta(minutes=1)
        relay_once(
            ports, transaction=transaction, spool=spool, now=now, machine_now=machine_now,
            policies=dict.fromkeys(ports, PATIENCE),
        )  # fmt: skip
        verification.hear(policy=POLICY, transaction=transaction, now=now)
        verification.verify(policy=POLICY, transaction=transaction, now=now)
    strays.find(policy=POLICY, transaction=transaction, now=now)


def _observed(session: Session) -> Any:
    steps = session.exec(select(RolloutStepRow)).all()
    orders = session.exec(select(RolloutOrderRow)).all()
    history = session.exec(select(RolloutOrderHistoryRow)).all()
    sent = session.exec(select(Delivery)).all()
    return {
        "steps": sorted([one.order_id, one.step, one.attempt, one.state, one.code] for one in steps),
        "orders": sorted([one.order_id, one.state, one.code] for one in orders),
        "history": sorted([one.order_id, one.state, one.code] for one in history),
        "deliveries": sorted([one.destination, one.key, one.state, one.sha256] for one in sent),
        "work": sorted([one.work_id, one.state] for one in session.exec(select(WorkItemRow)).all()),
    }


@pytest.mark.parametrize("share", range(SHARES))
def test_killed_anywhere_the_sequence_ends_as_if_nobody_had(
    databases: Callable[[], str], tmp_path: Path, share: int
) -> None:
    names = survive_every_kill(
        Rollout(), databases=databases, folder=tmp_path, first=1 + 2 * share, stride=2 * SHARES, at_least=60
    )

    assert {"before commit", "after commit", "before carry"} <= set(names)


def test_undisturbed_both_exchanges_are_closed(databases: Callable[[], str], tmp_path: Path) -> None:
    place = Place(tmp_path / "calm", databases())
    place.folder.mkdir()
    scenario = Rollout()
    scenario.prepare(place)
    scenario.run(place, Boundaries(), 0)

    found = scenario.observe(place)

    assert [state for _, state, _ in found["store"]["orders"]] == ["CLOSED"] * ORDERS
    assert found["store"]["work"] == []
