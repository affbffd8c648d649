"""What a site file may say of one wave of its meter rollout: `[rollout.waves.NAME]`."""

from datetime import date, time
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from canonical.reading_types import Commodity
from canonical.rollout import Shortfall
from flows.meter_rollout.rules import Hardware, WaveRules

WEEK = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
Weekday = Literal["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]


class HardwareSection(BaseModel):
    """The meter that is hung at usage points of a kind; a key that is not said means any."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(min_length=1)
    customer_class: str = ""
    commodity: Commodity | Literal[""] = ""
    configuration: str = ""


class WaveSection(BaseModel):
    """Rules of one wave; a list that is not said chooses everything."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first_day: date
    last_day: date
    capacity_per_day: int = Field(ge=1)
    districts: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    cycles: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    """Models of the meters that go."""

    customer_classes: tuple[str, ...] = ()
    commodities: tuple[Commodity, ...] = ()
    include: tuple[str, ...] = ()
    """Usage points (mRID or name) that are in whatever the lists above say."""

    exclude: dict[str, str] = Field(default_factory=dict)
    """Usage points (mRID or name) that are out, and why: opt-out, court order."""

    net_metering: bool = True
    special_needs: bool = False
    first_installations: bool = False
    working_days: tuple[Weekday, ...] = ("MON", "TUE", "WED", "THU", "FRI")
    holidays: tuple[date, ...] = ()
    window: tuple[time, time] = (time(8), time(17))
    """Local hours of a visit."""

    clear_before_days: int = Field(3, ge=0, le=31)
    """Working days before its read date from which a usage point is left alone."""

    clear_after_days: int = Field(5, ge=0, le=60)
    """Days after its read date until which it is."""

    clear_moves_days: int = Field(1, ge=0, le=31)
    hardware: tuple[HardwareSection, ...] = ()
    stock: Literal["must", "warn", "ignore"] = "warn"
    contractor: str = ""
    work_system: str = ""
    """Role that is told of the orders, where it is not the site's work system."""

    orders_per_message: int = Field(1, ge=1, le=10_000)
    attempts: int = Field(3, ge=1)
    retry_after_days: int = Field(3, ge=1)
    approvals: tuple[Literal["plan", "release"], ...] = ()
    release_ahead_days: int = Field(0, ge=0, le=31)
    shortfall: Shortfall = "BILL_THROUGH"

    @field_validator("exclude")
    @classmethod
    def _reasons_are_given(cls, exclude: dict[str, str]) -> dict[str, str]:
        """Check that each exclusion says why."""
        silent = sorted(name for name, why in exclude.items() if not why.strip())
        if silent:
            raise ValueError(f"{silent[0]!r} is excluded without a reason")
        return exclude

    @model_validator(mode="after")
    def _days_follow(self) -> "WaveSection":
        """Check that the wave has days, and no usage point is both in and out by name."""
        if self.last_day < self.first_day:
            raise ValueError(f"last_day {self.last_day} is before first_day {self.first_day}")
        if self.window[1] <= self.window[0]:
            raise ValueError("window ends before it begins")
        both = sorted(set(self.include) & set(self.exclude))
        if both:
            raise ValueError(f"{both[0]!r} stands in include and in exclude")
        if not self.working_days:
            raise ValueError("working_days is empty: nobody would ever work")
        return self


def rules_of(name: str, section: WaveSection, *, zone: str) -> WaveRules:
    """Return the rule set of a wave; its days are those of `zone`."""
    plain = (
        *("first_day", "last_day", "capacity_per_day", "net_metering", "special_needs", "first_installations"),
        *("window", "clear_before_days", "clear_after_days", "clear_moves_days", "stock", "contractor"),
        *("work_system", "orders_per_message", "attempts", "retry_after_days", "release_ahead_days", "shortfall"),
    )
    sets = (
        *("districts", "routes", "cycles", "models", "customer_classes", "commodities", "include", "holidays"),
        "approvals",
    )
    given: dict[str, Any] = {key: getattr(section, key) for key in plain}
    given |= {key: frozenset(getattr(section, key)) for key in sets}
    given["working_days"] = frozenset(WEEK.index(day) for day in section.working_days)
    given["hardware"] = tuple(Hardware(**one.model_dump()) for one in section.hardware)
    return WaveRules(wave=name, zone=zone, exclude=dict(section.exclude), **given)


def keys_of(path: tuple[str, ...]) -> list[str]:
    """Return the keys that may stand below `rollout.waves`, for "did you mean"; `path` is that below it."""
    return list((HardwareSection if path[1:2] == ("hardware",) else WaveSection).model_fields)
