"""What people ask about messages and deliveries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from store import parked as store_parked
from store import tracing
from store.parked import Parked
from store.session import Transaction
from store.tracing import Shown, Wanted

__all__ = ["Node", "Parked", "Shown", "Wanted", "parked", "search", "show", "trace"]


@dataclass(frozen=True, slots=True)
class Node:
    """One message or delivery of a conversation, above what it caused."""

    kind: str
    """message or delivery."""
    facts: dict[str, Any]
    caused: tuple["Node", ...]


def search(wanted: Wanted, *, transaction: Transaction) -> list[dict[str, Any]]:
    """Return the messages that match, newest first."""
    with transaction() as session:
        return tracing.search(session, wanted)


def show(word: str, *, transaction: Transaction) -> Shown:
    """Return everything kept about a message (by entry number) or a delivery (by id).

    Raises:
        RejectedError: there is neither (NOT_IN_STORE).
    """
    with transaction() as session:
        return tracing.show(session, word)


def parked(*, transaction: Transaction) -> Sequence[Parked]:
    """Return what waits for a person: parked messages, parked deliveries, deliveries nobody confirmed in time."""
    with transaction() as session:
        return store_parked.waiting(session)


def trace(word: str, *, transaction: Transaction) -> tuple[Node, ...]:
    """Return the conversation around an id as trees: what caused what, through messages and deliveries.

    `word` is an entry number, message id, correlation id, delivery id, entity or file name.

    Raises:
        RejectedError: nothing bears that word (NOT_IN_STORE).
    """
    with transaction() as session:
        found = tracing.conversation(session, word)
    rows = [("message", facts) for facts in found.messages] + [("delivery", facts) for facts in found.deliveries]
    return _trees(rows, _causes(rows))


def _causes(rows: Sequence[tuple[str, dict[str, Any]]]) -> dict[int, int | None]:
    """Return for each row the place of what caused it: the message it passes on, or the one that its header names.

    A delivery that names no cause hangs below the first message of its conversation.
    """
    messages: dict[str, int] = {}
    talks: dict[str, int] = {}
    everything: dict[str, int] = {}
    for place, (kind, facts) in enumerate(rows):
        everything.setdefault(facts["message_id"], place)
        if kind == "message":
            messages.setdefault(facts["message_id"], place)
            talks.setdefault(facts["correlation_id"], place)
    for known in (everything, messages, talks):
        known.pop("", None)
    causes: dict[int, int | None] = {}
    for place, (kind, facts) in enumerate(rows):
        passed_on = messages.get(facts["message_id"]) if kind == "delivery" else None
        cause = everything.get(facts["causation_id"]) if passed_on is None else passed_on
        if kind == "delivery" and not facts["causation_id"] and cause is None:
            cause = talks.get(facts["correlation_id"])
        causes[place] = None if _leads_to(cause, place, causes) else cause
    return causes


def _leads_to(start: int | None, place: int, causes: Mapping[int, int | None]) -> bool:
    """Return whether going up from `start` comes to `place`: senders may name causes in a circle."""
    while start is not None and start != place:
        start = causes.get(start)
    return start == place


def _trees(rows: Sequence[tuple[str, dict[str, Any]]], causes: Mapping[int, int | None]) -> tuple[Node, ...]:
    """Return the rows that nothing caused, each with all that hangs below it."""
    below: dict[int | None, list[int]] = {}
    for place, cause in causes.items():
        below.setdefault(cause, []).append(place)

    def grown(cause: int | None) -> tuple[Node, ...]:
        return tuple(Node(*rows[place], grown(place)) for place in below.get(cause, ()))

    return grown(None)
