"""The relay: what is due is carried by a thread for each destination (`flows.relaying`), or once by a command."""

import logging
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import fields
from threading import Event
from time import monotonic

from flows.delivery import DeliveryPolicy, RelayReport, Way, relay_once, sweep_confirmations, waiting_for
from flows.delivery_work import follow_deliveries
from flows.parked_work import resolve_parked
from flows.relaying import carry_on
from services.hub import Hub
from services.inbound import sources

LOG = logging.getLogger(__name__)

IDLE_S = 1.0
"""Seconds between two looks when nothing is due."""

TURN_S = 0.2
"""Seconds between two looks while something is under way."""

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
    _say(report)
    return report


def _say(report: RelayReport) -> None:
    """Log what was carried, and what a person must repair."""
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


def sweep(hub: Hub) -> int:
    """Mark deliveries that nobody confirmed in time, and return their number; whatever waits for a person is work."""
    overdue = sweep_confirmations(transaction=hub.transaction, now=hub.now())
    for each in overdue:
        LOG.warning("delivery %s to %s is not confirmed in time", each.delivery_id, each.destination)
    follow_deliveries(owners=hub.site.model.work.owners, transaction=hub.transaction, now=hub.now())
    resolve_parked(sources(hub), transaction=hub.transaction, now=hub.now())
    return len(overdue)


class Relays:
    """One relay for each destination for which something is due: who is slow, or away, holds nobody else up."""

    def __init__(self, hub: Hub, stop: Event) -> None:
        """Begin with none; a relay is started when something is due, and ends when nothing is."""
        self._hub, self._stop = hub, stop
        self._ports, self._policies = hub.destinations(), hub.delivery_policies()
        self._running: dict[str, Future[RelayReport]] = {}
        self._carriers: dict[str, Executor] = {}
        self._pool = ThreadPoolExecutor(max_workers=max(1, len(self._ports)), thread_name_prefix="relay")

    def look(self) -> bool:
        """Start what is due and not running, and return whether anything is under way.

        Raises whatever a relay has died of.
        """
        hub = self._hub
        self._end_finished()
        waiting = waiting_for(transaction=hub.transaction, machine_now=hub.machine_now())
        for destination in sorted(waiting - set(self._running)):
            if destination in self._ports:
                self._running[destination] = self._pool.submit(self._carry, destination)
            else:
                LOG.error("deliveries stand still: this site has no role %s", destination)
        return bool(self._running)

    def wait(self, seconds: float) -> None:
        """Wait until a relay has ended, at most so long."""
        wait(self._running.values(), timeout=seconds, return_when=FIRST_COMPLETED)

    def close(self) -> None:
        """Let every relay finish and record the batches that have begun."""
        self._pool.shutdown(wait=True)
        for carrier in self._carriers.values():
            carrier.shutdown(wait=True)
        self._end_finished()

    def _carry(self, destination: str) -> RelayReport:
        hub = self._hub
        policy = self._policies.get(destination, DeliveryPolicy())
        way = Way(destination, self._ports[destination], policy, hub.transaction, hub.spool)
        if destination not in self._carriers:
            self._carriers[destination] = ThreadPoolExecutor(1, thread_name_prefix=f"to-{destination}")
        return carry_on(
            way,
            carrier=self._carriers[destination],
            now=hub.now,
            machine_now=hub.machine_now,
            stopped=self._stop.is_set,
        )

    def _end_finished(self) -> None:
        for destination, each in list(self._running.items()):
            if each.done():
                del self._running[destination]
                _say(each.result())


def run_relay(hub: Hub, stop: Event, *, idle_s: float = IDLE_S) -> None:
    """Carry what is due until `stop` is set; batches that have begun are finished and recorded first."""
    next_sweep, relays = monotonic(), Relays(hub, stop)
    try:
        while not stop.is_set():
            if monotonic() >= next_sweep:
                sweep(hub)
                next_sweep = monotonic() + SWEEP_S
            if relays.look():
                relays.wait(TURN_S)
            else:
                stop.wait(idle_s)
    finally:
        relays.close()


def drain(hub: Hub) -> RelayReport:
    """Carry everything that is due now and return the sum: for command lines and sites without `amihub serve`."""
    total = RelayReport()
    while (report := relay_pass(hub)).carried:
        for field in fields(RelayReport):
            setattr(total, field.name, getattr(total, field.name) + getattr(report, field.name))
    total.misconfigured += report.misconfigured
    sweep(hub)
    return total
