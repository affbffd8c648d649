"""What one item of a first-time load states, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from canonical.customers import CustomerAgreement
from canonical.granularity import SECOND, Grain
from canonical.holdings import FIELDS, Holding, Kind
from canonical.master_data import Customer, CustomerAccount, Meter, ServiceLocation
from canonical.metering import TopologyLink, UsagePoint
from flows.master_data_sync.masters import MASTERS, Master

Disposition = Literal["APPLIED", "DUPLICATE", "SUPERSEDED", "WAITING", "REJECTED", "EXCEPTION", "BEFORE_HISTORY"]
"""WAITING: for its parents, until the end of the run. BEFORE_HISTORY: it was over before the depth of history."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One holding of a file, or one that waited."""

    holding: Holding
    line: int
    role: str
    """Whose file it is in."""

    watermark: datetime
    """Up to which every change of that role is in the file."""

    grain: Grain = SECOND
    """How finely that role keeps time."""

    @property
    def parents(self) -> tuple[tuple[Kind, str], ...]:
        """Return kind and id of what has to be there first."""
        holding = self.holding
        if holding.kind == "topology":
            return (("usage_point", holding.object_id),)
        facts = holding.facts
        return tuple((kind, facts[kind]) for kind in _PARENTS.get(holding.kind, ()) if facts.get(kind))


@dataclass(frozen=True, slots=True)
class Became:
    """How an item ended, or what it waits for."""

    disposition: Disposition
    code: str = ""
    reason: str = ""


_PARENTS: Mapping[Kind, tuple[Kind, ...]] = {
    "account": ("customer",),
    "usage_point": ("location",),
    "installation": ("usage_point", "meter"),
    "agreement": ("account", "usage_point"),
}
"""Kinds that an item of a kind names, by fields of their names."""

TURN: Mapping[str, int] = {kind: turn for turn, kind in enumerate(FIELDS)}
"""Place of each kind among those that depend on each other."""

VERSIONED: Mapping[Kind, Master] = {
    "customer": MASTERS[Customer],
    "account": MASTERS[CustomerAccount],
    "location": MASTERS[ServiceLocation],
    "usage_point": MASTERS[UsagePoint],
    "meter": MASTERS[Meter],
    "agreement": MASTERS[CustomerAgreement],
    "topology": MASTERS[TopologyLink],
}
"""Where kinds are kept that have versions of their own."""
