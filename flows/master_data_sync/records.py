"""Which system is the master of which field (domain 2.7): what another states of it is kept visible and not applied."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from canonical.holdings import FIELDS

DEFAULTS: Mapping[str, str] = {
    "customer": "cis",
    "account": "cis",
    "location": "cis",
    "agreement": "cis",
    "bill_cycle_day": "cis",
    "usage_point": "cis",
    "meter": "wams",
    "meter.commodity": "mdms",
    "meter.multiplier": "mdms",
    "meter.registers": "mdms",
    "meter.firmware": "hes",
    "topology": "gis",
}
"""Master by kind, or by `kind.field` where a field has another: customer, account, tariff and cycle the CIS; asset,
serial and model the WAMS; configuration the MDMS; firmware the HES; topology the GIS. Who hangs meters is said by
`origins` (ruling 8)."""

EXISTENCE = "valid_to"
"""Field under which the end of a thing is owned."""

COLUMNS: Mapping[str, str] = {"serial_normal": "serial"}
"""Fields of which columns are made that are not named alike."""


def is_field(name: str) -> bool:
    """Return whether a kind, or a `kind.field`, is one that can have a master."""
    kind, _, one = name.partition(".")
    fields: Mapping[str, Collection[str]] = {str(name): own for name, own in FIELDS.items()}
    return kind in fields and (not one or one == EXISTENCE or one in fields[kind])


@dataclass(frozen=True, slots=True)
class Records:
    """The matrix of one site."""

    owners: Mapping[str, str] = field(default_factory=dict)
    """Role, or kind of system, by kind or `kind.field`; empty: anybody may state anything."""

    systems: Mapping[str, str] = field(default_factory=dict)
    """What kind of system each caller and role is."""

    roles: Mapping[str, str] = field(default_factory=dict)
    """Role that a caller is; who is not in it is its own role."""

    def owner(self, kind: str, name: str) -> str:
        """Return the master of a field; empty where anybody may state it, as where the site has no such system."""
        own = self.owners.get(f"{kind}.{name}", self.owners.get(kind, ""))
        known = own in self.systems.values() or own in self.systems or own in self.roles.values()
        return own if known else ""

    def owns(self, source: str, kind: str, name: str) -> bool:
        """Return whether what a system states of a field is applied."""
        owner = self.owner(kind, COLUMNS.get(name, name))
        return not owner or owner in (source, self.roles.get(source, source), self.systems.get(source, ""))

    def withheld(self, source: str, kind: str, names: Collection[str]) -> frozenset[str]:
        """Return the fields or columns of which a system is not the master; for messages, files and loads alike."""
        if not self.owners:
            return frozenset()
        return frozenset(name for name in names if not self.owns(source, kind, name))
