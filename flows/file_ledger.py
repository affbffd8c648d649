"""What the ledger tells people of files: which came, what became of each; and letting a held one pass."""

from typing import Any

from store import files
from store.session import Transaction


def listed(
    *, transaction: Transaction, role: str = "", state: str = "", name: str = "", limit: int = 100
) -> tuple[dict[str, Any], ...]:
    """Return the facts of files, the latest first; `name` is a part of the name or a whole file id."""
    with transaction() as session:
        rows = files.listed(session, role=role, state=state, name=name, limit=limit)
        return tuple(row.model_dump() for row in rows)


def release(file_id: str, *, person: str, transaction: Transaction) -> None:
    """Let a held file pass at the next pass, in spite of its date or sequence.

    Raises:
        RejectedError: there is no such file, or it is not held.
    """
    with transaction() as session:
        files.release(session, file_id, person=person)
