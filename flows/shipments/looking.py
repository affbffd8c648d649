"""Shipped meters as people look at them: by shipment and lot, or one by one; never a key."""

from store import shipments
from store.rows import Row
from store.session import Transaction


def lots(*, transaction: Transaction) -> list[Row]:
    """Return how many meters of each shipment and lot are in which state, with the code that blocks them."""
    with transaction() as session:
        return shipments.counts(session)


def meters(word: str, *, state: str = "", limit: int = 200, transaction: Transaction) -> list[Row]:
    """Return the meters that a word names: mRID, serial of whichever manufacturer, or the number of a shipment."""
    with transaction() as session:
        found = list(shipments.of_meters(session, {word}).values())
        found = found or [row for rows in shipments.of_serials(session, {word}).values() for row in rows]
        if found:
            return [row for row in found if state in ("", row["state"])]
        return shipments.listed(session, shipment=word, state=state, limit=limit)
