"""The way to one destination: a batch is leased, carried, and what came of it is recorded, in three short steps."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from canonical.errors import MisconfiguredError, RejectedError, UnavailableError
from canonical.messages import Outcome, Parcel
from canonical.ports import Destination
from store import delivery_outcomes, dispatch, endpoints
from store.dispatch import Leased
from store.session import Session, Transaction


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


@dataclass(frozen=True, slots=True)
class Way:
    """The way to one destination, and what carrying on it needs."""

    destination: str
    port: Destination
    policy: DeliveryPolicy
    transaction: Transaction
    spool: Path

    def lease(self, *, now: datetime, machine_now: datetime, ahead: bool = False) -> Sequence[Leased]:
        """Return a batch that nobody else may carry; one that is leased `ahead` waits while another is carried."""
        own = self.policy
        lease_s = own.lease_s * (2 if ahead else 1)
        limits = dispatch.Limits(own.batch, own.in_flight, own.per_minute, lease_s)
        with self.transaction() as session:
            return dispatch.lease(session, self.destination, now=now, machine_now=machine_now, limits=limits)

    def carry(self, leased: Sequence[Leased]) -> Sequence[Outcome] | MisconfiguredError:
        """Return one outcome for each of a batch, or why the hub cannot carry as it is set up."""
        parcels = [each.parcel for each in leased]
        try:
            return _carry(self.port, parcels, spool=self.spool, timeout_s=self.policy.timeout_s)
        except MisconfiguredError as error:
            return error

    def record(
        self,
        leased: Sequence[Leased],
        found: Sequence[Outcome] | MisconfiguredError,
        report: RelayReport,
        *,
        now: datetime,
        machine_now: datetime,
    ) -> None:
        """Write what became of a batch, and add it to the report."""
        report.carried += len(leased)
        with self.transaction() as session:
            if isinstance(found, MisconfiguredError):
                _postpone(session, self.destination, leased, found, machine_now=machine_now, policy=self.policy)
                report.misconfigured.append(f"{self.destination}: {found}")
                report.postponed += len(leased)
                return
            states = _record(
                session, self.destination, leased, found, now=now, machine_now=machine_now, policy=self.policy
            )
        _count(report, states)


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
) -> Counter[str]:
    """Write the outcomes of a batch and return how many deliveries are in which state now."""

    def retry_at(held: Leased) -> datetime:
        return machine_now + timedelta(seconds=policy.wait_s(held.delivery_id, held.failures + 1))

    states = delivery_outcomes.record(session, leased, outcomes, now=now, patience=policy.attempts, retry_at=retry_at)
    away = [outcome for outcome in outcomes if outcome.state == "unavailable"]
    if len(away) < len(outcomes):
        endpoints.note_answer(session, destination)
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
    endpoints.note_absence(
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


def _count(report: RelayReport, states: Counter[str]) -> None:
    """Add the deliveries' new states to the report."""
    report.sent += states["sent"]
    report.confirmed += states["confirmed"]
    report.postponed += states["pending"]
    report.parked += states.total() - states["sent"] - states["confirmed"] - states["pending"]
