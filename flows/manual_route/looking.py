"""Routes that were handed out, as people look at them."""

from store import route_extracts
from store.rows import Row
from store.session import Transaction


def handed_out(*, route: str = "", limit: int = 50, transaction: Transaction) -> list[Row]:
    """Return extracts, newest first, with how many stops are in which state."""
    with transaction() as session:
        return route_extracts.listed(session, route=route, limit=limit)
