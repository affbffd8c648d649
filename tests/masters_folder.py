"""A system that lays files of masters into a folder: written by hand, read by the real reader of `masters/1`."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from canonical.billing import FileAcknowledgement
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
from sftp.formats import masters

TAGS = ("CUS", "ACC", "LOC", "UPT", "MTR", "REG", "INS", "AGR", "TOP", "CYC", "DEL")


def masters_file(
    lines: Sequence[str], *, sender: str, watermark: str, sequence: int = 1, mode: str = "FULL"
) -> tuple[str, bytes]:
    """Return name and content of a file with these records; header and trailer are made for them."""
    day = watermark[:10]
    stem = f"MX_{sender}_AMIHUB_TEST_{mode}_{day.replace('-', '')}_{sequence:06}_r0"
    head = [
        "HDR",
        "masters",
        "1",
        stem,
        sender,
        "AMIHUB",
        "TEST",
        watermark,
        day,
        "UTC",
        str(sequence),
        mode,
        watermark,
    ]
    counts = Counter(line[:3] for line in lines)
    digest = hashlib.sha256("".join(f"{line.split('|')[1]}\n" for line in lines).encode()).hexdigest()
    trailer = ["TRL", *(str(counts[tag]) for tag in TAGS), digest]
    return f"{stem}.dat", "\n".join(["|".join(head), *lines, "|".join(trailer), ""]).encode()


class MastersFolder:
    """Inbox, reader and destination of one system over one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def offer(self, file: tuple[str, bytes]) -> None:
        outbox = self.folder / "outbox"
        outbox.mkdir(parents=True, exist_ok=True)
        (outbox / file[0]).write_bytes(file[1])

    def left(self, folder: str = "outbox") -> list[str]:
        return sorted(path.name for path in (self.folder / folder).glob("*"))

    def offered(self) -> Sequence[OfferedFile]:
        outbox = self.folder / "outbox"
        return [OfferedFile(name, (outbox / name).stat().st_size, 0.0, True) for name in self.left()]

    def fetch(self, files: Sequence[OfferedFile], into: Path) -> Iterator[FetchedFile]:
        into.mkdir(parents=True, exist_ok=True)
        for file in files:
            data = (self.folder / "outbox" / file.name).read_bytes()
            (into / file.name).write_bytes(data)
            digest = hashlib.sha256(data).hexdigest()
            manifest = Manifest(file.name, len(data), digest, {}, {}, int(file.name.split("_")[-2]))
            yield FetchedFile(file, into / file.name, digest, manifest)

    def retire(self, files: Sequence[OfferedFile], *, accepted: bool) -> None:
        target = self.folder / ("archive" if accepted else "reject")
        target.mkdir(parents=True, exist_ok=True)
        for file in files:
            source = self.folder / "outbox" / file.name
            if source.exists():
                source.replace(target / file.name)

    def identify(self, name: str) -> FileIdentity:
        return masters.identify(name)

    def examine(self, stream: BinaryIO, *, identity: FileIdentity, where: str) -> FileFacts:
        return masters.examine(stream, where=where)

    def items(self, stream: BinaryIO, *, identity: FileIdentity, where: str) -> Iterator[Item[Any] | Rejection]:
        return masters.items(stream, where=where)

    def encode(self, message: Message[Any], *, spool: Path) -> Parcel:
        said: FileAcknowledgement = message.payload
        items = [[item.key, item.verdict, item.code] for item in said.items]
        body = json.dumps({"file": said.file_name, "verdict": said.verdict, "items": items}).encode()
        key = message.header.message_id
        return Parcel(f"{said.file_name}.ack", "x", hashlib.sha256(body).hexdigest(), len(body), body, key=key)

    def carry(self, parcels: Sequence[Parcel], *, spool: Path, timeout_s: float) -> Sequence[Outcome]:
        return [Outcome("sent") for _ in parcels]
