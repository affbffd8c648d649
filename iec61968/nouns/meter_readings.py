"""MeterReadings (IEC 61968-9:2013): decoded as a stream, encoded as a stream, exact both ways."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from lxml import etree

from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.messages import Header
from iec61968.editions import EDITIONS, Edition
from iec61968.envelope import WireReply, header_from_xml, local_name, reply_from_xml
from iec61968.nouns.columns import MeterReadingColumns
from iec61968.nouns.meter_reading_elements import columns_of
from iec61968.nouns.meter_readings_xml import encode, to_xml
from iec61968.nouns.reading_parts import PartReader
from iec61968.nouns.reading_stream import StreamLimits
from iec61968.soap import SoapFault, fault_from_xml
from iec61968.validation import Policy

__all__ = ["Answer", "MeterReadingColumns", "StreamLimits", "decode", "encode", "open_answer", "to_xml"]

NOUN = "MeterReadings"
_LIMITS = StreamLimits()


def decode(
    stream: BinaryIO,
    *,
    edition: Edition = EDITIONS["2011"],
    policy: Policy = "strict",
    limits: StreamLimits = _LIMITS,
    where: str = "",
) -> Iterator[MeterReadingColumns]:
    """Yield every MeterReading of a document: bare, in a typed message, or in a SOAP envelope.

    Memory is bounded whatever the document's size. With policy `strict` nothing that breaks its schema is yielded, but
    what stands before the first mistake is: take the whole document or none of it.

    Raises:
        RejectedError: not XML, not valid, a value that cannot be read, beyond a limit, cut short.
    """
    for part in _parts(stream, edition, policy, limits, where):
        if isinstance(part, MeterReadingColumns):
            yield part


@dataclass(slots=True)
class Answer:
    """A response message whose readings are still to be read."""

    header: Header
    reply: WireReply
    readings: Iterator[MeterReadingColumns] = field(default_factory=lambda: iter(()))
    """To be read once, to its end; raises as `decode` does."""


def open_answer(
    stream: BinaryIO,
    *,
    edition: Edition = EDITIONS["2011"],
    policy: Policy = "strict",
    limits: StreamLimits = _LIMITS,
    where: str = "",
) -> Answer | SoapFault:
    """Return the header and reply of a SOAP response as soon as they are read; its readings follow as a stream.

    Raises:
        RejectedError: as `decode`, or there is no Header and Reply.
    """
    parts = _parts(stream, edition, policy, limits, where)
    header: Header | None = None
    for part in parts:
        if isinstance(part, SoapFault):
            return part
        if isinstance(part, Header):
            header = part
        elif isinstance(part, WireReply) and header is not None:
            return Answer(header, part, (p for p in parts if isinstance(p, MeterReadingColumns)))
        else:
            break
    raise RejectedError("no Header and Reply", code=codes.SCHEMA_INVALID, where=where)


_Part = MeterReadingColumns | Header | WireReply | SoapFault


def _parts(stream: BinaryIO, edition: Edition, policy: Policy, limits: StreamLimits, where: str) -> Iterator[_Part]:
    """Yield what a document consists of, in its order."""
    count = 0
    reader = PartReader(stream, edition, policy=policy, limits=limits, where=where)
    tags = reader.parser.tags
    for part in reader.parts():
        if isinstance(part, MeterReadingColumns):
            count += 1
            yield part
        elif part.tag == tags.meter_reading:
            count += 1
            place = f"{where} MeterReading[{count}]".strip()
            yield columns_of(part, tags, valid=policy == "strict", where=place)
        else:
            yield _envelope_part(part)


def _envelope_part(element: etree._Element) -> Header | WireReply | SoapFault:
    """Return what stands around a payload."""
    name = local_name(element)
    if name == "Header":
        return header_from_xml(element, strict=False)
    if name == "Reply":
        return reply_from_xml(element)
    return fault_from_xml(element)


def readings_from_xml(raw: bytes, *, edition: Edition = EDITIONS["2011"]) -> tuple[MeterReadingColumns, ...]:
    """Return every MeterReading of a small document.

    Raises:
        RejectedError: as `decode` says.
    """
    from io import BytesIO

    return tuple(decode(BytesIO(raw), edition=edition))


def readings_to_xml(readings: Iterable[MeterReadingColumns], *, edition: Edition = EDITIONS["2011"]) -> bytes:
    """Return a whole MeterReadings document, valid by its schema."""
    return b"".join(encode(readings, edition=edition))
