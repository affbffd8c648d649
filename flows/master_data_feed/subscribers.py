"""Who is told of changes of masters by cursor, of what, how and how often: what the site file says of subscribers."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from canonical.granularity import SECOND, Grain
from canonical.holdings import FIELDS

Mode = Literal["realtime", "batch"]


@dataclass(frozen=True, slots=True)
class Subscriber:
    """One subscriber."""

    name: str
    role: str
    kinds: frozenset[str] = field(default_factory=lambda: frozenset(FIELDS))
    """What it is told of (`canonical.holdings.Kind`)."""

    fields: frozenset[str] = frozenset()
    """Fields whose changes are news to it; empty: all. What begins or ends is always news."""

    mode: Mode = "realtime"
    """`realtime`: a message for each thing, at the next pass. `batch`: a file of changes for each interval."""

    interval: timedelta = timedelta(minutes=15)
    """Between two files of `batch`, in business time."""

    begins_full: bool = False
    """Whether it is told first all that the hub holds, by file; otherwise it begins at the end of the log."""

    grain: Grain = SECOND
    """How finely it keeps time: what it is told is cut to that."""

    limit: int = 1000
    """Lines of the log that one telling goes through; what is left is read next."""

    confirm_within: timedelta = timedelta(hours=24)
    """Business time until which a file must be acknowledged."""
