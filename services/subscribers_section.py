"""What a site file may say of subscribers: `[subscribers.NAME]`, who is told of changes of masters by cursor."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from canonical.granularity import DayBelongsTo, Granularity
from canonical.holdings import Kind


class SubscriberSection(BaseModel):
    """One subscriber of masters."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: str
    """Role that is told."""

    kinds: tuple[Kind, ...] = ()
    """What it is told of; empty: everything that its mode can tell."""

    fields: tuple[str, ...] = ()
    """Fields whose changes are news to it; empty: all. What begins or ends is always news."""

    mode: Literal["realtime", "batch"] = "realtime"
    """A message for each thing at the next pass, or a file of changes for each interval."""

    interval_minutes: float = Field(15.0, gt=0)
    """With `batch`: between two files, in business time."""

    begin: Literal["now", "full"] = "now"
    """Whether it begins with what changes from now on, or with a file of all that the hub holds (`batch`)."""

    granularity: Granularity | None = None
    """How finely it keeps time; as [masters] says of its role where it is not given."""

    day_belongs_to: DayBelongsTo = "new"
    """With days: whether the day of a change belongs to what begins or to what ends."""

    limit: int = Field(1000, ge=1, le=30_000)
    """Lines of the change log that one message run, or one file, goes through."""

    confirm_hours: float = Field(24.0, gt=0)
    """Business time until which a file must be acknowledged."""


def keys_of(path: tuple[str, ...]) -> list[str]:
    """Return the keys that may stand in the section at `path`, for "did you mean"."""
    return list(SubscriberSection.model_fields) if len(path) == 2 else []
