"""The hub's web services as an ASGI app, and how they end in the spine."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from starlette.types import ASGIApp

from adapters.mdms_cim.translate import readings_from_event
from canonical.events import EventsTold, ReadingsWithEvents
from canonical.messages import Message, Reply
from canonical.questions import ReadingsAsked, RequestChange
from flows import spine
from flows.end_device_events import events_told, readings_with_events
from flows.operation_set import Steps, carry_out
from flows.parked_work import tell_parked
from iec61968 import safe_xml
from iec61968.bulk_call import Bulk
from iec61968.editions import EDITIONS
from iec61968.safe_xml import XmlLimits
from iec61968.security import Clients
from iec61968.soap_answers import HttpAnswer
from iec61968.soap_call import Call, is_operation_set
from iec61968.soap_endpoint import STRANGER, Endpoint, Receive, app_of
from iec61968.split_delivery import part_in
from iec61968.validation import Policy
from services.cim_events import Dialects, events_from_call, is_events, with_events
from services.cim_operations import steps_from_call
from services.cim_requests import request_from_call
from services.cim_routed import RoutedCalls
from services.clock import machine_now
from store.session import Session, Transaction

EVENTS_TAKEN = ("CreatedMeterReadings", "ChangedMeterReadings")
"""Operations that `EventReceiver` takes: readings that a meter data system tells of its own accord."""


def cim_app(
    *,
    receive_event: Receive,
    clients: Clients,
    now: Callable[[], datetime],
    edition: str = "2011",
    limit_bytes: int = 32 * 1024 * 1024,
    source: str = "AMIHUB",
    policy: Policy = "strict",
    supported: Collection[str] = EVENTS_TAKEN,
    machine_now: Callable[[], datetime] = machine_now,
    answered: Callable[[Call, Reply], HttpAnswer | None] = lambda _call, _reply: None,
    bulk: Bulk | None = None,
    noted: Callable[[Call], bool] = lambda _call: True,
) -> ASGIApp:
    """Return the app that serves `/cim/<Service>` of every noun, and `/cim/message` for messages that are not typed.

    `clients` maps user to password or `Client` (the server in front of the app speaks TLS). `receive_event` takes a
    message durably: see `EventReceiver`; `supported` are the operations it has an owner for, every other one is
    refused by code. `now` is business time, for the timestamps of what is answered. `bulk` takes bodies that are too
    large to be held in memory; `noted` counts messages that break their schema where they may.
    """
    endpoint = Endpoint(
        receive=receive_event,
        clients=clients,
        now=now,
        edition=EDITIONS[edition],
        limits=XmlLimits(total_bytes=limit_bytes),
        source=source,
        policy=policy,
        supported=supported,
        machine_now=machine_now,
        answered=answered,
        bulk=bulk,
        noted=noted,
    )
    return app_of(endpoint)


_BODY = re.compile(rb"<(?:[\w.-]+:)?Body\b[^>]*>\s*<(?:[\w.-]+:)?(\w+)")


def is_request(raw: bytes) -> bool:
    """Return whether the body element of a checked call asks the hub for readings, or withdraws such a request."""
    found = _BODY.search(raw, 0, 65_536)
    return found is not None and found.group(1) in (b"GetMeterReadings", b"CancelMeterReadings", b"ChangeMeterReadings")


def _is_set(raw: bytes) -> bool:
    """Return whether a checked call carries a set of operations."""
    return b"OperationSet" in raw and is_operation_set(safe_xml.parse(raw))


@dataclass(frozen=True, slots=True, kw_only=True)
class EventReceiver:
    """Takes a call durably: spine, translator, the handler of its flow (`soap_endpoint.Receive`)."""

    handle: Callable[..., Reply]
    """The flow's, as `handle(session, message, now=...)`: its message carries a tuple of canonical MeterReadings whose
    source is the caller."""

    transaction: Transaction
    now: Callable[[], datetime]
    machine_now: Callable[[], datetime]
    edition: str = "2011"
    register: Callable[..., Reply] | None = None
    """Handler of requests for readings, where the site answers them."""

    replies: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Names of the reply addresses that the site knows, by (caller, address)."""

    queue: str = "integration"
    """Whose work it is what `check` refuses: it is archived and parked like anything that cannot be translated."""

    taken: Collection[str] = EVENTS_TAKEN
    dialects: Dialects = field(default_factory=dict)
    """How each caller tells events of devices."""

    owners: Mapping[str, str] | None = None
    """Whose work unmapped events are."""

    policies: Mapping[str, Policy] = field(default_factory=dict)
    """What is done with readings that break their schema, by caller."""

    others: RoutedCalls | None = None
    """Takes master data, and what the site's routes name."""

    awaited: Callable[..., Reply | None] = lambda _session, _message, **_named: None
    """Takes readings that answer a question of the hub's own; None where nothing waits for them."""

    def __call__(self, raw: bytes, *, caller: str, check: Callable[[bytes], bytes]) -> Reply:
        """Take one call; `check` gives its typed form, or says why it is none."""
        instant = self.now()
        return spine.receive(
            raw,
            source=caller,
            translate=lambda data: self._understood(check(data), caller),
            handle=partial(self._handled, now=instant),
            transaction=self.transaction,
            now=instant,
            machine_now=self.machine_now(),
            on_park=partial(tell_parked, source=caller, queue=self.queue, now=instant, known=caller != STRANGER),
        )

    def _understood(self, checked: bytes, caller: str) -> Message[Any]:
        """Return what a checked call means: one message, or a set of operations."""
        read = partial(self._read, caller=caller)
        if _is_set(checked):
            edition = EDITIONS[self.edition]
            return steps_from_call(checked, caller=caller, edition=edition, taken=frozenset(self.taken), read=read)
        return read(checked)

    def _read(self, one: bytes, *, caller: str) -> Message[Any]:
        """Return what a typed message means: master data, readings, requests for them, events."""
        edition, policy = EDITIONS[self.edition], self.policies.get(caller, "strict")
        found = self.others.read(one, caller=caller, policy=policy) if self.others is not None else None
        if found is not None:
            return found
        if is_request(one):
            return request_from_call(one, caller=caller, replies=self.replies, edition=edition)
        if is_events(one):
            return events_from_call(one, caller=caller, dialects=self.dialects)
        told = readings_from_event(one, source=caller, edition=edition, policy=policy)
        told = replace(told, header=replace(told.header, part=part_in(one)))
        return with_events(told, one, caller=caller, dialects=self.dialects)

    def _handled(self, session: Session, message: Message[Any], *, now: datetime) -> Reply:
        """Hand a message to its flow."""
        handled, payload = partial(self._handled, now=now), message.payload
        if isinstance(payload, Steps):
            return carry_out(session, message, handle=handled)
        if self.others is not None and self.others.takes(message):
            return self.others.handle(session, message, now=now)
        if self.register is not None and isinstance(payload, ReadingsAsked | RequestChange):
            return self.register(session, message, now=now)
        if isinstance(payload, EventsTold):
            return events_told(session, message, now=now, owners=self.owners)
        if isinstance(payload, ReadingsWithEvents):
            return readings_with_events(session, message, handle=handled, now=now, owners=self.owners)
        return self.awaited(session, message, now=now) or self.handle(session, message, now=now)
