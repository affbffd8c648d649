"""The one way out: carry what is due, watch for confirmations, replay one."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from canonical.ports import Destination
from flows.way_out import DEFAULT, DeliveryPolicy, RelayReport, Way
from store import dispatch, overdue, replays
from store.overdue import Overdue
from store.replays import Replay
from store.session import Session, Transaction

__all__ = [
    "DEFAULT", "DeliveryPolicy", "Overdue", "RelayReport", "Replay", "Way", "relay_once", "replay",
    "sweep_confirmations", "waiting_for",
]  # fmt: skip


def relay_once(
    ports: Mapping[str, Destination],
    *,
    transaction: Transaction,
    spool: Path,
    now: datetime,
    machine_now: datetime,
    policies: Mapping[str, DeliveryPolicy] | None = None,
) -> RelayReport:
    """Carry at most one batch of due deliveries to each destination, and return what came of it.

    Any number of relays may run: a delivery belongs to one of them until its lease ends. A relay that dies between
    carrying and recording leaves its deliveries to the next, which carries them again: ports replace nothing that is
    already there. Call again with a fresh `machine_now` while `carried` is not 0. `now` is business time.
    """
    waiting = waiting_for(transaction=transaction, machine_now=machine_now)
    report = RelayReport(unserved=sorted(waiting - set(ports)))
    for destination, port in ports.items():
        if destination in waiting:
            policy = (policies or {}).get(destination, DEFAULT)
            way = Way(destination, port, policy, transaction, spool)
            _one_batch(way, report, now=now, machine_now=machine_now)
    return report


def waiting_for(*, transaction: Transaction, machine_now: datetime) -> set[str]:
    """Return the destinations for which something is due that nobody carries."""
    with transaction() as session:
        return dispatch.destinations_waiting(session, machine_now=machine_now)


def _one_batch(way: Way, report: RelayReport, *, now: datetime, machine_now: datetime) -> None:
    """Carry one batch, if anything is due."""
    leased = way.lease(now=now, machine_now=machine_now)
    if leased:
        way.record(leased, way.carry(leased), report, now=now, machine_now=machine_now)


def sweep_confirmations(
    *,
    transaction: Transaction,
    now: datetime,
    found: Callable[[Session, Overdue], None] = lambda _session, _overdue: None,
) -> tuple[Overdue, ...]:
    """Mark deliveries whose confirmation is overdue at business time `now`, and return them, each once.

    `found` opens what a person has to do, in the transaction that marks: nothing is sent again by itself.
    """
    with transaction() as session:
        late = tuple(overdue.overdue(session, now=now))
        for each in late:
            found(session, each)
    return late


def replay(
    delivery_id: str, *, transaction: Transaction, now: datetime, machine_now: datetime, by: str, dry_run: bool = False
) -> Replay:
    """Order a new attempt of one delivery, same key and same bytes; a dry run shows what would go and orders nothing.

    What is parked, or sent and overdue for confirmation, may be replayed. Ordered twice, it is made once: the second
    order returns the first.

    Raises:
        RejectedError: no such delivery, or its state forbids a replay (NOT_REPLAYABLE).
    """
    with transaction() as session:
        shown = replays.look(session, delivery_id)
        if dry_run:
            return shown
        return replays.order(session, shown, now=now, machine_now=machine_now, by=by)
