"""What a site file may say of masters that come as files: `[masters]`, with how a first-time load is worked."""

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from canonical.granularity import Granularity


class MastersSection(BaseModel):
    """Masters as files: which roles' are taken in, and how the first of them are loaded."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    inboxes: tuple[str, ...] = ()
    """Roles whose files of masters are taken in, in this order."""

    poll_seconds: float = Field(60.0, gt=0)
    """Seconds of machine time between two looks into their folders by `amihub serve`."""

    chunk_size: int = Field(5000, ge=1, le=30_000)
    """Items that are taken in one transaction."""

    error_percent: Decimal = Field(Decimal(2), ge=0, le=100)
    """Share of errors above which a first-time load pauses for a person."""

    history: Literal["current", "since last bill read", "full"] = "since last bill read"
    history_months: int = Field(13, ge=0)
    """With `since last bill read`: at least so many months, and never less than a bill may reach back."""

    granularity: dict[str, Granularity] = Field(default_factory=dict)
    """How finely roles keep time (ruling 7); to the second where none is said."""

    day_belongs_to_old: tuple[str, ...] = ()
    """Roles that keep days and give the day of a change to what ends."""

    records: dict[str, str] | None = None
    """Master of each field: a role or a kind of system by kind or `kind.field`. The table being there puts the usual
    masters in force too; without it anybody may state anything."""

    systems: dict[str, Literal["cis", "mdms", "wams", "hes", "oms", "gis", "hub"]] = Field(default_factory=dict)
    """What kind of system roles and callers are whose own kind does not say it."""

    max_backdate_days: int = Field(60, ge=0)
    """How far back a change of what is long known, or billed, may take effect without approval; 0: any."""


def keys_of(path: tuple[str, ...]) -> list[str]:
    """Return the keys that may stand in the section at `path`, for "did you mean"."""
    return list(MastersSection.model_fields) if len(path) == 1 else []
