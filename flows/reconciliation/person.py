"""What people do about differences: look at one, let some stand under their name."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from canonical.codes.reconciliation import DIFFERENCE_NOT_FOUND
from canonical.errors import RejectedError
from store import recon_differences
from store.rows import Row
from store.session import Session, Transaction

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which differences are meant; an empty part does not matter."""

    difference: str = ""
    """Its id, or the beginning of it."""

    system: str = ""
    kind: str = ""
    field: str = ""
    klass: str = ""
    cause: str = ""
    object_id: str = ""

    @property
    def is_any(self) -> bool:
        """Whether nothing is named."""
        return self == Wanted()

    def columns(self) -> dict[str, str]:
        """Return what is wanted by column."""
        return {
            "system": self.system, "kind": self.kind, "field": self.field, "klass": self.klass, "cause": self.cause,
            "object_id": self.object_id,
        }  # fmt: skip


def chosen(
    wanted: Wanted, *, transaction: Transaction, states: Collection[str] = ("open",), limit: int = 100_000
) -> list[Row]:
    """Return the differences that are meant, by id.

    Raises:
        RejectedError: an id names none or more than one (DIFFERENCE_NOT_FOUND).
    """
    with transaction() as session:
        return _chosen(session, wanted, states, limit)


def waive(
    wanted: Wanted, *, by: str, reason: str, transaction: Transaction, now: datetime, limit: int = 100_000
) -> list[Row]:
    """Let the open differences that are meant stand, under a person's name and with a reason, and return them.

    They stay visible as KNOWN_WAIVED, and are open again when other values are found.

    Raises:
        RejectedError: nothing is named, or an id names none or more than one (DIFFERENCE_NOT_FOUND).
    """
    if wanted.is_any:
        raise RejectedError("name what is waived: a difference, a system, a kind, ...", code=DIFFERENCE_NOT_FOUND)
    with transaction() as session:
        rows = _chosen(session, wanted, ("open", "repairing"), limit)
        names = [row["difference_id"] for row in rows]
        values = {"state": "waived", "klass": "KNOWN_WAIVED", "disposition": "waived", "by": by, "reason": reason}
        recon_differences.settle(session, names, **values)
        recon_differences.act(session, names, "waived", by=by, reason=reason, now=now)
        return rows


def show(difference: str, *, transaction: Transaction) -> tuple[Row, Sequence[dict[str, Any]]]:
    """Return one difference, closed ones included, and what was done about it.

    Raises:
        RejectedError: an id names none or more than one (DIFFERENCE_NOT_FOUND).
    """
    with transaction() as session:
        row = _one(session, difference)
        return row, recon_differences.acts(session, row["difference_id"])


def _chosen(session: Session, wanted: Wanted, states: Collection[str], limit: int) -> list[Row]:
    if wanted.difference:
        row = _one(session, wanted.difference)
        return [row] if row["state"] in states else []
    rows: list[Row] = []
    after = ""
    while len(rows) < limit:
        page = recon_differences.selected(
            session, after=after, limit=min(_PAGE, limit - len(rows)), states=states, **wanted.columns()
        )
        if not page:
            break
        rows += page
        after = page[-1]["difference_id"]
    return rows


def _one(session: Session, prefix: str) -> Row:
    rows = recon_differences.found(session, prefix)
    if len(rows) != 1:
        reason = f"{len(rows)} differences answer to {prefix!r}"
        raise RejectedError(reason, code=DIFFERENCE_NOT_FOUND)
    return rows[0]
