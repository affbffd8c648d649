"""Who takes which verb of which noun: OK is only ever said for what a flow or a route of the site takes."""

from collections.abc import Collection
from dataclasses import dataclass

from flows.routing.verbs import imperative
from iec61968.canonical_nouns.master_data import MASTER_NOUNS
from iec61968.services_spoken import EVENT_VERBS, REQUEST_VERBS, SERVICES


@dataclass(frozen=True, slots=True)
class Owner:
    """One verb of one noun, and who takes it durably."""

    verb: str
    noun: str
    flow: str
    needs: str = ""
    """Section of the site file without which nobody takes it; empty: always taken."""

    @property
    def operation(self) -> str:
        """Return the name of its typed message."""
        return f"{self.verb.capitalize()}{self.noun}"


MASTER_VERBS = ("create", "change", "close", "delete", "created", "changed", "closed", "deleted")
"""Master data is ended or taken back; nobody withdraws it (`cancel`)."""

OWNERS = (
    Owner("created", "MeterReadings", "flows.billing_exchange"),
    Owner("changed", "MeterReadings", "flows.billing_exchange"),
    Owner("created", "EndDeviceEvents", "flows.end_device_events"),
    Owner("closed", "EndDeviceEvents", "flows.end_device_events"),
    Owner("get", "MeterReadings", "flows.on_demand_read", "on_demand_read"),
    Owner("cancel", "MeterReadings", "flows.on_demand_read", "on_demand_read"),
    Owner("change", "MeterReadings", "flows.on_demand_read", "on_demand_read"),
    *(Owner(verb, "MeterServiceRequests", "flows.meter_rollout", "rollout") for verb in MASTER_VERBS),
    *(Owner(verb, noun, "flows.master_data_sync", "master_data") for noun in MASTER_NOUNS for verb in MASTER_VERBS),
)
"""Everything that the flows of a site can take."""

NOBODY = "not supported here"
ROUTES = "flows.routing"

Routed = Collection[tuple[str, str]]
"""Noun and imperative verb of what the site's routes name."""


def owner_of(verb: str, noun: str, sections: set[str], routed: Routed = ()) -> str:
    """Return the flow that takes a verb of a noun at a site with these sections; empty where nobody does."""
    for owner in OWNERS:
        if (owner.verb, owner.noun) == (verb, noun) and (not owner.needs or owner.needs in sections):
            return owner.flow
    return ROUTES if (noun, imperative(verb)) in routed else ""


def operations(sections: set[str], routed: Routed = ()) -> frozenset[str]:
    """Return the operations that a site takes."""
    return frozenset(_operation(verb, noun) for noun, verb, owner in table(sections, routed) if owner != NOBODY)


def table(sections: set[str], routed: Routed = ()) -> list[tuple[str, str, str]]:
    """Return noun, verb and owner of every verb of every noun, in a fixed order; who takes nothing is said so."""
    verbs = ("get", *(verb.lower() for verb in (*REQUEST_VERBS, *EVENT_VERBS)))
    nouns = sorted({service.noun for service in SERVICES.values()})
    return [(noun, verb, owner_of(verb, noun, sections, routed) or NOBODY) for noun in nouns for verb in verbs]


def _operation(verb: str, noun: str) -> str:
    return f"{verb.capitalize()}{noun}"
