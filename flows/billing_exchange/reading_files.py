"""Files of meter data: kept under the mRIDs of their usage points; what nobody knows is rejected item by item."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from canonical.billing import ItemVerdict
from canonical.codes.identity import READINGS_UNRESOLVED
from canonical.messages import Item, Rejection
from flows.billing_exchange import late, resolving
from flows.file_handling import FileContext
from store import readings
from store.session import Session


@dataclass(frozen=True, slots=True)
class ReadingsHandler:
    """Takes files of readings, whichever interface they are for."""

    def begin(self, session: Session, file: FileContext) -> None:
        """Nothing is opened for readings."""

    def handle(
        self, session: Session, file: FileContext, batch: Sequence[Item[Any] | Rejection], *, now: datetime
    ) -> Sequence[ItemVerdict]:
        """Keep a batch of readings, and make the items due that rest on them."""
        verdicts: dict[int, ItemVerdict] = {}
        places = []
        for place, entry in enumerate(batch):
            if isinstance(entry, Rejection):
                verdicts[place] = ItemVerdict(entry.key, "REJECTED", entry.code, entry.reason, entry.line)
            else:
                verdicts[place] = ItemVerdict(entry.key, "ACCEPTED", line=entry.line)
                places.append(place)
        said = [entry.payload for entry in batch if isinstance(entry, Item)]
        resolved = resolving.resolve(session, said)
        for n, reason in resolved.unresolved:
            entry = batch[places[n]]
            verdicts[places[n]] = ItemVerdict(entry.key, "REJECTED", str(READINGS_UNRESOLVED), reason, entry.line)
        stored = readings.keep(session, resolved.readings, now=now, origin=file.name)
        late.mark(session, stored.touched, now=now)
        return [verdicts[place] for place in range(len(batch))]

    def finish(self, session: Session, file: FileContext, *, now: datetime) -> None:
        """Nothing is left to do."""
