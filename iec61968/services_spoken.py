"""Which web services there are: kinds, nouns and operations, from which WSDLs and typed messages are made."""

from dataclasses import dataclass, field
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

    name: str = field(init=False, compare=False)
    """Such as `ReceiveMeterReadings`."""

    message_noun: str = field(init=False, compare=False)
    """The noun whose typed messages it uses: some queries have their own, as `GetMeterReadings` has."""

    operations: tuple[str, ...] = field(init=False, compare=False)
    """Its operations, named as their body elements."""

    known_operations: frozenset[str] = field(init=False, compare=False)
    """Every operation name that can be said about its noun, so that a wrong one can be told from an unknown one."""

    def __post_init__(self) -> None:
        """Spell its names out once: every message asks for them."""
        name = f"{self.kind}{self.noun}"
        events, requests = (tuple(f"{verb}{self.noun}" for verb in verbs) for verbs in (EVENT_VERBS, REQUEST_VERBS))
        operations = (name,) if self.kind == "Get" else requests if self.kind == "Execute" else events
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "message_noun", name if name in QUERY_MESSAGES else self.noun)
        object.__setattr__(self, "operations", operations)
        object.__setattr__(self, "known_operations", frozenset((*operations, *events, *requests)))


SERVICES: dict[str, Service] = {
    service.name: service
    for noun in NOUNS.values()
    if not noun.is_query
    for service in (Service(kind, noun.name) for kind in KINDS)
}
"""Every service by name."""
