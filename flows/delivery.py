"""The one way out: carry what is due, record what came of it, watch for confirmations, replay one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from canonical.errors import MisconfiguredError, RejectedError, UnavailableError
from canonical.messages import Outcome, Parcel
from canonical.ports import Destination
from store import delivery_outcomes, dispatch, overdue, replays
from store.delivery_outcomes import End
from store.dispatch import Leased
from store.overdue import Overdue
from store.replays import Replay
from store.session import Session, Transaction

__all__ = ["DeliveryPolicy", "Overdue", "RelayReport", "Replay", "relay_once", "replay", "sweep_confirmations"]


@dataclass(frozen=True, slots=True)
class DeliveryPolicy:
    """How one destination is served; all durations are seconds of machine time."""

    batch: int = 20
    """Deliveries in one call of the port."""

    in_flight: int = 100
    """Deliveries under way at once, over all relays."""

    per_minute: int = 0
    """Deliveries begun in one minute; 0 for any number."""

    timeout_s: float = 30.0
    """How long one parcel may take."""

    lease_s: float = 900.0
    """How long a relay may hold its batch before another takes it over; more than `batch` timeouts."""

    base_s: float = 30.0
    """Wait after the first failure; it doubles with each further one."""

    cap_s: float = 900.0
    attempts: int = 8
    """Failures after which a delivery is parked."""

    breaker_failures: int = 5
    """Failures in a row after which the destination is left alone for a while."""

    breaker_open_s: float = 60.0
    """How long at first; it doubles each time it opens again, up to `cap_s`."""

    def __post_init__(self) -> None:
        """Check that a lease outlives its batch.

        Raises:
            ValueError: a relay could lose its lease while the port is still within its timeouts.
        """
        if self.lease_s <= self.batch * self.timeout_s:
            raise ValueError("lease_s must be longer than batch x timeout_s")

    def wait_s(self, delivery_id: str, failures: int) -> float:
        """Return how long to wait after that many failures: between half the step and the step, by the delivery's id.

        The spread keeps deliveries that failed together from coming back together; the same delivery always waits
        the same.
        """
        step = min(self.cap_s, self.base_s * 2.0 ** min(failures - 1, 30))
        seed = sha256(f"{delivery_id} {failures}".encode()).digest()
        return step * (0.5 + int.from_bytes(seed[:4]) / 2**33)


DEFAULT = DeliveryPolicy()


@dataclass(slots=True)
class RelayReport:
    """What one pass of the relay did: every carried delivery is in exactly one of the other counts."""

    carried: int = 0
    sent: int = 0
    confirmed: int = 0
    parked: int = 0
    postponed: int = 0
    """Tried again later."""

    misconfigured: list[str] = field(default_factory=list)
    """Destinations that the hub cannot serve as it is set up, with the reason: call a person."""

    unserved: list[str] = field(default_factory=list)
    """Destinations for which something is due, but of which this relay was given no port."""


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
    with transaction() as session:
        waiting = dispatch.destinations_waiting(session, machine_now=machine_now)
    report = RelayReport(unserved=sorted(waiting - set(ports)))
    for destination, port in ports.items():
        if destination not in waiting:
            continue
        policy = (policies or {}).get(destination, DEFAULT)
        with transaction() as session:
            limits = dispatch.Limits(policy.batch, policy.in_flight, policy.per_minute, policy.lease_s)
            leased = dispatch.lease(session, destination, now=now, machine_now=machine_now, limits=limits)
        if not leased:
            continue
        report.carried += len(leased)
        try:
            outcomes = _carry(port, [each.parcel for each in leased], spool=spool, timeout_s=policy.timeout_s)
        except MisconfiguredError as error:
            report.misconfigured.append(f"{destination}: {error}")
            report.postponed += len(leased)
            with transaction() as session:
                _postpone(session, destination, leased, error, machine_now=machine_now, policy=policy)
            continue
        with transaction() as session:
            states = _record(session, destination, leased, outcomes, now=now, machine_now=machine_now, policy=policy)
        _count(report, states)
    return report


def _carry(port: Destination, parcels: Sequence[Parcel], *, spool: Path, timeout_s: float) -> Sequence[Outcome]:
    """Return one outcome for each parcel; what the port raises becomes the outcome of the parcels it concerns."""
    try:
        return port.carry(parcels, spool=spool, timeout_s=timeout_s)
    except UnavailableError as error:
        return [Outcome("unavailable", str(error.code), error.reason)] * len(parcels)
    except RejectedError as error:
        if len(parcels) == 1:
            return [Outcome("rejected", str(error.code), str(error))]
        # The port did not say which parcel it means: each goes by itself, and what went already is not sent twice.
        return [_carry(port, [parcel], spool=spool, timeout_s=timeout_s)[0] for parcel in parcels]


def _record(
    session: Session,
    destination: str,
    leased: Sequence[Leased],
    outcomes: Sequence[Outcome],
    *,
    now: datetime,
    machine_now: datetime,
    policy: DeliveryPolicy,
) -> list[str]:
    """Write the outcomes of a batch and return the deliveries' new states."""
    ends = [
        End(each, outcome, machine_now + timedelta(seconds=policy.wait_s(each.delivery_id, each.failures + 1)))
        for each, outcome in zip(leased, outcomes, strict=True)
    ]
    states = delivery_outcomes.record(session, ends, now=now, attempts=policy.attempts)
    away = [outcome for outcome in outcomes if outcome.state == "unavailable"]
    if len(away) < len(outcomes):
        dispatch.note_answer(session, destination)
    else:
        _open_breaker(session, destination, away[-1].reason, machine_now=machine_now, policy=policy)
    return states


def _open_breaker(
    session: Session,
    destination: str,
    reason: str,
    *,
    machine_now: datetime,
    policy: DeliveryPolicy,
    at_once: bool = False,
) -> None:
    """Count a failure of a destination, which may open its breaker."""
    dispatch.note_absence(
        session,
        destination,
        machine_now=machine_now,
        threshold=1 if at_once else policy.breaker_failures,
        open_s=policy.cap_s if at_once else policy.breaker_open_s,
        cap_s=policy.cap_s,
        reason=reason,
    )


def _postpone(
    session: Session,
    destination: str,
    leased: Sequence[Leased],
    error: MisconfiguredError,
    *,
    machine_now: datetime,
    policy: DeliveryPolicy,
) -> None:
    """Give a batch back that the hub cannot carry as it is set up, and leave the destination alone for a while."""
    retry_at = machine_now + timedelta(seconds=policy.cap_s)
    delivery_outcomes.postpone(session, leased, code=str(error.code), reason=error.reason, retry_at=retry_at)
    _open_breaker(session, destination, str(error), machine_now=machine_now, policy=policy, at_once=True)


def _count(report: RelayReport, states: Sequence[str]) -> None:
    """Add the deliveries' new states to the report."""
    for state in states:
        if state == "sent":
            report.sent += 1
        elif state == "confirmed":
            report.confirmed += 1
        elif state == "pending":
            report.postponed += 1
        else:
            report.parked += 1


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
