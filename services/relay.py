"""The relay: the loop that carries what is due, around `flows.delivery.relay_once`."""

import logging
from dataclasses import fields
from threading import Event
from time import monotonic

from flows.delivery import RelayReport, relay_once, sweep_confirmations
from flows.delivery_work import follow_deliveries
from flows.parked_work import resolve_parked
from services.hub import Hub
from services.inbound import sources

LOG = logging.getLogger(__name__)

IDLE_S = 1.0
"""Seconds between two looks when nothing is due."""

SWEEP_S = 60.0
"""Seconds between two looks for overdue confirmations."""


def relay_pass(hub: Hub) -> RelayReport:
    """Carry at most one batch to each destination of the site, and log what a person must repair."""
    report = relay_once(
        hub.destinations(),
        transaction=hub.transaction,
        spool=hub.spool,
        now=hub.now(),
        machine_now=hub.machine_now(),
        policies=hub.delivery_policies(),
    )
    for wrong in report.misconfigured:
        LOG.error("deliveries stand still, we are set up wrong: %s", wrong)
    for destination in report.unserved:
        LOG.error("deliveries stand still: this site has no role %s", destination)
    if report.parked:
        LOG.warning("%d deliveries were parked: `amihub parked list`", report.parked)
    if report.carried:
        LOG.info(
            "carried %d: sent %d, confirmed %d, parked %d, postponed %d",
            report.carried,
            report.sent,
            report.confirmed,
            report.parked,
            report.postponed,
        )
    return report


def sweep(hub: Hub) -> int:
    """Mark deliveries that nobody confirmed in time, and return their number; whatever waits for a person is work."""
    overdue = sweep_confirmations(transaction=hub.transaction, now=hub.now())
    for each in overdue:
        LOG.warning("delivery %s to %s is not confirmed in time", each.delivery_id, each.destination)
    follow_deliveries(owners=hub.site.model.work.owners, transaction=hub.transaction, now=hub.now())
    resolve_parked(sources(hub), transaction=hub.transaction, now=hub.now())
    return len(overdue)


def run_relay(hub: Hub, stop: Event, *, idle_s: float = IDLE_S) -> None:
    """Carry what is due until `stop` is set; a batch that has begun is finished and recorded first."""
    next_sweep = monotonic()
    while not stop.is_set():
        if monotonic() >= next_sweep:
            sweep(hub)
            next_sweep = monotonic() + SWEEP_S
        if not relay_pass(hub).carried:
            stop.wait(idle_s)


def drain(hub: Hub) -> RelayReport:
    """Carry everything that is due now and return the sum: for command lines and sites without `amihub serve`."""
    total = RelayReport()
    while (report := relay_pass(hub)).carried:
        for field in fields(RelayReport):
            setattr(total, field.name, getattr(total, field.name) + getattr(report, field.name))
    total.misconfigured += report.misconfigured
    sweep(hub)
    return total
