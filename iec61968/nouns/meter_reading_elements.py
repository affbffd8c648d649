"""One MeterReading element to columns: a quick way where its regularity is proven, a loop for everything else."""

from array import array
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

from lxml import etree

from iec61968.editions import Edition
from iec61968.nouns.columns import (
    NO_VALUE,
    Block,
    Identity,
    MeterReadingColumns,
    Name,
    QualityMark,
    Readings,
    Span,
)
from iec61968.nouns.meter_reading_grammar import columns_of_bytes
from iec61968.nouns.plain_form import start_and_end
from iec61968.nouns.scalars import bad_value, decimal_parts, microseconds, one_mark, scaled, stamps_of, uniform

Element: TypeAlias = etree._Element
_Read = TypeVar("_Read")
_Parts: TypeAlias = tuple[int, tuple[int, int] | None, tuple[QualityMark, ...], str, Span | None, str]


@dataclass(frozen=True, slots=True)
class Tags:
    """Qualified names of a MeterReading's parts in one edition."""

    meter_reading: str
    interval_blocks: str
    interval_readings: str
    readings: str
    meter: str
    usage_point: str
    mrid: str
    names: str
    stamp: str
    value: str
    qualities: str
    quality_type: str
    reading_type: str
    period: str
    comment: str
    reason: str
    pending: str
    events: str

    @property
    def tracked(self) -> tuple[str, ...]:
        """Return the elements whose order proves that a MeterReading is regular."""
        return (self.stamp, self.value, self.quality_type, self.reading_type, self.period, self.comment, self.reason)


def tags_of(edition: Edition) -> Tags:
    """Return the names of an edition."""
    prefix = f"{{{edition.profile('MeterReadings')}}}"
    local = (
        "MeterReading IntervalBlocks IntervalReadings Readings Meter UsagePoint mRID Names timeStamp value "
        "ReadingQualities ReadingQualityType ReadingType timePeriod comment reason PendingCalculation "
        "EndDeviceEvents"
    )
    return Tags(*(prefix + name for name in local.split()))


def columns_of(element: Element, tags: Tags, *, valid: bool, where: str = "") -> MeterReadingColumns:
    """Return one MeterReading as columns.

    `valid` says that the element has passed its schema: only then may order prove alignment.

    Raises:
        RejectedError: a number, an instant or a reading type that cannot be read.
    """
    events = tuple(etree.tostring(child, with_tail=False) for child in element.iterchildren(tags.events))
    quick = _regular(element, tags) or _by_grammar(element) if valid else None
    if quick is not None:
        return replace(quick, events=events) if events else quick
    meter = next(element.iterchildren(tags.meter), None)
    point = next(element.iterchildren(tags.usage_point), None)
    blocks = tuple(_block(child, tags, where) for child in element.iterchildren(tags.interval_blocks))
    readings = _readings(element, tags, where)
    return MeterReadingColumns(_identity(meter, tags), _identity(point, tags), blocks, readings, events)


def _regular(element: Element, tags: Tags) -> MeterReadingColumns | None:
    """Return the columns of an element all of whose readings are alike; None when they are not."""
    blocks = []
    for child in element.iterchildren(tags.interval_blocks):
        block = _regular_block(child, tags)
        if block is None:
            return None
        blocks.append(block)
    alone = next(element.iterchildren(tags.readings), None) is None
    readings = Readings() if alone else None if blocks else _regular_readings(element, tags)
    if readings is None:
        return None
    meter = next(element.iterchildren(tags.meter), None)
    point = next(element.iterchildren(tags.usage_point), None)
    return MeterReadingColumns(_identity(meter, tags), _identity(point, tags), tuple(blocks), readings)


def _by_grammar(element: Element) -> MeterReadingColumns | None:
    """Return the columns of an element that lxml writes out in the grammar of bytes; None when they are others."""
    raw = etree.tostring(element, with_tail=False)
    _, _, rest = raw.partition(b">")
    start, _ = start_and_end(element.prefix)
    return columns_of_bytes(start + rest, element.prefix)


def _identity(element: Element | None, tags: Tags) -> Identity:
    if element is None:
        return Identity()
    return Identity(
        (element.findtext(tags.mrid) or "").strip(),
        tuple(_name(child) for child in element.iterchildren(tags.names)),
    )


def _name(element: Element) -> Name:
    prefix = element.tag.rpartition("}")[0] + "}"
    return Name(
        (element.findtext(f"{prefix}name") or "").strip(),
        (element.findtext(f"{prefix}NameType/{prefix}name") or "").strip(),
        (element.findtext(f"{prefix}NameType/{prefix}NameTypeAuthority/{prefix}name") or "").strip(),
    )


def _regular_readings(element: Element, tags: Tags) -> Readings | None:
    """Return the readings of a MeterReading whose every reading is stamp, value, one quality, type; None if it is not.

    Why order proves alignment: the schema lets a Reading hold at most one stamp and value, in this order, then
    qualities, and closes it with exactly one type. A group (instant, number, three-field ref, 18-field ref) repeated
    without rest is therefore one whole reading each time: a missing stamp or value, a second quality, a comment, a
    quality's own stamp, a reason or a period breaks the pattern at its place.
    """
    found = list(element.iter(*tags.tracked))
    if len(found) % 4 or not found:
        return None
    stamps = stamps_of([item.text for item in found[0::4]])
    if stamps is None:
        return None
    values = uniform([item.text for item in found[1::4]])
    marks = [item.get("ref") for item in found[2::4]]
    types = [item.get("ref") for item in found[3::4]]
    if values is None or not _all_of_form(marks, 2) or not _all_of_form(types, 17):
        return None
    return Readings(stamps, values[0], values[1], tuple(map(one_mark, marks)), tuple(types))  # type: ignore[arg-type]


def _all_of_form(refs: list[str | None], dots: int) -> bool:
    """Return whether every reference has that many dots (a quality 2, a reading type 17)."""
    return all(ref is not None and ref.count(".") == dots for ref in set(refs))


def _readings(element: Element, tags: Tags, where: str) -> Readings:
    """Return the readings of any MeterReading, one by one."""
    rows = [_reading(child, tags, where) for child in element.iterchildren(tags.readings)]
    for row in rows:
        if not row[3]:
            raise bad_value("a reading type", row[3], f"{where}/Readings/ReadingType")
    values, exponent = _column(rows, where)
    periods = tuple(row[4] for row in rows)
    reasons = tuple(row[5] for row in rows)
    return Readings(
        _stamps(rows),
        values,
        exponent,
        tuple(row[2] for row in rows),
        tuple(row[3] for row in rows),
        periods if any(periods) else (),
        reasons if any(reasons) else (),
    )


def _stamps(rows: list[_Parts]) -> "array[int]":
    """Return the stamps of rows as a column."""
    return array("q", (row[0] for row in rows))


def _column(rows: list[_Parts], where: str) -> tuple["array[int]", int]:
    """Return the values of rows on one exponent."""
    try:
        return scaled([row[1] for row in rows])
    except ValueError as error:
        raise bad_value("within 64 bits together with the others", str(error), where) from error


def _block(element: Element, tags: Tags, where: str) -> Block:
    """Return one IntervalBlock."""
    rows = [_reading(child, tags, where) for child in element.iterchildren(tags.interval_readings)]
    kind = element.find(tags.reading_type)
    code = (kind.get("ref") or "").strip() if kind is not None else ""
    if not code:
        raise bad_value("a reading type", code, f"{where}/IntervalBlocks/ReadingType")
    values, exponent = _column(rows, where)
    periods = tuple(row[4] for row in rows)
    return Block(
        code,
        _stamps(rows),
        values,
        exponent,
        tuple(row[2] for row in rows),
        periods if any(periods) else (),
    )


def _regular_block(element: Element, tags: Tags) -> Block | None:
    """Return a block whose every interval is stamp and value, each with one quality or each with none; None if not.

    With as many values as intervals each interval has its one value, and exactly one stamp stands before each; a
    quality after a value and before the next stamp can only be that interval's own.
    """
    found = list(element.iter(*tags.tracked))
    intervals = sum(1 for _ in element.iterchildren(tags.interval_readings))
    step, rest = divmod(len(found) - 1, intervals) if intervals else (0, 0)
    if step not in (2, 3) or rest or found[-1].get("ref") is None:
        return None
    body = found[:-1]
    stamps = stamps_of([item.text for item in body[0::step]])
    values = uniform([item.text for item in body[1::step]])
    marks = [item.get("ref") for item in body[2::step]] if step == 3 else []
    code = found[-1].get("ref") or ""
    if stamps is None or values is None or code.count(".") != 17 or not _all_of_form(marks, 2):
        return None
    qualities = tuple(map(one_mark, marks)) if step == 3 else ((),) * intervals
    return Block(code, stamps, values[0], values[1], qualities)


def _reading(element: Element, tags: Tags, where: str) -> _Parts:
    """Return stamp, value, qualities, reading type, period and reason of one Reading or IntervalReading."""
    stamp, value, code, reason = NO_VALUE, None, "", ""
    span: Span | None = None
    marks: list[QualityMark] = []
    for child in element:
        tag = child.tag
        if tag == tags.stamp:
            stamp = _read(microseconds, child.text, "an instant with an offset", f"{where}/timeStamp")
        elif tag == tags.value:
            if (child.text or "").strip():
                value = _read(decimal_parts, child.text, "a number", f"{where}/value")
        elif tag == tags.qualities:
            marks.append(_mark(child, tags))
        elif tag == tags.reading_type:
            code = (child.get("ref") or "").strip()
        elif tag == tags.period:
            span = _span(child, where)
        elif tag == tags.reason:
            reason = (child.text or "").strip()
    return stamp, value, tuple(marks), code, span, reason


def _mark(element: Element, tags: Tags) -> QualityMark:
    """Return one ReadingQualities element."""
    ref = comment = ""
    for child in element:
        if child.tag == tags.quality_type:
            ref = (child.get("ref") or "").strip()
        elif child.tag == tags.comment:
            comment = (child.text or "").strip()
    return QualityMark(ref, comment)


def _span(element: Element, where: str) -> Span:
    """Return a timePeriod; end stands before start on the wire."""
    ends = {"start": NO_VALUE, "end": NO_VALUE}
    for child in element:
        name = child.tag.rpartition("}")[2]
        if name in ends:
            ends[name] = _read(microseconds, child.text, "an instant with an offset", f"{where}/timePeriod/{name}")
    return Span(ends["start"], ends["end"])


def _read(convert: Callable[[str], _Read], text: str | None, what: str, where: str) -> _Read:
    """Return a converted text, or the coded error that says where it stands."""
    try:
        return convert(text or "")
    except ValueError as error:
        raise bad_value(what, text, where) from error
