"""MeterReadings too large to be held: kept in the spool, read as a stream, handed on in parts that fit."""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.events import EndDeviceEvent, ReadingsWithEvents
from canonical.messages import Header, Item, Message, Reply
from canonical.metering import MeterReadings
from flows.end_device_events import readings_with_events
from flows.parked_work import tell_parked
from flows.spooled_intake import SpooledFile, receive_spooled
from iec61968.bulk_call import Spooled
from iec61968.canonical_nouns.readings import readings_from_columns
from iec61968.dialects.device_events import Spoken, events_of_columns
from iec61968.editions import Edition
from iec61968.nouns import meter_readings
from iec61968.soap_body import discard
from iec61968.soap_call import Call
from services.cim_events import Dialects
from store.session import Session, Transaction

PART_VALUES = 20_000
"""Values that are handed on at once: what a part of a message takes in memory follows from it."""

FOLDER = "messages"
"""Folder of large messages, below the spool."""

TAKEN_IN_BULK = ("CreatedMeterReadings", "ChangedMeterReadings")


@dataclass(frozen=True, slots=True)
class BulkReadings:
    """Takes MeterReadings of any size from files below `spool`; a receiver for `iec61968.bulk_call.Bulk`."""

    spool: Path
    handle: Callable[..., Reply]
    transaction: Transaction
    now: Callable[[], datetime]
    machine_now: Callable[[], datetime]
    dialects: Dialects = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    queue: str = "integration"

    def __call__(self, body: Spooled, *, call: Call, check: Callable[[], bytes], edition: Edition) -> Reply:
        """Take one message durably; `check` judges what stands around its readings."""
        instant, caller = self.now(), call.caller or ""
        place = keep(body, self.spool / FOLDER)

        def header() -> Header:
            check()
            if call.operation not in TAKEN_IN_BULK or call.header is None:
                reason = f"{call.operation} of {body.size} bytes; only {' and '.join(TAKEN_IN_BULK)} are taken so large"
                raise RejectedError(reason, code=codes.MESSAGE_TOO_LARGE, where=call.operation)
            return Header(call.header.message_id, caller, **_rest(call.header))

        def items() -> Iterator[Item[Any]]:
            with place.open("rb") as stream:
                columns = meter_readings.decode(stream, edition=edition, policy=call.policy)
                yield from parts(columns, source=caller, spoken=self.dialects.get(caller, Spoken()))

        return receive_spooled(
            SpooledFile(str(place.relative_to(self.spool)), body.sha256, body.size),
            source=caller,
            header=header,
            items=items,
            handle=partial(self._handle, now=instant),
            transaction=self.transaction,
            now=instant,
            machine_now=self.machine_now,
            on_park=partial(tell_parked, source=caller, queue=self.queue, now=instant, known=True),
        )

    def _handle(self, session: Session, message: Message[Any], *, now: datetime) -> Reply:
        """Hand one part to whoever owns it."""
        own = partial(self.handle, now=now)
        if isinstance(message.payload, ReadingsWithEvents):
            return readings_with_events(session, message, handle=own, now=now, owners=self.owners)
        return own(session, message)


def _rest(header: Header) -> dict[str, Any]:
    return {name: getattr(header, name) for name in Header.__slots__ if name not in ("message_id", "source")}


def forget_unfinished(spool: Path, machine_now: datetime) -> int:
    """Remove what processes that died left half-written in the spool more than a day ago; return how many."""
    before = machine_now.timestamp() - 86_400
    stale = [*(spool / FOLDER).glob(".body-*.part"), *(spool / "answers").glob(".answer-*")]
    old = [one for one in stale if one.stat().st_mtime < before]
    for one in old:
        if one.is_dir():
            shutil.rmtree(one, ignore_errors=True)
        else:
            discard(one)
    return len(old)


def keep(body: Spooled, folder: Path) -> Path:
    """Return the place of a body in the spool, named by its hash: the same bytes again lie there already."""
    place = folder / body.sha256[:2] / f"{body.sha256}.xml"
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists() and place.stat().st_size == body.size:
        body.path.unlink()
        return place
    with body.path.open("rb") as file:
        os.fsync(file.fileno())
    body.path.replace(place)
    return place


def parts(
    columns: Iterable[meter_readings.MeterReadingColumns], *, source: str, spoken: Spoken
) -> Iterator[Item[tuple[MeterReadings, ...] | ReadingsWithEvents]]:
    """Yield readings in parts of about `PART_VALUES` values; each bears the number of its last MeterReading.

    Raises:
        RejectedError: one of them cannot be read.
    """
    held: list[MeterReadings] = []
    events: list[EndDeviceEvent] = []
    first, values, number = 1, 0, 0
    for number, one in enumerate(columns, 1):
        place = f"MeterReading[{number}]"
        told = readings_from_columns(one, source=source, where=place)
        happened = list(events_of_columns(one, source=source, spoken=spoken))
        if not happened or told.registers or told.blocks or told.events:
            held.append(told)
        events += happened
        values += len(told.registers) + sum(len(block.values) for block in told.blocks) + len(happened) + 1
        if values >= PART_VALUES:
            yield _part(first, number, held, events)
            held, events, first, values = [], [], number + 1, 0
    if held or events:
        yield _part(first, number, held, events)


def _part(
    first: int, last: int, held: list[MeterReadings], events: list[EndDeviceEvent]
) -> Item[tuple[MeterReadings, ...] | ReadingsWithEvents]:
    readings = tuple(held)
    payload = ReadingsWithEvents(readings, tuple(events)) if events else readings
    return Item(last, f"MeterReading {first}-{last}", payload)
