"""Taking again what came in before: the archived bytes, under the same id, in a new attempt; rehearsed where wanted."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from canonical.codes.message import NOT_IN_STORE
from canonical.errors import RejectedError
from store import messages, parked, tracing
from store.retention import REMOVED
from store.session import Session, Transaction


@dataclass(frozen=True, slots=True)
class Archived:
    """What is kept of one thing that arrived."""

    entry: int
    source: str
    name: str
    """Message id of a file; empty for a message of a web service."""
    state: str
    """received, working, done, parked, waived."""
    code: str
    sha256: str
    size: int
    path: str
    """Spool path, where the bytes are not in `body`."""
    body: bytes | None
    """Bytes as they came; None where they lie in the spool, or were removed by retention."""


@contextmanager
def rehearsal(transaction: Transaction) -> Iterator[Transaction]:
    """Give an opener of transactions whose effects are seen by the next one and gone at the end of the block.

    One real transaction surrounds them all, so that any flow may be tried out; keep it short.
    """
    with transaction() as session:

        @contextmanager
        def inside() -> Iterator[Session]:
            with session.begin_nested():
                yield session

        yield inside
        session.rollback()


def look(entry: int, *, transaction: Transaction) -> Archived:
    """Return what is kept of an entry.

    Raises:
        RejectedError: there is no such entry (NOT_IN_STORE).
    """
    with transaction() as session:
        facts = tracing.show(session, str(entry)).facts
        body = None if facts["path"] else messages.body(session, entry)
    named = {name: facts[name] for name in ("entry", "source", "name", "state", "code", "sha256", "size", "path")}
    found = Archived(**named, body=body)
    if body is None and (not found.path or found.path.startswith(REMOVED)):
        raise RejectedError(f"the bytes of message {entry} were removed by retention", code=NOT_IN_STORE)
    return found


def reopen(entry: int, *, transaction: Transaction, now: datetime, by: str) -> None:
    """Let a message be handled once more; who decided so, and when, is kept.

    Raises:
        RejectedError: it was taken whole, waived, or is being handled (NOT_REPLAYABLE).
    """
    with transaction() as session:
        parked.reopen(session, entry, by=by, now=now)
