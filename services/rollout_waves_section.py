"""What a site file may say of one wave: `[rollout.waves.NAME]`, as `flows.meter_rollout.rules.WaveRules` means it."""

from datetime import date, time
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from canonical.rollout import Shortfall

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class HardwareSection(BaseModel):
    """The meter that is hung at some customers; a key that is not given means any."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    customer_class: str = ""
    commodity: str = ""
    configuration: str = ""


class WaveSection(BaseModel):
    """One wave; lists that are empty choose whatever there is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first_day: date
    last_day: date
    capacity_per_day: int = Field(ge=1)
    zone: str = ""
    """IANA zone of its days; the site's where it is not said."""

    districts: frozenset[str] = frozenset()
    routes: frozenset[str] = frozenset()
    cycles: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()
    customer_classes: frozenset[str] = frozenset()
    commodities: frozenset[str] = frozenset()
    include: frozenset[str] = frozenset()
    exclude: dict[str, str] = Field(default_factory=dict)
    """Usage points that are out, and why."""

    net_metering: bool = True
    special_needs: bool = False
    first_installations: bool = False
    working_days: tuple[Weekday, ...] = WEEKDAYS[:5]
    holidays: frozenset[date] = frozenset()
    window: tuple[time, time] = (time(8), time(17))
    clear_before_days: int = Field(3, ge=0)
    clear_after_days: int = Field(5, ge=0)
    clear_moves_days: int = Field(1, ge=0)
    hardware: tuple[HardwareSection, ...] = ()
    stock: Literal["must", "warn", "ignore"] = "warn"
    contractor: str = ""
    work_system: str = ""
    """Role that is told of its orders; that of `[rollout]` where it is not said."""

    orders_per_message: int = Field(1, ge=1)
    attempts: int = Field(3, ge=1)
    retry_after_days: int = Field(3, ge=0)
    approvals: frozenset[Literal["plan", "release"]] | None = None
    """What a person decides; as `[rollout]` says where it is not given."""

    release_ahead_days: int = Field(0, ge=0)
    shortfall: Shortfall | None = None

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, zone: str) -> str:
        """Check that there is such a zone."""
        try:
            return zone and ZoneInfo(zone).key
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"no such IANA time zone: {zone!r}") from error

    @model_validator(mode="after")
    def _days_follow(self) -> "WaveSection":
        """Check that the wave does not end before it begins."""
        if self.last_day < self.first_day:
            raise ValueError(f"last_day {self.last_day} is before first_day {self.first_day}")
        if self.window[1] <= self.window[0]:
            raise ValueError("window ends before it begins")
        if not self.working_days:
            raise ValueError("working_days is empty: nobody would ever come")
        return self

    @model_validator(mode="after")
    def _names_are_clear(self) -> "WaveSection":
        """Check that nobody is both in and out by name, and that each exclusion says why."""
        both = sorted(self.include & set(self.exclude))
        if both:
            raise ValueError(f"{both[0]!r} stands in include and in exclude")
        silent = sorted(name for name, why in self.exclude.items() if not why.strip())
        if silent:
            raise ValueError(f"{silent[0]!r} is excluded without a reason")
        return self
