"""MeterReadings to the wire: streamed, in schema order, instants in UTC, numbers with all their decimals."""

from array import array
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain, repeat
from xml.sax.saxutils import quoteattr

from lxml import etree

from iec61968 import safe_xml
from iec61968.editions import EDITIONS, Edition
from iec61968.nouns.columns import (
    NO_VALUE,
    Block,
    Identity,
    MeterReadingColumns,
    QualityMark,
    Readings,
    Span,
)
from iec61968.nouns.scalars import decimal_text, instant_text
from iec61968.xml_text import clean, text

_SHORT = 3000
"""Readings of a MeterReading whose surroundings are kept for the next one: a month of quarter hours."""


def encode(readings: Iterable[MeterReadingColumns], *, edition: Edition = EDITIONS["2011"]) -> Iterator[bytes]:
    """Yield the bytes of a MeterReadings document, one MeterReading at a time.

    Raises:
        RejectedError: a text that XML cannot hold.
    """
    yield f'<MeterReadings xmlns="{edition.profile("MeterReadings")}">'.encode()
    for one in readings:
        yield _meter_reading(one).encode()
    yield b"</MeterReadings>"


def document(readings: Iterable[MeterReadingColumns], *, edition: Edition = EDITIONS["2011"]) -> bytes:
    """Return what `encode` yields, as one.

    Raises:
        RejectedError: a text that XML cannot hold.
    """
    inner = "".join(map(_meter_reading, readings))
    return f'<MeterReadings xmlns="{edition.profile("MeterReadings")}">{inner}</MeterReadings>'.encode()


def to_xml(readings: Iterable[MeterReadingColumns], *, edition: Edition = EDITIONS["2011"]) -> etree._Element:
    """Return a MeterReadings element, to stand in a message.

    Raises:
        RejectedError: a text that XML cannot hold.
    """
    return etree.fromstring(document(readings, edition=edition), etree.XMLParser(**safe_xml.PARSER_SETTINGS))


def _meter_reading(one: MeterReadingColumns) -> str:
    """Return one MeterReading; interval blocks stand before the meter, readings after it."""
    blocks = "".join(map(_block, one.blocks)) if one.blocks else ""
    meter, usage_point = _identity("Meter", one.meter), _identity("UsagePoint", one.usage_point)
    return f"<MeterReading>{blocks}{meter}{_readings(one.readings)}{usage_point}</MeterReading>"


def _identity(tag: str, identity: Identity) -> str:
    if not identity.names:
        return f"<{tag}><mRID>{text(identity.mrid)}</mRID></{tag}>" if identity.mrid else ""
    parts = [f"<{tag}>"]
    if identity.mrid:
        parts.append(f"<mRID>{text(identity.mrid)}</mRID>")
    for name in identity.names:
        parts.append(f"<Names><name>{text(name.value)}</name>")
        if name.type or name.authority:
            parts.append(f"<NameType><name>{text(name.type)}</name>")
            if name.authority:
                parts.append(f"<NameTypeAuthority><name>{text(name.authority)}</name></NameTypeAuthority>")
            parts.append("</NameType>")
        parts.append("</Names>")
    parts.append(f"</{tag}>")
    return "".join(parts)


def _readings(readings: Readings) -> str:
    """Return every Reading of a MeterReading."""
    if not readings.reasons and not readings.periods and _all_stated(readings.stamps, readings.values):
        ends = _ends(readings.qualities, readings.reading_types)
        return _filled("<Readings>", readings.stamps, readings.values, readings.exponent, ends)
    parts: list[str] = []
    texts = _values(readings.values, readings.exponent)
    for n, stamp in enumerate(readings.stamps):
        reason = readings.reasons[n] if readings.reasons else ""
        period = readings.periods[n] if readings.periods else None
        parts += (
            "<Readings>",
            f"<reason>{text(reason)}</reason>" if reason else "",
            _stamp(stamp),
            texts[n],
            _qualities(readings.qualities[n]),
            _reading_type(readings.reading_types[n]),
            _period(period) if period is not None else "",
            "</Readings>",
        )
    return "".join(parts)


def _block(block: Block) -> str:
    """Return one IntervalBlock; its type stands after its intervals."""
    parts = ["<IntervalBlocks>"]
    if not block.periods and _all_stated(block.stamps, block.values):
        ends = tuple(map(_interval_end, block.qualities))
        parts.append(_filled("<IntervalReadings>", block.stamps, block.values, block.exponent, ends))
        parts.append(f"{_reading_type(block.reading_type)}</IntervalBlocks>")
        return "".join(parts)
    texts = _values(block.values, block.exponent)
    for n, stamp in enumerate(block.stamps):
        period = block.periods[n] if block.periods else None
        end = _period(period) if period is not None else ""
        parts.append(
            f"<IntervalReadings>{_stamp(stamp)}{texts[n]}{_qualities(block.qualities[n])}{end}</IntervalReadings>"
        )
    parts.append(f"{_reading_type(block.reading_type)}</IntervalBlocks>")
    return "".join(parts)


def _values(values: "array[int]", exponent: int) -> list[str]:
    """Return the value elements of a column, empty where there is none."""
    return ["" if v == NO_VALUE else f"<value>{decimal_text(v, exponent)}</value>" for v in values]


def _all_stated(stamps: "array[int]", values: "array[int]") -> bool:
    """Return whether no stamp and no value is missing: then every reading is start, number, end."""
    return NO_VALUE not in stamps and NO_VALUE not in values


def _filled(opening: str, stamps: "array[int]", values: "array[int]", exponent: int, ends: tuple[str, ...]) -> str:
    """Return readings that all have a stamp and a number; what surrounds the numbers is the same for many meters."""
    template_of = _template if len(stamps) <= _SHORT else _template.__wrapped__
    if exponent < 0 and values and min(values) >= 0:
        template = template_of(opening, stamps.tobytes(), ends, f"%d.%0{-exponent}d")
        return template % tuple(chain.from_iterable(map(divmod, values, repeat(10**-exponent))))
    numbers = tuple(decimal_text(value, exponent) for value in values)
    return template_of(opening, stamps.tobytes(), ends, "%s") % numbers


@lru_cache(maxsize=32)
def _template(opening: str, stamps: bytes, ends: tuple[str, ...], number: str) -> str:
    """Return the text of readings with a place for each number; `stamps` are the bytes of their column."""
    pieces = (
        f"{opening}{_stamp(stamp)}<value>{number}{end}" for stamp, end in zip(array("q", stamps), ends, strict=True)
    )
    return "".join(pieces)


def _ends(qualities: tuple[tuple[QualityMark, ...], ...], codes: tuple[str, ...]) -> tuple[str, ...]:
    """Return what follows the number of each reading; mostly all readings of a meter end alike."""
    count = len(codes)
    if count and qualities.count(qualities[0]) == count == codes.count(codes[0]):
        return (_reading_end(qualities[0], codes[0]),) * count
    return tuple(map(_reading_end, qualities, codes))


@lru_cache(maxsize=10_000)
def _reading_end(marks: tuple[QualityMark, ...], code: str) -> str:
    """Return what follows a number, as part of a template."""
    return f"</value>{_qualities(marks)}{_reading_type(code)}</Readings>".replace("%", "%%")


@lru_cache(maxsize=10_000)
def _interval_end(marks: tuple[QualityMark, ...]) -> str:
    """Return what follows a number, as part of a template."""
    return f"</value>{_qualities(marks)}</IntervalReadings>".replace("%", "%%")


@lru_cache(maxsize=100_000)
def _stamp(micros: int) -> str:
    return "" if micros == NO_VALUE else f"<timeStamp>{instant_text(micros)}</timeStamp>"


@lru_cache(maxsize=10_000)
def _qualities(marks: tuple[QualityMark, ...]) -> str:
    """Return the qualities of one reading."""
    parts = []
    for mark in marks:
        comment = f"<comment>{text(mark.comment)}</comment>" if mark.comment else ""
        parts.append(
            f"<ReadingQualities>{comment}<ReadingQualityType ref={quoteattr(clean(mark.ref))}/></ReadingQualities>"
        )
    return "".join(parts)


@lru_cache(maxsize=10_000)
def _reading_type(code: str) -> str:
    return f"<ReadingType ref={quoteattr(clean(code))}/>"


def _period(span: Span) -> str:
    """Return a timePeriod: end before start, as the schema orders."""
    end = f"<end>{instant_text(span.end)}</end>" if span.end != NO_VALUE else ""
    start = f"<start>{instant_text(span.start)}</start>" if span.start != NO_VALUE else ""
    return f"<timePeriod>{end}{start}</timePeriod>"


def forget() -> None:
    """Drop the texts that are kept from one document to the next; what is written does not depend on them."""
    for kept in (_template, _reading_end, _interval_end, _stamp, _qualities, _reading_type):
        kept.cache_clear()
