"""The hub's web services as a Starlette app, and how they end in the spine."""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from starlette.applications import Starlette

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
from iec61968.editions import EDITIONS, Edition
from iec61968.safe_xml import XmlLimits
from iec61968.security import Clients
from iec61968.soap_answers import HttpAnswer
from iec61968.soap_call import Call, is_operation_set
from iec61968.soap_endpoint import STRANGER, Endpoint, Receive, routes
from iec61968.validation import Policy
from services.cim_events import Dialects, events_from_call, is_events, with_events
from services.cim_operations import steps_from_call
from services.cim_requests import request_from_call
from services.cim_routed import RoutedCalls
from services.clock import machine_now
from store.session import Session, Transaction

EVENTS_TAKEN = ("CreatedMeterReadings", "ChangedMeterReadings")
"""Operations that `event_receiver` takes: readings that a meter data system tells of its own accord."""


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
) -> Starlette:
    """Return the app that serves `/cim/<Service>` of every noun, and `/cim/message` for messages that are not typed.

    `clients` maps user to password or `Client` (the server in front of the app speaks TLS). `receive_event` takes a
    message durably: see `event_receiver`; `supported` are the operations it has an owner for, every other one is
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
    return Starlette(routes=list(routes(endpoint)))


_BODY = re.compile(rb"<(?:[\w.-]+:)?Body\b[^>]*>\s*<(?:[\w.-]+:)?(\w+)")


def is_request(raw: bytes) -> bool:
    """Return whether the body element of a checked call asks the hub for readings, or withdraws such a request."""
    found = _BODY.search(raw, 0, 65_536)
    return found is not None and found.group(1) in (b"GetMeterReadings", b"CancelMeterReadings", b"ChangeMeterReadings")


def _is_set(raw: bytes) -> bool:
    """Return whether a checked call carries a set of operations."""
    return b"OperationSet" in raw and is_operation_set(safe_xml.parse(raw))


def _understood(
    checked: bytes,
    caller: str,
    edition: Edition,
    replies: Mapping[tuple[str, str], str],
    taken: frozenset[str],
    dialects: Dialects,
    policy: Policy,
    others: RoutedCalls | None,
) -> Message[Any]:
    """Return what a checked call means: readings, requests for them, events, master data, or a set of operations."""

    def read(one: bytes) -> Message[Any]:
        found = others.read(one, caller=caller, policy=policy) if others is not None else None
        if found is not None:
            return found
        if is_request(one):
            return request_from_call(one, caller=caller, replies=replies, edition=edition)
        if is_events(one):
            return events_from_call(one, caller=caller, dialects=dialects)
        told = readings_from_event(one, source=caller, edition=edition, policy=policy)
        return with_events(told, one, caller=caller, dialects=dialects)

    if _is_set(checked):
        return steps_from_call(checked, caller=caller, edition=edition, taken=taken, read=read)
    return read(checked)


def event_receiver(
    *,
    handle: Callable[..., Reply],
    transaction: Transaction,
    now: Callable[[], datetime],
    machine_now: Callable[[], datetime],
    edition: str = "2011",
    register: Callable[..., Reply] | None = None,
    replies: Mapping[tuple[str, str], str] | None = None,
    queue: str = "integration",
    taken: Collection[str] = EVENTS_TAKEN,
    dialects: Dialects | None = None,
    owners: Mapping[str, str] | None = None,
    policies: Mapping[str, Policy] | None = None,
    others: RoutedCalls | None = None,
) -> Receive:
    """Return what takes a CreatedMeterReadings or ChangedMeterReadings durably: spine, translator, the flow's handler.

    `handle(session, message, now=...)` is the flow's: its message carries a tuple of canonical MeterReadings whose
    source is the caller. `register` is the handler of requests for readings, where the site answers them, and
    `replies` names the reply addresses that it knows, by (caller, address). `dialects` says how each caller tells
    events of devices, `owners` whose work unmapped ones are. What `check` refuses is archived and parked like anything
    that cannot be translated, and becomes work of `queue`. `policies` says by caller what is done with readings that
    break their schema. `others` takes master data, and what the site's routes name.
    """

    def receive(raw: bytes, *, caller: str, check: Callable[[bytes], bytes]) -> Reply:
        instant = now()

        def translate(data: bytes) -> Message[Any]:
            policy = (policies or {}).get(caller, "strict")
            return _understood(
                check(data), caller, EDITIONS[edition], replies or {}, frozenset(taken), dialects or {}, policy, others
            )

        def handled(session: Session, message: Message[Any]) -> Reply:
            if isinstance(message.payload, Steps):
                return carry_out(session, message, handle=handled)
            if others is not None and others.takes(message):
                return others.handle(session, message, now=instant)
            if register is not None and isinstance(message.payload, ReadingsAsked | RequestChange):
                return register(session, message, now=instant)
            if isinstance(message.payload, EventsTold):
                return events_told(session, message, now=instant, owners=owners)
            if isinstance(message.payload, ReadingsWithEvents):
                return readings_with_events(session, message, handle=handled, now=instant, owners=owners)
            return handle(session, message, now=instant)

        return spine.receive(
            raw,
            source=caller,
            translate=translate,
            handle=handled,
            transaction=transaction,
            now=instant,
            machine_now=machine_now(),
            on_park=partial(tell_parked, source=caller, queue=queue, now=instant, known=caller != STRANGER),
        )

    return receive
