"""Watching the queues that nobody reads: park queues, and what was sent where nothing is bound."""

import logging
from threading import Event

from canonical.errors import UnavailableError
from flows.queue_watch import follow_queues
from messaging.port import Queues, open_queues
from messaging.topology import UNROUTED
from services.hub import Hub
from services.site_queues import messaging_of

log = logging.getLogger(__name__)

LOOK_S = 60.0
"""Seconds between two looks."""


def run_watch(hub: Hub, stop: Event) -> None:
    """Look every minute until `stop` is set; several copies do no harm."""
    queues = open_queues(messaging_of(hub.site))
    try:
        while not stop.wait(LOOK_S):
            try:
                look(hub, queues)
            except UnavailableError as error:
                log.warning("the queues cannot be looked at now: %s", error)
    finally:
        queues.close()


def look(hub: Hub, queues: Queues) -> tuple[int, int]:
    """Open and resolve work as the queues stand now; return how many of each.

    Raises:
        UnavailableError: the queues or the store are away.
    """
    depths = {one.queue: one.letters or 0 for one in queues.depths()}
    parks = {own.park for own in messaging_of(hub.site).topology.sets}
    return follow_queues(
        {name: count for name, count in depths.items() if name in parks},
        {name: count for name, count in depths.items() if name == UNROUTED},
        queue=hub.site.model.work.owners.get("integration", "integration"),
        transaction=hub.transaction,
        now=hub.now(),
    )
