"""Which flow takes a file of masters: changes, a first-time load that awaits it, or reconciliation as a snapshot."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from canonical.billing import ItemVerdict
from canonical.messages import Item, Rejection
from flows.file_handling import CountsRejected, FileContext, FileHandler
from flows.file_resends import resolve_resent
from store import master_loads
from store.session import Session, Transaction


@dataclass(frozen=True, slots=True)
class MastersHandler:
    """Hands each file of masters to the flow that it is for (`flows.file_handling.FileHandler`)."""

    load: FileHandler
    changes: FileHandler
    snapshot: FileHandler

    def begin(self, session: Session, file: FileContext) -> None:
        """Begin a file where it belongs: a whole one in the load that is open for its system, if there is one.

        Raises:
            RejectedError: it is refused whole.
        """
        run = master_loads.current(session)
        is_awaited = run is not None and run["state"] in ("loading", "paused") and file.role in run["roles"]
        (self.load if _is_whole(file) and is_awaited else self._of(session, file)).begin(session, file)

    def handle(
        self, session: Session, file: FileContext, batch: Sequence[Item[Any] | Rejection], *, now: datetime
    ) -> Sequence[ItemVerdict]:
        """Take a batch where the file was begun."""
        return self._of(session, file).handle(session, file, batch, now=now)

    def finish(self, session: Session, file: FileContext, *, now: datetime) -> None:
        """Finish a file where it was begun."""
        self._of(session, file).finish(session, file, now=now)

    def again(self, session: Session, file: FileContext, *, rejected: int) -> None:
        """Forget so many rejected items, which are handed in again, where anybody counts them.

        Raises:
            RejectedError: it is too late for them (NOT_REPLAYABLE).
        """
        handler = self._of(session, file)
        if isinstance(handler, CountsRejected):
            handler.again(session, file, rejected=rejected)

    def _of(self, session: Session, file: FileContext) -> FileHandler:
        """Return who takes a file; what a load refused that is over by now is a change like any other."""
        if not _is_whole(file):
            return self.changes
        mine = master_loads.file(session, file.file_id)
        if mine is None:
            return self.snapshot
        run = master_loads.found(session, mine["run_id"])
        return self.changes if run is not None and run["state"] == "done" else self.load


def _is_whole(file: FileContext) -> bool:
    return file.facts.header.get("mode", "") != "CHANGES"


def settle_resent(*, transaction: Transaction, now: datetime) -> int:
    """End the work of refused files that came again whole, and return how many items of work."""
    with transaction() as session:
        return resolve_resent(session, now=now)
