"""What waits in master data and at routes, tried again at intervals: a thread of `amihub serve`."""

from threading import Event
from typing import TYPE_CHECKING

from flows import master_data_sync
from flows.routing import Sending
from services.site_routing import encoder_of, master_data_policy, routes_of

if TYPE_CHECKING:
    from services.hub import Hub

IDLE_S = 5.0
"""Seconds of machine time between two looks; what is due is a matter of business time."""


def is_wanted(hub: "Hub") -> bool:
    """Return whether anything can wait at this site."""
    model = hub.site.model
    return model.master_data is not None or bool(model.routes)


def master_data_pass(hub: "Hub") -> int:
    """Try everything that is due again, and return how many things ended their wait."""
    model = hub.site.model
    return master_data_sync.advance(
        policy=master_data_policy(model),
        sending=Sending(routes_of(model), encoder_of(hub.port, hub.spool), hub.now()),
        transaction=hub.transaction,
    )


def run_master_data(hub: "Hub", stop: Event) -> None:
    """Look at what waits until `stop` is set."""
    while not stop.is_set():
        master_data_pass(hub)
        stop.wait(IDLE_S)
