"""Calls that tell master data, and calls that only the site's routes name: from the wire to their flow."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from canonical.master_data import MasterData
from canonical.messages import Message, Reply
from flows import master_data_sync
from flows.meter_rollout import completions
from flows.meter_rollout.policy import Policy as Rollout
from flows.routing import Encode, Parts, Routes, Sending, pass_on
from flows.routing.verbs import imperative
from iec61968 import safe_xml
from iec61968.bindings import body_of
from iec61968.canonical_nouns.conventions import MasterDataReading, master_data_reading
from iec61968.canonical_nouns.master_data import MASTER_NOUNS, master_data_from_wire
from iec61968.message_codec import message_from_xml
from iec61968.services_spoken import EVENT_VERBS, REQUEST_VERBS
from iec61968.validation import Policy
from iec61968.wire import WireMessage
from services.callers import role_of
from services.cim_documents import parts_from_wire
from services.cim_owners import MASTER_VERBS
from services.site_model import ServeSection
from store.session import Session

if TYPE_CHECKING:
    from services.hub import Hub

_BODY = re.compile(
    rb"<(?:[\w.-]+:)?Body\b[^>]*>\s*<(?:[\w.-]+:)?(" + "|".join((*EVENT_VERBS, *REQUEST_VERBS)).encode() + rb")(\w+)"
)

Reader = Callable[[WireMessage, str, bool], Message[MasterData]]
"""Says what a message of master data means: message, caller, whether enumerations are strict."""


@dataclass(frozen=True, slots=True)
class RoutedCalls:
    """What a site takes of master data and by routes alone."""

    readers: Mapping[str, Reader]
    """How each caller's master data is read."""

    takes_master_data: bool
    routed: frozenset[tuple[str, str]]
    """Noun and imperative of what the routes name."""

    policy: master_data_sync.Policy
    routes: Routes
    encode: Encode
    rollout: Rollout | None = None
    """How the site rolls out meters; then exchanges are completions, judged before they are believed."""

    def read(self, raw: bytes, *, caller: str, policy: Policy) -> Message[Any] | None:
        """Return what a checked call means; None where it is neither master data nor routed.

        Raises:
            RejectedError: it is, and nothing can be made of it.
        """
        found = _BODY.search(raw, 0, 65_536)
        if found is None:
            return None
        verb, noun = found[1].decode().lower(), found[2].decode()
        own = self.takes_master_data and noun in MASTER_NOUNS and verb in MASTER_VERBS
        if not own and (noun, imperative(verb)) not in self.routed:
            return None
        wire = message_from_xml(body_of(safe_xml.parse(raw)), strict=policy == "strict")
        if own:
            return self.readers.get(caller, _reader(MasterDataReading()))(wire, caller, policy == "strict")
        return parts_from_wire(wire, source=caller)

    def takes(self, message: Message[Any]) -> bool:
        """Return whether a message is one of those that `read` returns."""
        return isinstance(message.payload, MasterData | Parts)

    def handle(self, session: Session, message: Message[Any], *, now: datetime) -> Reply:
        """Take what `read` returned; a handler for `spine.receive`."""
        if isinstance(message.payload, MasterData):
            if self.rollout is not None and completions.is_field_work(message):
                return completions.take_exchanges(session, message, policy=self.rollout, now=now)
            return master_data_sync.take(
                session, message, policy=self.policy, routes=self.routes, encode=self.encode, now=now
            )
        sending = Sending(self.routes, self.encode, now)
        return pass_on(session, message, sending=sending, retry_in=self.policy.search_interval)


def readers_of(hub: "Hub", section: ServeSection) -> dict[str, Reader]:
    """Return how each caller's master data is read: as its role's settings say, else as its own section does.

    Raises:
        MisconfiguredError: a convention has no meaning.
    """
    found: dict[str, Reader] = {}
    for name, client in section.clients.items():
        role = role_of(hub.site.model, name)
        port = hub.port(role) if role in hub.site.model.roles and not client.master_data else None
        if port is not None and hasattr(port, "understand"):
            found[name] = _of_port(port)
        else:
            found[name] = _reader(master_data_reading(client.master_data, where=f"serve.clients.{name}.master_data"))
    return found


def _of_port(port: Any) -> Reader:
    def read(wire: WireMessage, caller: str, _strict: bool) -> Message[MasterData]:
        message: Message[MasterData] = port.understand(wire, source=caller)
        return message

    return read


def _reader(conventions: MasterDataReading) -> Reader:
    return lambda wire, caller, strict: master_data_from_wire(
        wire, source=caller, conventions=conventions, strict=strict
    )
