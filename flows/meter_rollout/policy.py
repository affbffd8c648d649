"""What a site decides about its meter rollout: who is told, who begins what, how long is waited, what is plausible."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from canonical.metering import MultiplierState
from canonical.rollout import Origin, Shortfall

System = Literal["cis", "mdms", "hes", "oms", "wams", "route_reader"]
"""Kinds of systems that an exchange reaches."""

SYSTEMS: tuple[System, ...] = ("cis", "mdms", "hes", "oms", "wams", "route_reader")

DAILY_KWH: Mapping[str, Decimal] = {"RESIDENTIAL": Decimal(300), "COMMERCIAL": Decimal(5000), "": Decimal(20000)}
"""Highest plausible delivered energy of one day, kWh with multiplier, by customer class; empty: others."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How one site rolls out meters; durations are business time."""

    zone: str = "UTC"
    """IANA zone of a usage point whose own is not known."""

    roles: Mapping[str, str] = field(default_factory=dict)
    """Role of the site by `System`; a system without one is not told of anything."""

    absent: frozenset[str] = frozenset()
    """Systems that the site lacks for good (ruling 8): their steps are not needed."""

    manual: frozenset[str] = frozenset()
    """Systems in whose place a person does it and confirms (ruling 8)."""

    origins: Mapping[str, Origin] = field(default_factory=dict)
    """Who begins a step, by its name; the hub where it is not named."""

    sources: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Callers and roles by which each origin but the hub is known in what it says."""

    askable: frozenset[str] = frozenset()
    """Systems that can be asked for what they hold (`canonical.ports.HoldsMasterData`)."""

    several: Mapping[str, int] = field(default_factory=dict)
    """How many steps a role is told in one message, where that is more than one (`canonical.ports.TakesSeveral`)."""

    confirm_within: timedelta = timedelta(hours=1)
    """Until when a system has to answer what it is told (domain 1.3)."""

    confirm_step_within: Mapping[str, timedelta] = field(default_factory=dict)
    """The same for single steps, by name."""

    await_origin: timedelta = timedelta(hours=24)
    """Until when another origin has to begin its step; then a person asks for it."""

    verification_days: int = 3
    """Local days from the installation on whose reads are looked at."""

    not_heard_hours: tuple[int, int] = (24, 72)
    """After how long a meter that is not heard is work (EX15), and is told of once more."""

    heard_lookback: timedelta = timedelta(days=3)
    """How far back events and readings of meters that nobody installed are looked for (EX16)."""

    actions: Mapping[str, str] = field(default_factory=dict)
    """What is done where a rule of domain 2.4 is broken, by its number, where the site chose something else."""

    search_attempts: int = 6
    """How often an unknown meter is looked for (EX02)."""

    search_interval: timedelta = timedelta(hours=4)
    gps_meters: int = 150
    """Distance between a usage point and its crew above which they do not fit (EX05)."""

    max_daily_kwh: Mapping[str, Decimal] = field(default_factory=lambda: DAILY_KWH)
    """Highest plausible energy of a day by customer class (EX08); the empty class means any other."""

    multipliers: Mapping[str, MultiplierState] = field(default_factory=dict)
    """Whether the values of each source of readings carry the multiplier already (EX08); the empty name stands for all
    unnamed ones."""

    multiplier_policy: Literal["VALIDATE", "IGNORE", "APPLY"] = "VALIDATE"
    """What is done where multipliers differ (EX06)."""

    billing_lock_days: int = 3
    """Working days before the read date from which a usage point is being billed (EX11)."""

    release_after_days: int = 5
    """Days after which what waits for a bill is a person's decision (ruling 9)."""

    approvals: frozenset[str] = frozenset()
    """What needs a person before it happens: `release` of a wave's days."""

    shortfall: Shortfall = "BILL_THROUGH"
    suppress_before: timedelta = timedelta(minutes=30)
    """How long before the removal outage events of the usage point are planned work (domain 2.5)."""

    suppress_after: timedelta = timedelta(hours=2)
    """How long after the new meter was heard they still are."""

    queue: str = "rollout"
    """Owner of the work that the rollout makes."""

    batch: int = 500
    """Orders or completions of one transaction."""

    ask_timeout_s: float = 60.0
    """Patience with one question to a system, machine time."""

    def origin_of(self, step: str) -> Origin:
        """Return who begins a step."""
        return self.origins.get(step, "hub")

    def confirm_time(self, step: str) -> timedelta:
        """Return how long the confirmation of a step may take."""
        return self.confirm_step_within.get(step, self.confirm_within)
