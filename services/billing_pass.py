"""The steps of one billing pass, composed: what the DAG's tasks and `amihub billing run` both call."""

from flows import billing_exchange as flow
from flows.billing_exchange import Advanced, HandedOn, TakenIn, Verdict
from services.hub import Hub


def take_in(hub: Hub, interface: str) -> TakenIn:
    """Take in what the interface's inboxes offer."""
    this = hub.billing(interface)
    from services.message_files import takers_of

    return flow.take_in(
        this,
        ports={role: hub.port(role) for role in this.policy.inboxes},
        transaction=hub.transaction,
        spool=hub.spool,
        now=hub.now(),
        machine_now=hub.machine_now(),
        # Interfaces share inboxes: a file is worked for the interface that its sender names, whoever claims it.
        siblings=[hub.billing(name) for name in hub.site.billing_interfaces if name != interface],
        messages=takers_of(hub, this.policy.inboxes),
    )


def is_due(hub: Hub, interface: str) -> bool:
    """Return whether a pass has anything to do beyond its inboxes."""
    return flow.is_due(hub.billing(interface), transaction=hub.transaction, now=hub.now())


def plan(hub: Hub, interface: str) -> list[str]:
    """Return the labels of the batches that are due."""
    return flow.plan(hub.billing(interface), transaction=hub.transaction, now=hub.now())


def advance(hub: Hub, interface: str, batch: str) -> Advanced:
    """Bring one batch of items one step on."""
    this = hub.billing(interface)
    role = this.policy.meter_data
    return flow.advance(
        this,
        batch,
        meter_data=hub.meter_data(role) if role else None,
        transaction=hub.transaction,
        now=hub.now(),
    )


def hand_on(hub: Hub, interface: str) -> HandedOn:
    """Form parts and notices from what is ready, as deliveries."""
    this = hub.billing(interface)
    roles = {this.policy.customer_system, this.policy.meter_data} - {""}
    return flow.hand_on(
        this,
        ports={role: hub.meter_data(role) for role in sorted(roles)},
        transaction=hub.transaction,
        spool=hub.spool,
        now=hub.now(),
    )


def verdict(hub: Hub, interface: str) -> Verdict:
    """Say how the interface stands."""
    return flow.verdict(hub.billing(interface), transaction=hub.transaction, now=hub.now())
