"""Subscribers of the site told what is news to them: by the pass over master data, by command and by `amihub serve`."""

from typing import TYPE_CHECKING

from flows import master_data_feed
from flows.master_data_feed import Fed
from flows.routing import Sending
from services.site_routing import encoder_of, routes_of
from services.site_subscribers import subscribers_of

if TYPE_CHECKING:
    from services.hub import Hub


def feed_pass(hub: "Hub") -> list[Fed]:
    """Tell every subscriber what is news to it, and note what it answered; return what was done for each.

    Raises:
        MisconfiguredError: a subscriber's adapter is set up wrong.
    """
    subscribers = subscribers_of(hub.site.model)
    if not subscribers:
        return []
    sending = Sending(routes_of(hub.site.model), encoder_of(hub.port, hub.spool), hub.now())
    return master_data_feed.feed(subscribers, sending=sending, transaction=hub.transaction)
