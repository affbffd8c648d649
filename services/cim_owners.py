"""Which flow takes which verb of which noun: OK is only ever said for what is in this table."""

from dataclasses import dataclass

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


OWNERS = (
    Owner("created", "MeterReadings", "flows.billing_exchange"),
    Owner("changed", "MeterReadings", "flows.billing_exchange"),
    Owner("created", "EndDeviceEvents", "flows.end_device_events"),
    Owner("closed", "EndDeviceEvents", "flows.end_device_events"),
    Owner("get", "MeterReadings", "flows.on_demand_read", "on_demand_read"),
    Owner("cancel", "MeterReadings", "flows.on_demand_read", "on_demand_read"),
    Owner("change", "MeterReadings", "flows.on_demand_read", "on_demand_read"),
)
"""Everything that a site can take."""

NOBODY = "not supported here"


def operations(sections: set[str]) -> frozenset[str]:
    """Return the operations that a site with these sections takes."""
    return frozenset(owner.operation for owner in OWNERS if not owner.needs or owner.needs in sections)


def table(sections: set[str]) -> list[tuple[str, str, str]]:
    """Return noun, verb and owner of every verb of every noun, in a fixed order; who takes nothing is said so."""
    taken = {(o.noun, o.verb): o.flow for o in OWNERS if not o.needs or o.needs in sections}
    verbs = ("get", *(verb.lower() for verb in (*REQUEST_VERBS, *EVENT_VERBS)))
    nouns = sorted({service.noun for service in SERVICES.values()})
    return [(noun, verb, taken.get((noun, verb), NOBODY)) for noun in nouns for verb in verbs]
