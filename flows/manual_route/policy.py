"""What a site decides of manual routes: who reads, what is plausible, whose work it is when a read comes too late."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class RoutePolicy:
    """How one site has meters read by people."""

    role: str
    """Role of the route reader."""

    zone: str = "UTC"
    """IANA zone whose local days routes are of."""

    max_daily_kwh: Mapping[str, Decimal] = field(default_factory=dict)
    """Highest plausible energy of a day by customer class, multiplier applied; the empty class means any other. Of a
    class of which nothing is said nobody can say what is plausible."""

    raw_sources: frozenset[str] = frozenset()
    """Feeds whose reads stand as the meter shows them: only those tell what a reader will see."""

    ahead_days: int = 0
    """Local days before the read date of its cycle on which a pass hands a route out by itself; 0: a person does."""

    queue: str = "rollout"
    """Owner of the work that routes make."""
