"""`[roles.NAME]` of the site file: one outside system, how it is spoken to and how its feed is to be read."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from canonical.metering import MultiplierState

RoleKind = Literal[
    "customer_system",
    "meter_data_system",
    "meter_data_files",
    "head_end",
    "work_system",
    "outage_system",
    "route_reader",
    "partner",
]


class DeliverySection(BaseModel):
    """How deliveries to one role are paced and retried; every duration is in seconds of machine time."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    batch: int = Field(20, ge=1, le=1000)
    in_flight: int = Field(100, ge=1)
    per_minute: int = Field(0, ge=0)
    timeout_seconds: float = Field(30.0, gt=0)
    lease_seconds: float = Field(900.0, gt=0)
    backoff_seconds: float = Field(30.0, gt=0)
    backoff_cap_seconds: float = Field(900.0, gt=0)
    attempts: int = Field(14, ge=1)
    """Failures after which a delivery is parked; with these waits it outlives an hour without its destination."""

    breaker_failures: int = Field(5, ge=1)
    breaker_open_seconds: float = Field(60.0, gt=0)

    @model_validator(mode="after")
    def _durations_fit(self) -> "DeliverySection":
        """Check that a lease outlives its batch, and that the first wait is not above the longest."""
        longest = self.batch * self.timeout_seconds
        if self.lease_seconds <= longest:
            raise ValueError(
                f"lease_seconds {self.lease_seconds:g} must be longer than batch x timeout_seconds = {longest:g}:"
                " another relay would take over what this one still carries"
            )
        if self.backoff_seconds > self.backoff_cap_seconds:
            raise ValueError("backoff_seconds is above backoff_cap_seconds")
        return self


class RoleSection(BaseModel):
    """One outside system: which adapter speaks to it, and how its feed is to be read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    adapter: str
    kind: RoleKind
    clock: Literal["ALWAYS_STANDARD", "ALWAYS_LEGAL", "UTC", "OFFSET_IN_MESSAGE"]
    multiplier: MultiplierState
    """How its readings are stated; all of them, whoever they are of (invariant I3)."""

    stable_seconds: float = Field(60.0, ge=0)
    """A file without control file is taken after two looks this far apart show the same size."""

    delivery: DeliverySection = DeliverySection()
    settings: dict[str, Any] = Field(default_factory=dict)

    @property
    def feed(self) -> str:
        """Name under which its adapter keeps readings that it was told or asked: the one set, or the adapter's own."""
        return str(self.settings.get("source") or self.adapter.removesuffix("_cim"))
