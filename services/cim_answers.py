"""Answers of any size: written reading by reading into the spool, parted by the requester's limit, told again."""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lxml import etree

from canonical.codes.message import SCHEMA_INVALID
from canonical.errors import RejectedError
from canonical.ids import mint
from canonical.messages import Header, Message, Parcel
from canonical.metering import MeterReadings
from canonical.questions import ReadingsAnswer
from iec61968.canonical_nouns.readings import columns_from_readings, readings_from_columns
from iec61968.editions import EDITIONS
from iec61968.message_client import Peer
from iec61968.message_codec import message_from_xml
from iec61968.message_writer import message_to_xml
from iec61968.nouns import meter_readings
from iec61968.wire import WirePayload
from services.cim_replies import AnswerEncoder

HELD_BYTES = 1024 * 1024
"""An answer that is larger lies in the spool."""

FOLDER = "answers"
"""Folder of large answers, below the spool."""

_OPENS, _CLOSES = b"<MeterReadings xmlns=", b"/>"
"""The payload of a message without readings."""


@dataclass(frozen=True, slots=True)
class SiteAnswers:
    """Says answers to everybody who asks this site (flows.on_demand_read.Encode)."""

    encoder: AnswerEncoder
    spool: Path

    def __call__(self, message: Message[ReadingsAnswer], *, reply_to: str) -> Parcel:
        """Return an answer that is held whole."""
        return self.encoder(message, reply_to=reply_to)

    def again(self, body: bytes, header: Header, *, reply_to: str) -> Parcel:
        """Return an answer that was given before, under another header and in the words of whoever gets it now."""
        peer = self.peer(reply_to)
        wire = message_from_xml(etree.fromstring(body))
        own = wire.header
        if own is None:
            raise RejectedError("a kept answer has no Header", code=SCHEMA_INVALID)
        named = replace(
            own, message_id=header.message_id, correlation_id=header.correlation_id, timestamp=header.created_at
        )
        typed = "MeterReadings" if peer.binding == "typed" else ""
        again = replace(wire, header=named, name="MeterReadingsResponseMessage", kind="response")
        root = message_to_xml(again, edition=peer.edition, typed=typed, packed=peer.packed)
        return _parcel(etree.tostring(root, xml_declaration=True, encoding="UTF-8"), header)

    def open(self, reply_to: str) -> "SpooledAnswer":
        """Return a new answer to a reply address."""
        return SpooledAnswer(self, reply_to)

    def peer(self, reply_to: str) -> Peer:
        """Return who gets an answer; whoever waits gets the generic form of 2011."""
        return self.encoder.peers.get(reply_to) or Peer("", EDITIONS["2011"], "bare")


def pack(told: Iterable[MeterReadings]) -> bytes:
    """Return readings as a document of ours, to be kept."""
    return b"".join(meter_readings.encode(columns_from_readings(one, manufacturer="") for one in told))


def unpack(body: bytes) -> Iterator[MeterReadings]:
    """Yield the readings that were kept."""
    return (readings_from_columns(one, source="mdms") for one in meter_readings.decode(BytesIO(body)))


def _parcel(raw: bytes, header: Header, *, path: str = "", digest: str = "", size: int = 0) -> Parcel:
    return Parcel(
        name="MeterReadingsResponseMessage",
        content_type="text/xml; charset=utf-8",
        sha256=digest or sha256(raw).hexdigest(),
        size=size or len(raw),
        body=None if path else raw,
        path=path,
        key=header.message_id,
        confirm_name=header.correlation_id,
    )


@dataclass(slots=True)
class SpooledAnswer:
    """One answer on its way (flows.read_round.AnswerWriter): a file for each part, and no reading held."""

    site: SiteAnswers
    reply_to: str
    _counts: list[int] = field(default_factory=list)
    _folder: TemporaryDirectory[str] | None = None
    _file: Any = None

    def add(self, one: MeterReadings) -> None:
        """Take what was said of one usage point."""
        limit = self.site.peer(self.reply_to).part_objects
        if self._file is None or (limit and self._counts[-1] >= limit):
            self._next_part()
        _, piece, _ = meter_readings.encode([columns_from_readings(one, manufacturer="")])
        self._file.write(piece)
        self._counts[-1] += 1

    def _next_part(self) -> None:
        """Open the file of another part."""
        if self._folder is None:
            parent = self.site.spool / FOLDER
            parent.mkdir(parents=True, exist_ok=True)
            self._folder = TemporaryDirectory(dir=parent, prefix=".answer-")
        self._end_part()
        self._counts.append(0)
        self._file = self._path(len(self._counts)).open("wb")
        self._file.write(next(meter_readings.encode(())))

    def _end_part(self) -> None:
        """Make the file of the part that is being written a whole MeterReadings document."""
        if self._file is not None:
            self._file.write(b"</MeterReadings>")
            self._file.close()
            self._file = None

    def _path(self, number: int) -> Path:
        return Path(self._folder.name if self._folder else "") / f"{number:06}"

    def finish(self, message: Message[ReadingsAnswer]) -> list[Parcel]:
        """Return the answer in as many parts as it has: 0.1 and MessageIndex say what follows."""
        self._end_part()
        total = max(1, len(self._counts))
        return [self._part(message, number, total) for number in range(1, total + 1)]

    def _part(self, message: Message[ReadingsAnswer], number: int, total: int) -> Parcel:
        """Return one part as a parcel, in the spool when it is large."""
        said, header = message.payload, message.header
        if number > 1:
            header = replace(header, message_id=mint("answer-part", header.message_id, number))
        is_known = total > 1 and not said.more and not said.last_of_several
        part = (number, total) if is_known else None
        if number < total:
            said = ReadingsAnswer((), (), said.source, said.as_of, more=True, part=part, late=said.late)
        else:
            said = replace(said, part=part, last_of_several=said.last_of_several or total > 1)
        if not self._counts or not self._counts[number - 1]:
            return self.site(Message(header, said), reply_to=self.reply_to)
        peer, path = self.site.peer(self.reply_to), self._path(number)
        before, behind = self._around(Message(header, said), peer)
        if path.stat().st_size <= HELD_BYTES or peer.packed:
            raw = before + path.read_bytes() + behind
            return self.site.again(raw, header, reply_to=self.reply_to) if peer.packed else _parcel(raw, header)
        return self._spooled(header, (before, behind), path)

    def _around(self, message: Message[ReadingsAnswer], peer: Peer) -> tuple[bytes, bytes]:
        """Return what stands before and behind the readings."""
        wire = self.site.encoder.wire(message, peer)
        empty = replace(wire, payload=WirePayload((meter_readings.to_xml((), edition=peer.edition),)))
        typed = "MeterReadings" if peer.binding == "typed" else ""
        root = message_to_xml(empty, edition=peer.edition, typed=typed)
        raw = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
        at = raw.index(_OPENS)
        return raw[:at], raw[raw.index(_CLOSES, at) + len(_CLOSES) :]

    def _spooled(self, header: Header, around: tuple[bytes, bytes], path: Path) -> Parcel:
        """Return a part that stays in the spool."""
        place = self.site.spool / FOLDER / header.message_id[:2] / f"{header.message_id}.xml"
        place.parent.mkdir(parents=True, exist_ok=True)
        digest, unfinished = sha256(), place.with_suffix(".part")
        with unfinished.open("wb") as file, path.open("rb") as readings:
            file.write(around[0])
            shutil.copyfileobj(readings, file, 1024 * 1024)
            file.write(around[1])
        with unfinished.open("rb") as file:
            while chunk := file.read(1024 * 1024):
                digest.update(chunk)
        size = unfinished.stat().st_size
        unfinished.replace(place)
        name = str(place.relative_to(self.site.spool))
        return _parcel(b"", header, path=name, digest=digest.hexdigest(), size=size)

    def told(self) -> Iterator[MeterReadings]:
        """Yield the readings again."""
        self._end_part()
        for number in range(1, len(self._counts) + 1):
            with self._path(number).open("rb") as stream:
                for one in meter_readings.decode(stream):
                    yield readings_from_columns(one, source="mdms")

    def close(self) -> None:
        """Remove what was only needed on the way."""
        if self._file is not None:
            self._file.close()
        if self._folder is not None:
            self._folder.cleanup()
