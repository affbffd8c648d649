"""The port of a NEM file provider: files come over SFTP, acknowledgements go back. No state, no business."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from adapters.mdms_nem.names import identity_from_name
from adapters.mdms_nem.settings import Settings, settings_from
from adapters.mdms_nem.translate import readings_from_records
from canonical.billing import FileAcknowledgement
from canonical.messages import (
    FileFacts,
    FileIdentity,
    Item,
    Message,
    Parcel,
    Rejection,
)
from sftp.formats import masters, nem, reference
from sftp.formats.nem_records import EXACT, Accumulation, Channel, Day, End, Header, Record
from sftp.mailbox import Mailbox
from sftp.outgoing import acknowledgement_parcel


def build(settings: Mapping[str, object]) -> "NemFiles":
    """Return the port for one role of the site file.

    Raises:
        MisconfiguredError: a setting is missing, unknown or impossible.
    """
    return NemFiles(settings_from(settings))


class NemFiles:
    """Answers `canonical.ports.MeterDataFiles` and takes file acknowledgements as a `Destination`."""

    def __init__(self, settings: Settings) -> None:
        """Keep the settings; nothing is connected before a method needs it."""
        self._settings = settings
        mailbox = Mailbox(settings.mailbox)
        # How files travel is the carrier's, whoever the partner is; what they mean stands below.
        self.offered, self.fetch, self.carry, self.ping = mailbox.offered, mailbox.fetch, mailbox.carry, mailbox.ping
        self.retire = partial(mailbox.retire, identify=self.identify)

    def identify(self, name: str) -> FileIdentity:
        """Return what a name says: readings (NEM), meters' masters (reference), or all that it holds (masters).

        Raises:
            RejectedError: none of these names.
        """
        return identity_from_name(name)

    def examine(self, stream: BinaryIO, *, identity: FileIdentity, where: str) -> FileFacts:
        """Read a file whole, once, and say what it holds.

        Raises:
            RejectedError: the file must be refused whole; the place names file and line.
        """
        if identity.kind == "reference":
            return reference.examine(stream, where=where)
        if identity.kind == "masters":
            return masters.examine(stream, identity=identity, where=where)
        tally = _Tally()
        for found in self._readings(tally.counted(nem.read(stream, where=where))):
            tally.items += 1
            tally.bad_items += isinstance(found, Rejection)
        return FileFacts(tally.header, dict(+tally.records), dict(tally.totals), tally.items, tally.bad_items)

    def items(self, stream: BinaryIO, *, identity: FileIdentity, where: str) -> Iterator[Item[Any] | Rejection]:
        """Yield the readings (or masters' rows) of an examined file in order."""
        if identity.kind == "reference":
            return reference.items(stream, where=where)
        if identity.kind == "masters":
            return masters.items(stream, where=where)
        return self._readings(nem.read(stream, where=where))

    def _readings(self, records: Iterator[Record]) -> Iterator[Item[Any] | Rejection]:
        """Return the readings of records in the feed's clock."""
        return readings_from_records(records, zone=self._settings.zone, source=self._settings.source)

    def encode(self, message: Message[FileAcknowledgement], *, spool: Path) -> Parcel:
        """Return the acknowledgement of one of the provider's files as `{stem}.ack`."""
        return acknowledgement_parcel(message.payload, message.header.message_id)


class _Tally:
    """Counts what passes by."""

    def __init__(self) -> None:
        """Start from nothing."""
        self.header: dict[str, str] = {}
        self.records: Counter[str] = Counter()
        self.totals: defaultdict[str, Decimal] = defaultdict(Decimal)
        self.items = 0
        self.bad_items = 0

    def counted(self, records: Iterator[Record]) -> Iterator[Record]:
        """Yield the records on, counted by record type, with totals by suffix and unit as written (`E1.kWh`)."""
        for record in records:
            self._count(record)
            yield record

    def _count(self, record: Record) -> None:
        """Count one record and what hangs below it."""
        match record:
            case Header():
                self.records["100"] += 1
                self.header = {
                    "version": record.version,
                    "created": record.created,
                    "sender": record.sender,
                    "receiver": record.receiver,
                }
            case Day():
                self.records["300"] += 1
                self.records["400"] += len(record.runs) if record.quality == "V" else 0
                self.records["500"] += len(record.transactions)
                self._add(record.channel.suffix, record.channel.unit, record.total)
            case Accumulation():
                self.records["250"] += 1
                self.records["550"] += len(record.transactions)
                self._add(record.suffix, record.unit, record.quantity)
            case Channel():
                self.records["200"] += 1
            case End():
                self.records["900"] += 1

    def _add(self, suffix: str, unit: str, quantity: Decimal) -> None:
        """Add a quantity to the total of its kind."""
        name = f"{suffix}.{unit}"
        self.totals[name] = EXACT.add(self.totals[name], quantity)
