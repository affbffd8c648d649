"""A partner whose server is a folder: the simplest real inbox, and a handler that counts what it applies.

A data file is `HDR`, one `key|number` a line, and `TRL|count`; its name: `{kind}_{sender}_{date}_{seq6}_r{rev}.dat`.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import text

from canonical.billing import FileAcknowledgement, ItemVerdict
from canonical.codes import file as codes
from canonical.codes import transport
from canonical.errors import RejectedError, UnavailableError
from canonical.messages import (
    FetchedFile,
    FileFacts,
    FileIdentity,
    Item,
    Manifest,
    Message,
    OfferedFile,
    Outcome,
    Parcel,
    Rejection,
)
from flows.file_handling import FileContext
from store.session import Session

NAME = re.compile(r"(?P<kind>RQ|RF)_(?P<sender>\w+?)_(?P<date>\d{8})_(?P<seq>\d{6})_r(?P<rev>\d)\.dat")
KINDS = {"RQ": "request", "RF": "reference"}


def content(*lines: str, trailer: str | None = None) -> bytes:
    """Return a data file of these item lines; `trailer` replaces the right one, an empty one leaves it out."""
    trailer = f"TRL|{len(lines)}" if trailer is None else trailer
    return "".join(f"{line}\n" for line in ("HDR", *lines, trailer) if line).encode()


def name(sequence: int, *, kind: str = "RQ", day: str = "20260302", revision: int = 0) -> str:
    """Return a file name of the partner's pattern."""
    return f"{kind}_CIS_{day}_{sequence:06}_r{revision}.dat"


@dataclass
class FolderPartner:
    """Inbox, reader and destination over one folder."""

    folder: Path
    cut_after: int = 99
    """Files after which a fetch is cut."""

    fetched: list[str] = field(default_factory=list)

    def offer(self, name: str, data: bytes, *, control: bool = True, **wrong: Any) -> None:
        """Lay a file into the outbox, with its control file unless said otherwise; `wrong` overrides facts in it."""
        outbox = self.folder / "outbox"
        outbox.mkdir(parents=True, exist_ok=True)
        (outbox / name).write_bytes(data)
        if control:
            sequence = int(found["seq"]) if (found := NAME.fullmatch(name)) else 0
            facts = {"sha256": hashlib.sha256(data).hexdigest(), "sequence": sequence, "records": {}} | wrong
            (outbox / f"{name}.ctl").write_text(json.dumps(facts))

    def left(self, folder: str = "outbox") -> list[str]:
        """Return the data files in one of the folders."""
        return sorted(path.name for path in (self.folder / folder).glob("*") if path.suffix != ".ctl")

    def offered(self) -> Sequence[OfferedFile]:
        outbox = self.folder / "outbox"
        return [
            OfferedFile(name, (outbox / name).stat().st_size, 0.0, (outbox / f"{name}.ctl").exists())
            for name in self.left()
        ]

    def fetch(self, files: Sequence[OfferedFile], into: Path) -> Iterator[FetchedFile]:
        into.mkdir(parents=True, exist_ok=True)
        for file in files:
            source = self.folder / "outbox" / file.name
            if not source.exists():
                continue
            if len(self.fetched) >= self.cut_after:
                raise UnavailableError("cut", code=transport.SFTP_AWAY)
            data = source.read_bytes()
            self.fetched.append(file.name)
            (into / file.name).write_bytes(data)
            control = source.with_name(f"{file.name}.ctl")
            manifest, refusal = None, None
            if control.exists():
                said = json.loads(control.read_text())
                manifest = Manifest(file.name, len(data), said["sha256"], said["records"], {}, said["sequence"])
                if said["sha256"] != hashlib.sha256(data).hexdigest():
                    refusal = RejectedError("other content", code=transport.MANIFEST_MISMATCH, where=file.name)
            yield FetchedFile(file, into / file.name, hashlib.sha256(data).hexdigest(), manifest, refusal)

    def retire(self, files: Sequence[OfferedFile], *, accepted: bool) -> None:
        target = self.folder / ("archive" if accepted else "reject")
        target.mkdir(parents=True, exist_ok=True)
        for file in files:
            source = self.folder / "outbox" / file.name
            if source.exists():
                source.replace(target / file.name)
                source.with_name(f"{file.name}.ctl").unlink(missing_ok=True)

    def identify(self, name: str) -> FileIdentity:
        if name.endswith(".ack"):
            return FileIdentity("acknowledgement", "CIS")
        if (found := NAME.fullmatch(name)) is None:
            raise RejectedError(f"{name!r}", code=codes.UNKNOWN_NAME)
        day = date(int(found["date"][:4]), int(found["date"][4:6]), int(found["date"][6:]))
        kind: Any = KINDS[found["kind"]]
        return FileIdentity(
            kind,
            found["sender"],
            receiver="HUB",
            env="TEST",
            business_date=day,
            sequence=int(found["seq"]),
            revision=int(found["rev"]),
            stream=f"CIS/{kind}",
        )

    def examine(self, stream: BinaryIO, *, identity: FileIdentity, where: str) -> FileFacts:
        lines = stream.read().decode("utf-8", errors="replace").splitlines()
        if identity.kind == "acknowledgement":
            return FileFacts({}, {}, {}, 1, 0)
        if not lines or not lines[-1].startswith("TRL|"):
            raise RejectedError("no TRL", code=codes.TRAILER_MISSING, where=where)
        if int(lines[-1][4:]) != len(lines) - 2:
            raise RejectedError("counts differ", code=codes.TRAILER_MISMATCH, where=where)
        bad = sum(not line.partition("|")[2].isdecimal() for line in lines[1:-1])
        return FileFacts({}, {"ITM": len(lines) - 2}, {"SUM": Decimal(0)}, len(lines) - 2, bad)

    def items(self, stream: BinaryIO, *, identity: FileIdentity, where: str) -> Iterator[Item[Any] | Rejection]:
        for number, raw in enumerate(stream, 1):
            line = raw.decode("utf-8", errors="replace").rstrip("\n")
            key, _, value = line.partition("|")
            if key in ("HDR", "TRL"):
                continue
            if value.isdecimal() or identity.kind == "acknowledgement":
                yield Item(number, key, value)
            else:
                yield Rejection(number, str(codes.BAD_FIELD), f"{value!r} is no whole number", key=key)

    def encode(self, message: Message[Any], *, spool: Path) -> Parcel:
        said: FileAcknowledgement = message.payload
        body = json.dumps(
            {
                "file": said.file_name,
                "verdict": said.verdict,
                "code": said.code,
                "reason": said.reason,
                "at": said.at.isoformat(),
                "items": [[item.key, item.verdict, item.code] for item in said.items],
            }
        ).encode()
        digest = hashlib.sha256(body).hexdigest()
        key = message.header.message_id
        return Parcel(f"{said.file_name}.ack", "application/json", digest, len(body), body, key=key)

    def carry(self, parcels: Sequence[Parcel], *, spool: Path, timeout_s: float) -> Sequence[Outcome]:
        return [Outcome("sent") for _ in parcels]


class Counting:
    """Handler that writes each item it applies into the table `effect`, and how often it began and finished."""

    def begin(self, session: Session, file: FileContext) -> None:
        self._note(session, file, "begin")

    def handle(
        self, session: Session, file: FileContext, batch: Sequence[Item[Any] | Rejection], *, now: datetime
    ) -> Sequence[ItemVerdict]:
        verdicts = []
        for item in batch:
            if isinstance(item, Rejection):
                verdicts.append(ItemVerdict(item.key, "REJECTED", item.code, item.reason, item.line))
                continue
            self._note(session, file, item.key)
            verdicts.append(ItemVerdict(item.key, "ACCEPTED", line=item.line))
        return verdicts

    def finish(self, session: Session, file: FileContext, *, now: datetime) -> None:
        self._note(session, file, "finish")

    def _note(self, session: Session, file: FileContext, what: str) -> None:
        session.execute(
            text("INSERT INTO effect (name, what) VALUES (:name, :what)"), {"name": file.name, "what": what}
        )


def create_effects(session: Session) -> None:
    """Create the table of effects."""
    session.execute(text("CREATE TABLE IF NOT EXISTS effect (name TEXT, what TEXT)"))


def effects(session: Session) -> list[tuple[str, str]]:
    """Return every effect there was, by file and key."""
    return [(row[0], row[1]) for row in session.execute(text("SELECT name, what FROM effect ORDER BY name, what"))]


START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
"""Business and machine time at which tests begin."""
