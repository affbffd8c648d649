"""Which web services there are: kinds, nouns and operations, from which WSDLs and typed messages are made."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["Get", "Send", "Receive"]

EVENT_VERBS = ("Created", "Changed", "Canceled", "Closed", "Deleted")
"""Participles of the events of a noun, in the order of its WSDL."""

REQUEST_VERBS = ("Create", "Change", "Cancel", "Close", "Delete")
"""Imperatives of the requests of a noun."""


@dataclass(frozen=True, slots=True)
class Service:
    """One web service: one noun in one direction (IEC 61968-100 naming)."""

    kind: Kind
    noun: str
    """Noun that the service is about, such as `MeterReadings`."""

    @property
    def name(self) -> str:
        """Return its name, such as `ReceiveMeterReadings`."""
        return f"{self.kind}{self.noun}"

    @property
    def message_noun(self) -> str:
        """Return the noun whose typed messages it uses: a query has its own, `GetMeterReadings`."""
        return self.name if self.kind == "Get" else self.noun

    @property
    def operations(self) -> tuple[str, ...]:
        """Return its operations, named as their body elements."""
        if self.kind == "Get":
            return (self.name,)
        return tuple(f"{verb}{self.noun}" for verb in EVENT_VERBS)


SERVICES: dict[str, Service] = {
    service.name: service
    for service in (
        Service("Get", "MeterReadings"),
        Service("Send", "MeterReadings"),
        Service("Receive", "MeterReadings"),
    )
}
"""Every service by name."""
