"""One billing interface as the flow sees it, the words for the states of its items, and what each step reports."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from canonical.metering import MultiplierState
from flows.billing_exchange.policy import Policy


@dataclass(frozen=True, slots=True)
class Interface:
    """A billing interface of the site: `[billing.<name>]` with what it needs of `[site]`, `[roles]` and `[work]`."""

    name: str
    policy: Policy
    sender: str
    """How partners know this hub."""

    env: str
    """`TEST` or `PROD`; stands in file names."""

    multipliers: Mapping[str, MultiplierState] = field(default_factory=dict)
    """Whether the values of each source carry the multiplier already; the empty name stands for all unnamed ones."""

    owners: Mapping[str, str] = field(default_factory=dict)
    """Owner queue by area (`billing`, `metering`, `integration`)."""

    sync_wait: timedelta = timedelta(0)
    """How long an item of an unknown usage point waits for reference data; zero: it is rejected at intake."""

    roles: frozenset[str] = frozenset()
    """Roles that the site has; a ladder step of another role is noted as `role absent` and asked of the MDMS."""

    timeout_s: float = 120.0
    """Patience with one question to the meter data system."""

    def queue(self, area: str) -> str:
        """Return the owner queue of an area."""
        return self.owners.get(area, area)


class State(StrEnum):
    """States of a billing item (domain 4.2)."""

    ACCEPTED = "ACCEPTED"
    AWAITING_SYNC = "AWAITING_SYNC"
    COLLECTING = "COLLECTING"
    REREAD = "REREAD"
    ESTIMATE_PENDING = "ESTIMATE_PENDING"
    READY = "READY"
    ESTIMATED = "ESTIMATED"
    VALIDATED = "VALIDATED"
    HELD = "HELD"
    EXPIRED = "EXPIRED"
    """The window closed without a figure: answered NO_READ."""
    BATCHED = "BATCHED"
    SENT = "SENT"
    ACKED = "ACKED"
    NACKED = "NACKED"
    REWORK = "REWORK"
    BILLED = "BILLED"
    CORRECTION_NOTICE = "CORRECTION_NOTICE"
    REBILL_REQUESTED = "REBILL_REQUESTED"
    CANCELLED = "CANCELLED"


COLLECTING = (State.ACCEPTED, State.COLLECTING, State.REREAD, State.ESTIMATE_PENDING)
"""States in which the hub still waits for readings."""

BEFORE_SENT = (
    *COLLECTING,
    State.AWAITING_SYNC,
    State.READY,
    State.ESTIMATED,
    State.VALIDATED,
    State.HELD,
    State.EXPIRED,
)
"""States in which an item may still be withdrawn."""


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What one pass took in."""

    files: int = 0
    refused_files: int = 0
    items: int = 0
    """Lines of request files."""
    accepted: int = 0
    rejected: int = 0
    duplicates: int = 0
    cancelled: int = 0
    reference_rows: int = 0
    readings: int = 0
    acknowledgements: int = 0
    billed: int = 0
    problems: tuple[str, ...] = ()
    """Inboxes that were away, files that wait and why."""


@dataclass(frozen=True, slots=True)
class Advanced:
    """What became of one batch of items."""

    batch: str
    items: int = 0
    ready: int = 0
    estimated: int = 0
    held: int = 0
    expired: int = 0
    waiting: int = 0
    """Items that stay due at a later step."""
    kwh: str = "0"
    """Total of what became ready, exact."""
    problem: str = ""
    """Why the batch was put off, when the meter data system was away."""


@dataclass(frozen=True, slots=True)
class HandedOn:
    """What one pass handed on."""

    parts: tuple[str, ...] = ()
    """File names, in order of sequence."""
    items: int = 0
    kwh: str = "0"
    corrections: int = 0
    notices: int = 0
    """Bills that the MDMS was told of."""
    closed_runs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the interface stands after a pass."""

    interface: str
    ok: bool
    """False when a business deadline was crossed or a run does not balance."""
    failures: tuple[str, ...]
    """Each in one sentence: what failed, and for which run."""
    open_runs: int
    unanswered: int
    """Accepted items of open runs that have no answer yet."""
    at_risk_kwh: str
    """Energy of the unanswered and held items, by their last bill."""
    control_totals: Mapping[str, str] = field(default_factory=dict)
    """Counts and quantities at every hop over the runs looked at."""
    next_due: str = ""
    """When the interface next has something due (ISO, UTC), or empty."""
