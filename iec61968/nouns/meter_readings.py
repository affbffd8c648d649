"""MeterReadings (IEC 61968-9:2013): decoded as a stream, encoded as a stream, exact both ways."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, TypeAlias, TypeGuard

from lxml import etree

from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.messages import Header
from iec61968.editions import EDITIONS, Edition
from iec61968.envelope import WireReply, header_from_xml, local_name, reply_from_xml
from iec61968.nouns.columns import MeterReadingColumns
from iec61968.nouns.meter_reading_elements import columns_of
from iec61968.nouns.meter_readings_xml import document, encode, to_xml
from iec61968.nouns.reading_parts import PartReader
from iec61968.nouns.reading_stream import StreamLimits
from iec61968.soap import SoapFault, fault_from_xml
from iec61968.validation import Policy

__all__ = [
    "Answer",
    "BadMeterReading",
    "MeterReadingColumns",
    "StreamLimits",
    "decode",
    "decode_each",
    "encode",
    "open_answer",
    "to_xml",
]

NOUN = "MeterReadings"
_LIMITS = StreamLimits()


@dataclass(frozen=True, slots=True)
class BadMeterReading:
    """One MeterReading of a valid document that holds a value which cannot be read."""

    error: RejectedError
    """Code, reason, and the place: its number in the document and the element."""


Each: TypeAlias = MeterReadingColumns | BadMeterReading


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
    return _all_good(decode_each(stream, edition=edition, policy=policy, limits=limits, where=where))


def decode_each(
    stream: BinaryIO,
    *,
    edition: Edition = EDITIONS["2011"],
    policy: Policy = "strict",
    limits: StreamLimits = _LIMITS,
    where: str = "",
) -> Iterator[Each]:
    """Yield every MeterReading of a document as `decode` does; one with a bad value is said and does not end the rest.

    Raises:
        RejectedError: not XML, not valid, beyond a limit, cut short: then nothing of the document can be trusted.
    """
    return (part for part in _parts(stream, edition, policy, limits, where) if _is_reading(part))


def _all_good(parts: Iterator[Each]) -> Iterator[MeterReadingColumns]:
    """Yield good MeterReadings; raise what is wrong with the first bad one."""
    for part in parts:
        if isinstance(part, BadMeterReading):
            raise part.error
        yield part


@dataclass(slots=True)
class Answer:
    """A response message whose readings are still to be read."""

    header: Header
    reply: WireReply
    each: Iterator[Each] = field(default_factory=lambda: iter(()))
    """Its MeterReadings, to be read once, to the end; raises as `decode_each` does."""

    @property
    def readings(self) -> Iterator[MeterReadingColumns]:
        """Return the same readings for one who takes all or none; raises as `decode` does."""
        return _all_good(self.each)


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
            return Answer(header, part, (p for p in parts if _is_reading(p)))
        else:
            break
    raise RejectedError("no Header and Reply", code=codes.SCHEMA_INVALID, where=where)


_Part: TypeAlias = MeterReadingColumns | BadMeterReading | Header | WireReply | SoapFault


def _is_reading(part: _Part) -> TypeGuard[Each]:
    return isinstance(part, MeterReadingColumns | BadMeterReading)


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
            try:
                yield columns_of(part, tags, valid=policy == "strict", where=place)
            except RejectedError as error:
                yield BadMeterReading(error)
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
    return document(readings, edition=edition)
