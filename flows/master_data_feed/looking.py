"""The change log and its subscribers as people look at them, and what people do to them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from store import master_changes, master_subscribers
from store.rows import Row
from store.session import Transaction

BATCH = 5000
"""Lines dropped in one transaction."""


def lines(word: str, *, limit: int, transaction: Transaction) -> list[Row]:
    """Return the last lines of the log, newest first; of one object or usage point, or all of an empty word."""
    with transaction() as session:
        return master_changes.newest(session, object_id=word, limit=limit)


def told_of(object_id: str, *, transaction: Transaction) -> list[Row]:
    """Return what each subscriber was told last of an object."""
    with transaction() as session:
        return master_subscribers.of_object(session, object_id)


def told(subscriber: str, *, state: str, limit: int, transaction: Transaction) -> list[Row]:
    """Return what a subscriber was told last of each object, what is not synchronized first."""
    with transaction() as session:
        return master_subscribers.listed(session, subscriber, states={state} if state else (), limit=limit)


def standings(names: Sequence[str], *, transaction: Transaction) -> list[dict[str, Any]]:
    """Return how far each subscriber is, and how many objects stand how; those that have not begun too."""
    with transaction() as session:
        end = master_changes.last(session)
        begun = {row["subscriber"]: row for row in master_subscribers.cursors(session)}
        counts = master_subscribers.counts(session)
    found = []
    for name in dict.fromkeys((*names, *begun)):
        own = begun.get(name)
        states = {row["state"]: row["number"] for row in counts if row["subscriber"] == name}
        position = own["position"] if own else None
        behind = end - position if position is not None else None
        found.append({"subscriber": name, "position": position, "behind": behind, "states": states})
    return found


def resend(subscriber: str, object_id: str, *, transaction: Transaction) -> int:
    """Have an object told to a subscriber again; return how many things bear that id."""
    with transaction() as session:
        return master_subscribers.resend(session, subscriber, object_id)


def prune(names: Sequence[str], *, before: datetime, transaction: Transaction) -> int:
    """Drop the lines of the log that are older than an instant, behind every subscriber; return how many.

    A subscriber that has not begun needs none: it begins at the end of the log, or with a whole file.
    """
    dropped = 0
    while True:
        with transaction() as session:
            slowest = master_subscribers.slowest(session, names)
            behind = master_changes.last(session) if slowest is None else slowest
            number = master_changes.prune(session, before=before, behind=behind, limit=BATCH)
        dropped += number
        if number < BATCH:
            return dropped
