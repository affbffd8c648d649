"""Which web services there are: kinds, nouns and operations, from which WSDLs and typed messages are made."""

from dataclasses import dataclass
from typing import Literal, get_args

from iec61968.spoken_nouns import NOUNS, QUERY_MESSAGES

Kind = Literal["Execute", "Get", "Send", "Receive", "Reply"]

KINDS: tuple[Kind, ...] = get_args(Kind)
"""Every kind: commands to the owner of an object, queries, the owner's events out, and in, late answers."""

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
        """Return the noun whose typed messages it uses: some queries have their own, as `GetMeterReadings` has."""
        return self.name if self.name in QUERY_MESSAGES else self.noun

    @property
    def operations(self) -> tuple[str, ...]:
        """Return its operations, named as their body elements."""
        if self.kind == "Get":
            return (self.name,)
        verbs = REQUEST_VERBS if self.kind == "Execute" else EVENT_VERBS
        return tuple(f"{verb}{self.noun}" for verb in verbs)


SERVICES: dict[str, Service] = {
    service.name: service
    for noun in NOUNS.values()
    if not noun.is_query
    for service in (Service(kind, noun.name) for kind in KINDS)
}
"""Every service by name."""
