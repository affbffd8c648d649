"""The steps of one billing pass, composed: what the DAG's tasks and `amihub billing run` both call."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from flows import billing_exchange as flow
from flows.billing_exchange import Interface
from services.hub import Hub

Counts = dict[str, Any]


def take_in(hub: Hub, interface: Interface, params: Mapping[str, Any] | None) -> Counts | None:
    """Take in what the interface's inboxes offer; None when that and everything else leaves nothing to do."""
    roles = {*interface.policy.inboxes, interface.policy.customer_system}
    taken = flow.take_in(
        interface,
        ports={role: hub.port(role) for role in sorted(roles)},
        transaction=hub.transaction,
        spool=hub.spool,
        now=hub.now(),
        machine_now=hub.machine_now(),
        # Interfaces share inboxes: a file is worked for the interface that its sender names, whoever claims it.
        siblings=[hub.billing(name) for name in hub.site.billing_interfaces if name != interface.name],
    )
    if (params or {}).get("steps") == "take in only":
        return None
    if not flow.is_due(interface, transaction=hub.transaction, now=hub.now()):
        return None
    return asdict(taken)


def plan(hub: Hub, interface: Interface, _argument: None = None) -> list[str]:
    """Return the labels of the batches that are due."""
    return flow.plan(interface, transaction=hub.transaction, now=hub.now())


def advance(hub: Hub, interface: Interface, batch: str) -> Counts:
    """Advance one batch of items."""
    role = interface.policy.meter_data
    done = flow.advance(
        interface,
        batch,
        meter_data=hub.port(role) if role else None,
        transaction=hub.transaction,
        now=hub.now(),
    )
    return asdict(done)


def hand_on(hub: Hub, interface: Interface, _argument: None = None) -> Counts:
    """Form parts and notices from what is ready, as deliveries."""
    roles = {interface.policy.customer_system, interface.policy.meter_data} - {""}
    handed = flow.hand_on(
        interface,
        ports={role: hub.port(role) for role in sorted(roles)},
        transaction=hub.transaction,
        spool=hub.spool,
        now=hub.now(),
    )
    return asdict(handed)


def verdict(hub: Hub, interface: Interface, _argument: None = None) -> Counts:
    """Say how the interface stands."""
    return asdict(flow.verdict(interface, transaction=hub.transaction, now=hub.now()))


STEPS: Mapping[str, Callable[[Hub, Interface, Any], Any]] = {
    "take_in": take_in,
    "plan": plan,
    "advance": advance,
    "hand_on": hand_on,
    "verdict": verdict,
}
"""Steps by the names that tasks bear."""
