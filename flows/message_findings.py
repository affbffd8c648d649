"""Messages that break the standard where their sender may do so: noted once for each, counted for whoever asks."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from store import message_findings
from store.session import Transaction


def note(
    *, source: str, message_id: str, operation: str, places: Iterable[str], transaction: Transaction, now: datetime
) -> bool:
    """Keep where a message that was taken breaks its schema; return whether that is news. No values are kept."""
    with transaction() as session:
        return message_findings.note(
            session, source=source, message_id=message_id, operation=operation, places=places, now=now
        )


def counts(*, transaction: Transaction, source: str = "") -> list[dict[str, Any]]:
    """Return how many messages of each source break the standard at each place, the most frequent first."""
    with transaction() as session:
        return message_findings.counts(session, source=source)
