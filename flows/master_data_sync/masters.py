"""Which master each kind of thing is kept in, under which id, and what one statement says of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from canonical.customers import CustomerAgreement
from canonical.master_data import Customer, CustomerAccount, ServiceLocation
from canonical.master_data import Meter as MasterMeter
from canonical.metering import TopologyLink, UsagePoint
from flows.master_columns import ADDRESS, KEPT, PREMISE_KEPT, Facts, Kept
from flows.master_data_sync.said import Said


@dataclass(frozen=True, slots=True)
class Master:
    """One master and how things of a kind are kept in it."""

    table: Any
    key: str
    """Column that holds the id."""

    object_type: str
    """CIM class."""

    defaults: Mapping[str, Any]
    """What holds of a field that nobody has stated."""

    facts: Callable[[Any], Facts]
    """Columns by the thing, as stored."""

    columns: Mapping[str, tuple[str, ...]]
    """Columns of a field of the thing, where they are not named alike."""

    constant: frozenset[str] = frozenset()
    """Columns that a change says only where it names them: their value is never empty."""

    def stated(self, said: Said) -> Facts:
        """Return what is applied of a statement: the named fields, or whatever is not empty where none is named."""
        return {name: value for name, value in self._stated(said).items() if name not in said.withheld}

    def _stated(self, said: Said) -> Facts:
        facts = self.facts(said.thing)
        if said.spans and said.stated is not None:
            named = {column for one in said.stated for column in self.columns.get(one, (one,))}
            return {name: value for name, value in facts.items() if name in named}
        if said.stated is None or said.verb == "create":
            kept = {name: value for name, value in facts.items() if value not in ("", None, False, "[]", "0")}
        else:
            named = {column for one in said.stated for column in self.columns.get(one, (one,))}
            return {name: value for name, value in facts.items() if name in named}
        if said.verb != "create":
            kept = {name: value for name, value in kept.items() if name not in self.constant}
        return kept


def _master(
    kept: Kept,
    object_type: str,
    columns: Mapping[str, tuple[str, ...]] | None = None,
    constant: frozenset[str] = frozenset(),
) -> Master:
    return Master(kept.table, kept.key, object_type, kept.defaults, kept.facts, columns or {}, constant)


MASTERS: Mapping[type, Master] = {
    Customer: _master(KEPT["customer"], "Customer"),
    CustomerAccount: _master(KEPT["account"], "CustomerAccount"),
    ServiceLocation: _master(
        KEPT["location"], "ServiceLocation", {"address": ADDRESS, **{f"address.{name}": (name,) for name in ADDRESS}}
    ),
    CustomerAgreement: _master(KEPT["agreement"], "CustomerAgreement"),
    UsagePoint: _master(KEPT["usage_point"], "UsagePoint", constant=frozenset({"zone", "commodity"})),
    MasterMeter: _master(
        KEPT["meter"], "Meter", {"serial": ("serial", "serial_normal")}, constant=frozenset({"commodity"})
    ),
    TopologyLink: _master(KEPT["topology"], "TopologyLink"),
}
"""Every kind of thing that has versions of its own; what links them is in `links`."""

PREMISE = _master(PREMISE_KEPT, "UsagePoint")
"""Which premise a usage point lies at, as links state it."""


def begins_at(said: Said) -> datetime:
    """Return the instant from which a statement holds: the thing's own, else the message's."""
    own: datetime | None = getattr(said.thing, "valid_from", None)
    return own if own is not None and said.verb in ("create", "change") else said.effective_at
