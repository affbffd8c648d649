"""Reference data from its masters: each row a version, effective-dated, never overwritten (ruling 6)."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from canonical.billing import ItemVerdict
from canonical.customers import BillCycleDay, CustomerAgreement, TouCalendar
from canonical.holdings import registers_text
from canonical.messages import Item, Rejection
from canonical.metering import Installation, UsagePoint
from canonical.names import normal_serial
from flows.file_handling import FileContext
from flows.master_columns import KEPT, multiplier_text
from store import reference
from store.master_changes import NOBODY, Provenance
from store.reference import Recorded
from store.session import Session

Thing = UsagePoint | CustomerAgreement | BillCycleDay | TouCalendar | Installation


@dataclass(frozen=True, slots=True)
class ReferenceHandler:
    """Takes reference files of the CIS and of the meters' master."""

    def begin(self, session: Session, file: FileContext) -> None:
        """Nothing is opened for a reference file."""

    def handle(
        self, session: Session, file: FileContext, batch: Sequence[Item[Any] | Rejection], *, now: datetime
    ) -> Sequence[ItemVerdict]:
        """Keep the rows of a batch; a row that is held already, value for value, is a repeat."""
        reference.lock(session)
        by = Provenance(file.role, file.file_id, file.received_at)
        record(session, [entry.payload for entry in batch if isinstance(entry, Item)], now=now, by=by)
        return [
            ItemVerdict(entry.key, entry.verdict, entry.code, entry.reason, entry.line)
            if isinstance(entry, Rejection)
            else ItemVerdict(entry.key, "ACCEPTED", line=entry.line)
            for entry in batch
        ]

    def finish(self, session: Session, file: FileContext, *, now: datetime) -> None:
        """Nothing is left to do."""


def record(session: Session, things: Sequence[Thing], *, now: datetime, by: Provenance = NOBODY) -> Recorded:
    """Keep what masters say, as `by` says it, in one statement set for each kind of thing, and return what changed."""
    total = Recorded()
    for kind, (table, row_of) in _ROWS.items():
        mine = [thing for thing in things if isinstance(thing, kind)]
        if mine:
            total += reference.record(session, table, [row_of(thing) for thing in mine], now=now, by=by)
    return total


def _cycle_day(thing: BillCycleDay) -> dict[str, Any]:
    """Return the row of a date of a bill cycle."""
    return {
        "cycle": thing.cycle, "business_date": thing.business_date.isoformat(), "period_start": thing.period.start,
        "period_end": thing.period.end,
    }  # fmt: skip


def _calendar(thing: TouCalendar) -> dict[str, Any]:
    """Return the row of a time-of-use calendar."""
    windows = [
        [w.days, w.start.isoformat(), w.end.isoformat(), w.bucket, w.season, w.first_day, w.last_day]
        for w in thing.windows
    ]
    return {
        "calendar": thing.calendar, "calendar_version": thing.version, "zone": thing.zone,
        "windows": json.dumps(windows), "holidays": json.dumps(sorted(day.isoformat() for day in thing.holidays)),
    }  # fmt: skip


def _installation(thing: Installation) -> dict[str, Any]:
    """Return the row of a meter at a usage point."""
    return {
        "meter": thing.meter, "usage_point": thing.usage_point, "manufacturer": thing.manufacturer,
        "serial": thing.serial, "serial_normal": normal_serial(thing.serial), "commodity": thing.commodity,
        "installed_at": thing.installed_at, "removed_at": thing.removed_at,
        "multiplier": multiplier_text(thing.multiplier), "registers": registers_text(thing.registers),
    }  # fmt: skip


_ROWS: dict[Any, tuple[Any, Callable[[Any], dict[str, Any]]]] = {
    UsagePoint: (reference.USAGE_POINT, KEPT["usage_point"].row_of),
    CustomerAgreement: (reference.AGREEMENT, KEPT["agreement"].row_of),
    BillCycleDay: (reference.BILL_CYCLE_DAY, _cycle_day),
    TouCalendar: (reference.TOU_CALENDAR, _calendar),
    Installation: (reference.INSTALLATION, _installation),
}
"""Where each kind of thing is kept, and how."""
