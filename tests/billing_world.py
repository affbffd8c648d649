"""The simplest real outside world for billing: a CIS that is a folder, an MDMS that is a book of readings.

The CIS writes and reads the wire format of docs/adapters/cis_flatfile.md; the MDMS answers what its book holds.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from adapters.cis_flatfile.adapter import FlatFileCis
from adapters.cis_flatfile.settings import settings_from
from canonical.billing import (
    BilledRow,
    BillingPart,
    BillingRequestItem,
    FileAcknowledgement,
    ItemVerdict,
    Verdict,
)
from canonical.codes.message import PARTNER_AWAY
from canonical.errors import UnavailableError
from canonical.messages import (
    FetchedFile,
    FileFacts,
    FileIdentity,
    Item,
    Message,
    OfferedFile,
    Outcome,
    Parcel,
    Rejection,
)
from canonical.metering import MeterReadings, ReadingQuestion
from flows import billing_exchange as flow
from flows.billing_exchange import Interface
from flows.delivery import relay_once
from sftp.formats import billed, billing_drop, billing_request, reference
from sftp.manifest import acknowledgement_to_json
from store.session import Transaction

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGrCVbPqlj0KFTDQqYXDGF7dJrDtcD5lmyQ0r7HFUg6m"
MACHINE = datetime(2030, 1, 1, tzinfo=UTC)


class FolderCis:
    """A CIS whose server is a folder: `outbound` is theirs, `inbound` is ours to write."""

    def __init__(self, folder: Path) -> None:
        self.out, self.inbound = folder / "outbound", folder / "inbound"
        for place in (self.out, self.inbound):
            place.mkdir(parents=True, exist_ok=True)
        self.full = False
        """Whether its disk is full: it refuses whatever is brought."""
        self._wire = FlatFileCis(
            settings_from({"host": "none", "user": "none", "host_keys": [KEY], "password": "none"})
        )

    def offered(self) -> Sequence[OfferedFile]:
        """Every file is whole: it was placed under its name."""
        found = sorted(path for path in self.out.iterdir() if path.is_file())
        return [OfferedFile(p.name, p.stat().st_size, 0.0, has_manifest=True) for p in found]

    def fetch(self, files: Sequence[OfferedFile], into: Path) -> Iterator[FetchedFile]:
        """Copy files into the spool."""
        for file in files:
            content = (self.out / file.name).read_bytes()
            path = into / file.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            yield FetchedFile(file, path, hashlib.sha256(content).hexdigest(), None)

    def retire(self, files: Sequence[OfferedFile], *, accepted: bool) -> None:
        """Move files away."""
        folder = self.out.parent / ("archive" if accepted else "reject")
        folder.mkdir(exist_ok=True)
        for file in files:
            path = self.out / file.name
            if path.exists():
                path.replace(folder / file.name)

    def identify(self, name: str) -> FileIdentity:
        """By the CIS's patterns."""
        return self._wire.identify(name)

    def examine(self, stream: BinaryIO, *, identity: FileIdentity, where: str) -> FileFacts:
        """By the CIS's layouts."""
        return self._wire.examine(stream, identity=identity, where=where)

    def items(self, stream: BinaryIO, *, identity: FileIdentity, where: str) -> Iterator[Item[Any] | Rejection]:
        """By the CIS's layouts."""
        return self._wire.items(stream, identity=identity, where=where)

    def encode(self, message: Message[Any], *, spool: Path) -> Parcel:
        """By the CIS's layouts."""
        return self._wire.encode(message, spool=spool)

    def carry(self, parcels: Sequence[Parcel], *, spool: Path, timeout_s: float) -> Sequence[Outcome]:
        """Write into the inbox; a file that lies there with other bytes is never overwritten."""
        outcomes = []
        for parcel in parcels:
            content = parcel.body if parcel.body is not None else (spool / parcel.path).read_bytes()
            path = self.inbound / parcel.name
            if self.full:
                outcomes.append(Outcome("rejected", "7090 PARTNER_REFUSES", "no space left"))
                continue
            if path.exists() and path.read_bytes() != content:
                outcomes.append(Outcome("rejected", "7041 NAME_TAKEN", parcel.name))
                continue
            path.write_bytes(content)
            outcomes.append(Outcome("confirmed" if parcel.body is not None else "sent"))
        return outcomes


@dataclass
class BookMdms:
    """An MDMS that answers from a book, counts what it was asked, and keeps what it was told."""

    book: Callable[[], Mapping[str, Sequence[MeterReadings]]]
    away: bool = False
    asked: list[ReadingQuestion] = field(default_factory=list)
    told: list[Any] = field(default_factory=list)

    def readings(self, questions: Sequence[ReadingQuestion], *, timeout_s: float) -> Iterator[MeterReadings]:
        """Yield what the book holds."""
        if self.away:
            raise UnavailableError("the book is closed", code=PARTNER_AWAY)
        self.asked.extend(questions)
        book = self.book()
        for question in questions:
            yield from book.get(question.usage_point, ())

    def encode(self, message: Message[Any], *, spool: Path) -> Parcel:
        """Say notices as JSON."""
        body = json.dumps([str(one) for one in message.payload]).encode()
        digest = hashlib.sha256(body).hexdigest()
        return Parcel("notice", "application/json", digest, len(body), body=body, key=message.header.message_id)

    def carry(self, parcels: Sequence[Parcel], *, spool: Path, timeout_s: float) -> Sequence[Outcome]:
        """Hear notices."""
        self.told += [line for parcel in parcels for line in json.loads(parcel.body or b"[]")]
        return [Outcome("confirmed") for _ in parcels]


@dataclass
class Night:
    """A billing night: the partners, the hub's store, and passes over them."""

    interface: Interface
    cis: Any
    mdms: Any
    transaction: Transaction
    spool: Path
    counters: dict[str, int] = field(default_factory=dict)
    machine: datetime = MACHINE

    def pass_at(self, now: datetime) -> flow.Verdict:
        """Run one pass as the DAG does, with the relay behind it."""
        self.machine += timedelta(hours=1)
        ports = {"cis": self.cis, "mdms": self.mdms}
        self.taken = flow.take_in(
            self.interface,
            ports={"cis": self.cis},
            transaction=self.transaction,
            spool=self.spool,
            now=now,
            machine_now=self.machine,
        )
        self.advanced = []
        for _ in range(10):
            batches = flow.plan(self.interface, transaction=self.transaction, now=now)
            if not batches:
                break
            for batch in batches:
                self.advanced.append(
                    flow.advance(self.interface, batch, meter_data=self.mdms, transaction=self.transaction, now=now)
                )
        self.handed = flow.hand_on(self.interface, ports=ports, transaction=self.transaction, spool=self.spool, now=now)
        for _ in range(20):
            report = relay_once(
                ports, transaction=self.transaction, spool=self.spool, now=now, machine_now=self.machine
            )
            if not report.carried:
                break
        return flow.verdict(self.interface, transaction=self.transaction, now=now)

    def reference(self, things: Sequence[Any], *, day: date) -> None:
        """Let the CIS send reference data."""
        sequence = self._next("reference")
        name = f"RF_CISMASS_AMIHUB_TEST_MASTER_{day:%Y%m%d}_{sequence:06d}_r0.dat"
        header = _header("RF", sequence, day, kind="MASTER")
        self._place(name, b"".join(reference.write(header, things)))

    def requests(self, items: Sequence[BillingRequestItem], *, day: date, kind: str = "ON", cycle: str = "07") -> str:
        """Let the CIS ask for bills."""
        sequence = self._next("request")
        name = f"BR_CISMASS_AMIHUB_TEST_{kind}_{cycle}_{day:%Y%m%d}_{sequence:06d}_r0.dat"
        header = _header("BR", sequence, day, type=kind, cycle=cycle)
        self._place(name, b"".join(billing_request.write(header, items)))
        return name

    def acknowledge(
        self, name: str, verdict: Verdict = "ACCEPTED", *, reason: str = "", refused: Sequence[str] = ()
    ) -> None:
        """Let the CIS say what it made of a part."""
        content = (self.cis.inbound / name).read_bytes()
        items = tuple(ItemVerdict(key, "REJECTED", "E17", "no such tariff") for key in refused)
        said = FileAcknowledgement(name, hashlib.sha256(content).hexdigest(), verdict, "", reason, items, MACHINE)
        self._place(f"{name.removesuffix('.dat')}.ack", acknowledgement_to_json(said))

    def bill(self, rows: Sequence[BilledRow], *, day: date) -> None:
        """Let the CIS say what it billed."""
        sequence = self._next("billed")
        name = f"BX_CISMASS_AMIHUB_TEST_BILLED_{day:%Y%m%d}_{sequence:06d}_r0.dat"
        header = _header("BX", sequence, day)
        self._place(name, b"".join(billed.write(header, rows)))

    def parts(self) -> dict[str, BillingPart]:
        """Return what the CIS has received, by file name, read back from the wire."""
        found = {}
        for path in sorted(self.cis.inbound.glob("BD_*.dat")):
            found[path.name] = billing_drop.part_from_bytes(path.read_bytes(), where=path.name)
        return found

    def _place(self, name: str, content: bytes) -> None:
        """Put a file into the CIS's outbox at once."""
        (self.cis.out / name).write_bytes(content)

    def _next(self, stream: str) -> int:
        """Return the next number of a stream of files."""
        self.counters[stream] = self.counters.get(stream, 0) + 1
        return self.counters[stream]


def _header(tag: str, sequence: int, day: date, **more: object) -> dict[str, object]:
    """Return the header fields of a file of the CIS."""
    return {
        "file_id": f"{tag}-{sequence}",
        "sender": "CISMASS",
        "receiver": "AMIHUB",
        "env": "TEST",
        "created": datetime(2026, 1, 1, tzinfo=UTC),
        "business_date": day,
        "zone": "America/Toronto",
        "sequence": sequence,
        **more,
    }
