"""What a site file may say of its meter rollout: `[rollout]`, and each wave in `[rollout.waves.NAME]`."""

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from canonical.rollout import Origin, Shortfall
from flows.meter_rollout.policy import DAILY_KWH, SYSTEMS, System
from flows.meter_rollout.steps import BY_NAME
from services.rollout_waves_section import WaveSection

KEYS: dict[System, str] = {**{name: name for name in SYSTEMS}, "wams": "work_system"}
"""Key of the section that names the role of each system."""


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

    routes_ahead_days: int = Field(0, ge=0, le=31)
    """Local days before the read date of its cycle on which passes hand a manual route out; 0: a person does."""

    origins: dict[str, Origin] = Field(default_factory=dict)
    """Who begins a step, by its name (docs/flows/meter_rollout.md); the hub where it is not said (ruling 8)."""

    confirm_minutes: float = Field(60.0, gt=0)
    confirm_step_minutes: dict[str, float] = Field(default_factory=dict)
    await_origin_hours: float = Field(24.0, gt=0)
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


def keys_of(path: tuple[str, ...]) -> list[str]:
    """Return the keys that may stand in the section at `path`, for "did you mean"."""
    return list((WaveSection if path[1:2] == ("waves",) else RolloutSection).model_fields)
