"""What a site file may say of its meter rollout: `[rollout]`, and each wave in `[rollout.waves.NAME]`."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from canonical.rollout import Origin, Shortfall
from flows.meter_rollout.policy import DAILY_KWH, SYSTEMS, Policy, System
from flows.meter_rollout.steps import BY_NAME
from services.rollout_waves_section import WaveSection

if TYPE_CHECKING:
    from services.site_model import SiteModel

KEYS: dict[System, str] = {**{name: name for name in SYSTEMS}, "wams": "work_system"}
"""Key of the section that names the role of each system."""

TOLD_OF = frozenset({"installation", "meter", "usage_point"})
"""Kinds of masters that the steps of an exchange tell."""

Mistake = tuple[tuple[str, ...], str]


class RolloutSection(BaseModel):
    """Who is told of exchanges, who begins what, and how long is waited; durations in business time."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cis: str = ""
    """Role of each system, here and in the next five; one that is in `[lacks]` as `manual` is a person's work."""

    mdms: str = ""
    hes: str = ""
    oms: str = ""
    work_system: str = ""
    route_reader: str = ""
    inboxes: tuple[str, ...] = ()
    """Roles whose files (shipments, completions, manual reads) are taken in, in this order."""

    poll_seconds: float = Field(60.0, gt=0)
    """Seconds of machine time between two looks into their folders by `amihub serve`."""

    origins: dict[str, Origin] = Field(default_factory=dict)
    """Who begins a step, by its name (docs/flows/meter_rollout.md); the hub where it is not said (ruling 8)."""

    confirm_minutes: float = Field(60.0, gt=0)
    confirm_step_minutes: dict[str, float] = Field(default_factory=dict)
    await_origin_hours: float = Field(24.0, gt=0)
    on_refusal: Literal["person", "take_back"] = "person"
    verification_days: int = Field(3, ge=1, le=31)
    not_heard_hours: tuple[int, int] = (24, 72)
    search_attempts: int = Field(6, ge=1)
    search_interval_minutes: float = Field(240.0, gt=0)
    gps_meters: int = Field(150, ge=1)
    max_daily_kwh: dict[str, Decimal] = Field(default_factory=lambda: dict(DAILY_KWH))
    multiplier_policy: Literal["VALIDATE", "IGNORE", "APPLY"] = "VALIDATE"
    actions: dict[str, str] = Field(default_factory=dict)
    """What is done where a rule is broken, by its number (`EX05`), where it is not the usual."""

    billing_lock_days: int = Field(3, ge=0)
    release_after_days: int = Field(5, ge=0)
    approvals: frozenset[Literal["plan", "release"]] = frozenset()
    shortfall: Shortfall = "BILL_THROUGH"
    batch: int = Field(500, ge=1, le=5000)
    waves: dict[str, WaveSection] = Field(default_factory=dict)

    @field_validator("origins", "confirm_step_minutes")
    @classmethod
    def _steps_exist(cls, named: dict[str, object]) -> dict[str, object]:
        """Check that steps are named as the sequence names them."""
        for name in named:
            if name not in BY_NAME:
                raise ValueError(f"there is no step {name!r}; there are {', '.join(BY_NAME)}")
        return named

    def role(self, system: System) -> str:
        """Return the role that a system is at this site; empty where it names none."""
        return str(getattr(self, KEYS[system]))


def rollout_policy(model: "SiteModel") -> Policy:
    """Return how a site rolls out meters; whether systems can be asked only their ports know."""
    own = model.rollout or RolloutSection()
    named = {system: role for system in SYSTEMS if (role := own.role(system))}
    return Policy(
        zone=model.site.zone,
        roles={system: role for system, role in named.items() if role in model.roles},
        absent=frozenset(system for system, role in named.items() if model.lacks.get(role) == "absent"),
        manual=frozenset(system for system, role in named.items() if model.lacks.get(role) == "manual"),
        origins=own.origins,
        sources={origin: _callers(model, own.role(origin)) for origin in ("cis", "wams", "mdms")},
        confirm_within=timedelta(minutes=own.confirm_minutes),
        confirm_step_within={name: timedelta(minutes=one) for name, one in own.confirm_step_minutes.items()},
        await_origin=timedelta(hours=own.await_origin_hours),
        on_refusal=own.on_refusal,
        verification_days=own.verification_days,
        not_heard_hours=own.not_heard_hours,
        actions=own.actions,
        search_attempts=own.search_attempts,
        search_interval=timedelta(minutes=own.search_interval_minutes),
        gps_meters=own.gps_meters,
        max_daily_kwh=own.max_daily_kwh,
        multiplier_policy=own.multiplier_policy,
        billing_lock_days=own.billing_lock_days,
        release_after_days=own.release_after_days,
        approvals=frozenset(own.approvals),
        shortfall=own.shortfall,
        queue=model.work.owners.get("rollout", "rollout"),
        batch=own.batch,
    )


def _callers(model: "SiteModel", role: str) -> frozenset[str]:
    """Return the names by which a role is known in what it says: its own, and those of its callers."""
    clients = model.serve.clients if model.serve else {}
    return frozenset({role, *(name for name, client in clients.items() if client.role == role)} - {""})


def mistakes(model: "SiteModel") -> Iterator[Mistake]:
    """Yield what is wrong between `[rollout]` and the other sections although each has a right form."""
    own = model.rollout
    if own is None:
        return
    yield from _roles(model, own)
    for name, origin in own.origins.items():
        if origin != "hub" and not own.role(origin):
            yield ("rollout", "origins", name), f"{origin!r} begins it, but [rollout] names no role as {KEYS[origin]}"
    yield from _told_twice(model, own)
    from flows.meter_rollout.judging import BY_NUMBER  # heavy: DAG files read the site

    for number in own.actions:
        if number not in BY_NUMBER:
            yield ("rollout", "actions", number), f"there is no rule {number!r}"


def _roles(model: "SiteModel", own: RolloutSection) -> Iterator[Mistake]:
    """Yield roles that the site neither has nor lacks."""
    for system in SYSTEMS:
        role = own.role(system)
        if role and role not in model.roles and role not in model.lacks:
            yield ("rollout", KEYS[system]), f"there is no role {role!r}, neither in [roles] nor in [lacks]"
    for role in own.inboxes:
        if role not in model.roles:
            yield ("rollout", "inboxes"), f"there is no role {role!r}"


def _told_twice(model: "SiteModel", own: RolloutSection) -> Iterator[Mistake]:
    """Yield subscribers that the steps of an exchange tell already."""
    told = {own.role(system): KEYS[system] for system in SYSTEMS if system != "route_reader"}
    for name, subscriber in model.subscribers.items():
        shared = sorted(TOLD_OF & set(subscriber.kinds or TOLD_OF))
        if subscriber.role in told and shared:
            said = f"[rollout] {told[subscriber.role]} tells {subscriber.role!r} of {', '.join(shared)} already"
            yield ("subscribers", name, "role"), f"{said}: it would be told twice"


def keys_of(path: tuple[str, ...]) -> list[str]:
    """Return the keys that may stand in the section at `path`, for "did you mean"."""
    return list((WaveSection if path[1:2] == ("waves",) else RolloutSection).model_fields)
