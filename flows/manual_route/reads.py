"""Manual reads: kept as readings of the meter that was read; of one that was exchanged meanwhile they are stopped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from canonical.billing import ItemVerdict
from canonical.codes.identity import READINGS_UNRESOLVED
from canonical.codes.shipments import ROUTE_STALE
from canonical.errors import ErrorCode
from canonical.messages import Item, Rejection
from canonical.metering import Installation, MeterReadings, Register, RegisterReading
from canonical.quality import Quality
from canonical.rollout import ManualRead
from canonical.work import WorkItem
from flows.billing_exchange.reading_files import ReadingsHandler
from flows.file_handling import FileContext
from flows.manual_route.whose import Found, Whose, whose
from flows.routing import deliver
from store import route_extracts, work
from store.rows import Row
from store.session import Session

MANUAL = "MANUAL"
"""The source's own quality of what a person read (house rule: a fact about use, not a quality)."""


@dataclass(frozen=True, slots=True)
class ManualReadsHandler:
    """Takes files of manual reads (`flows.file_handling.FileHandler`)."""

    queue: str = "rollout"

    def begin(self, session: Session, file: FileContext) -> None:
        """Nothing is opened for reads."""

    def handle(
        self, session: Session, file: FileContext, batch: Sequence[Item[Any] | Rejection], *, now: datetime
    ) -> Sequence[ItemVerdict]:
        """Keep a batch of reads by the flow of all readings, and say of each what became of it."""
        good: list[Item[Any]] = [one for one in batch if isinstance(one, Item)]
        found = whose(session, [one.payload for one in good])
        verdicts: dict[int, ItemVerdict] = {}
        kept: list[Item[Any]] = []
        became: list[tuple[Found, str]] = []
        for item, one in zip(good, found, strict=True):
            said, state = self._judge(session, file, item, one, now=now)
            if isinstance(said, MeterReadings):
                kept.append(Item(item.line, item.key, said))
            else:
                verdicts[item.line] = said
            became.append((one, state))
        for verdict in ReadingsHandler().handle(session, file, kept, now=now):
            verdicts[verdict.line] = verdict
        _note(session, became)
        return [
            verdicts[one.line]
            if isinstance(one, Item)
            else ItemVerdict(one.key, one.verdict, one.code, one.reason, one.line)
            for one in batch
        ]

    def finish(self, session: Session, file: FileContext, *, now: datetime) -> None:
        """Nothing is left to do."""

    def _judge(
        self, session: Session, file: FileContext, item: Item[ManualRead], found: Found, *, now: datetime
    ) -> tuple[MeterReadings | ItemVerdict, str]:
        """Return the readings of a read, or why there are none; with the state that its stop comes to."""
        read = item.payload
        if isinstance(found.whose, Whose) and found.whose.removed_at is not None:
            self._stop(session, item, found.whose, found.stop, now=now)
            return _refused(item, ROUTE_STALE, f"the meter was removed at {found.whose.removed_at}"), "SUPPRESSED"
        if isinstance(found.whose, str):
            return _refused(item, READINGS_UNRESOLVED, found.whose), ""
        if read.value is None:
            return ItemVerdict(item.key, "ACCEPTED", line=item.line), "SKIPPED"
        register = _register(found.whose.installation, read.register)
        if register is None:
            reason = f"meter {read.meter.serial} has no register {read.register!r}"
            return _refused(item, READINGS_UNRESOLVED, reason), ""
        return _readings(found.whose.installation, register, read, read.value, source=file.role), "READ"

    def _stop(
        self, session: Session, item: Item[ManualRead], whose_it_is: Whose, stop: Row | None, *, now: datetime
    ) -> None:
        """Make a read that came too late a person's work."""
        own = whose_it_is.installation
        handed = f"handed out at {stop['extracted_at']}" if stop is not None else "of no route that was handed out"
        words = f"{item.key} of {item.payload.read_at}, {handed}: the meter was removed at {whose_it_is.removed_at}"
        key = f"{own.usage_point}/{own.meter}"
        found = WorkItem(
            deliver.work_id(ROUTE_STALE, key), str(ROUTE_STALE), key, self.queue, words, now, Decimal(0),
            usage_point=own.usage_point, meter=own.meter, suggested=ROUTE_STALE.next_step,
        )  # fmt: skip
        work.raise_work(session, [found], now=now)


def _refused(item: Item[Any], code: ErrorCode, reason: str) -> ItemVerdict:
    return ItemVerdict(item.key, "REJECTED", str(code), reason, item.line)


def _register(installation: Installation, named: str) -> Register | None:
    """Return the register that a read names, by id or reading type; the only one of the meter where it names none."""
    own = [one for one in installation.registers if not one.interval_minutes]
    if not named:
        return own[0] if len(own) == 1 else None
    return next((one for one in own if named in (one.register, one.reading_type)), None)


def _readings(
    installation: Installation, register: Register, read: ManualRead, value: Decimal, *, source: str
) -> MeterReadings:
    """Return a read as a reading of the meter, raw, as the register shows it."""
    own = RegisterReading(
        installation.usage_point, installation.meter, register.reading_type, read.read_at, value, Quality.RAW, MANUAL,
        source,
    )  # fmt: skip
    return MeterReadings(installation.usage_point, installation.meter, (own,))


def _note(session: Session, became: Sequence[tuple[Found, str]]) -> None:
    """Note at the stops what became of them; one that was read on any register was read."""
    states: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    for found, state in became:
        if found.stop is not None and state:
            key = tuple(found.stop[name] for name in route_extracts.KEY)
            if state != "SKIPPED" or key not in states:
                states[key] = {**found.stop, "state": state}
    route_extracts.keep(session, list(states.values()))
