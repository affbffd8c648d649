"""What a site allows of master data that others tell: how long a thing waits, and who may begin what."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from canonical.granularity import Grain
from flows.master_data_sync.records import Records

Origin = Literal["hub", "cis", "wams", "mdms"]
"""Which system begins messages of a kind (ruling 8)."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How master data is taken at this site."""

    search_interval: timedelta = timedelta(hours=4)
    """Between two looks for an object that is not there yet, in business time (domain 1.3)."""

    search_attempts: int = 6
    """Looks before it becomes work for a person."""

    zone: str = "UTC"
    """IANA zone of usage points whose master does not state one."""

    origins: Mapping[str, Origin] = field(default_factory=dict)
    """Who begins `link` and `exchange` messages; anybody where it is not given."""

    kinds: Mapping[str, Origin] = field(default_factory=dict)
    """What kind of system each caller is."""

    records: Records = field(default_factory=Records)
    """Who is the master of which field."""

    grains: Mapping[str, Grain] = field(default_factory=dict)
    """How finely callers and roles keep time; to the second where it is not said."""

    max_backdate: timedelta | None = None
    """How far back a change may take effect, of what is long known or billed, without approval; None: any."""

    queue: str = "integration"
    """Owner of the work that master data makes."""
