"""What people ask about requests that others made of the hub."""

from typing import Any

from canonical.codes.message import REQUEST_NOT_FOUND
from canonical.errors import RejectedError
from store import request_facts
from store.session import Transaction


def list_requests(
    *, transaction: Transaction, source: str = "", state: str = "", limit: int = 200
) -> list[dict[str, Any]]:
    """Return requests, newest first, each with the number of its objects."""
    with transaction() as session:
        return request_facts.listed(session, source=source, state=state, limit=limit)


def show_request(word: str, *, transaction: Transaction) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return a request, by its id or that of its message, and what became of each of its objects.

    Raises:
        RejectedError: there is no such request (REQUEST_NOT_FOUND).
    """
    with transaction() as session:
        found = request_facts.one(session, word)
        if found is None:
            raise RejectedError(f"no request {word!r}", code=REQUEST_NOT_FOUND)
        return found, request_facts.children(session, found["request_id"])
