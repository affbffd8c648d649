"""Whether a pass has anything to do beyond looking into the inboxes."""

from datetime import datetime

from flows.billing_exchange.interface import Interface
from store import billing, billing_items, billing_parts
from store.session import Transaction

UNFINISHED = ("TAKING_IN", "OPEN", "ANSWERED")
"""States of runs that later passes still have to follow."""

ON_THE_WAY = ("FORMED", "QUEUED", "SENT")
"""States of parts whose delivery or acknowledgement is still to be followed."""


def is_due(interface: Interface, *, transaction: Transaction, now: datetime) -> bool:
    """Return whether a run is unfinished, a part on its way, an answer ready, or an item's time has come."""
    with transaction() as session:
        return bool(
            billing.runs(session, interface.name, UNFINISHED, limit=1)
            or billing_parts.parts(session, interface.name, set(ON_THE_WAY))
            or billing_items.runs_with_outgoing(session, interface.name)
            or ((due := billing_items.next_due(session, interface.name)) is not None and due <= now)
        )
