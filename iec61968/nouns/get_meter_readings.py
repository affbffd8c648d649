"""GetMeterReadings (IEC 61968-9:2013): which readings are asked for, to and from the wire."""

from dataclasses import dataclass
from typing import Any

from lxml import etree

from canonical.periods import Period
from iec61968.editions import EDITIONS, Edition, default_namespace
from iec61968.nouns.scalars import bad_value, instant, instant_text, microseconds

NOUN = "GetMeterReadings"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One span and purpose of a question."""

    period: Period | None = None
    reason: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class GetMeterReadings:
    """A question for readings: a span and purpose, or several, and many usage points."""

    usage_points: tuple[str, ...]
    """mRIDs."""

    period: Period | None = None
    reason: str = ""
    """ReadingReasonKind, such as `billing`."""

    source: str = ""
    """`METER` when the meter is to be read again; empty: answer from what is held."""

    reading_types: tuple[str, ...] = ()
    """Reading type codes asked for; none means all."""

    further: tuple[Wanted, ...] = ()
    """More spans and purposes of the same question."""

    @property
    def wanted(self) -> tuple[Wanted, ...]:
        """Return every span and purpose, in the order of the message."""
        return (Wanted(self.period, self.reason, self.source), *self.further)


def to_xml(question: GetMeterReadings, *, edition: Edition = EDITIONS["2011"]) -> etree._Element:
    """Return the GetMeterReadings payload, in schema order."""
    namespace = edition.profile(NOUN)
    root = etree.Element(f"{{{namespace}}}{NOUN}", nsmap=default_namespace(namespace))
    for reading in filter(None, map(_reading, question.wanted)):
        _build(root, namespace, {"Reading": reading})
    for code in question.reading_types:
        _build(root, namespace, {"ReadingType": {"Names": {"name": code}}})
    for mrid in question.usage_points:
        _build(root, namespace, {"UsagePoint": {"mRID": mrid}})
    return root


def as_values(question: GetMeterReadings) -> dict[str, Any]:
    """Return the same payload as nested values, for a SOAP library that builds the XML itself."""
    values: dict[str, Any] = {}
    readings = [reading for reading in map(_reading, question.wanted) if reading]
    if readings:
        values["Reading"] = readings
    if question.reading_types:
        values["ReadingType"] = [{"Names": [{"name": code}]} for code in question.reading_types]
    values["UsagePoint"] = [{"mRID": mrid} for mrid in question.usage_points]
    return values


def _reading(question: Wanted) -> dict[str, Any]:
    """Return what the Reading element says: purpose, source, span (end before start)."""
    values: dict[str, Any] = {}
    if question.reason:
        values["reason"] = question.reason
    if question.source:
        values["source"] = question.source
    if question.period is not None:
        values["timePeriod"] = {"end": question.period.end, "start": question.period.start}
    return values


def _build(parent: etree._Element, namespace: str, values: dict[str, Any]) -> None:
    """Append nested values as elements, in their order."""
    for name, value in values.items():
        child = etree.SubElement(parent, f"{{{namespace}}}{name}")
        if isinstance(value, dict):
            _build(child, namespace, value)
        elif isinstance(value, str):
            child.text = value
        else:
            child.text = instant_text(microseconds(value.isoformat()))


def from_xml(element: etree._Element, *, edition: Edition = EDITIONS["2011"]) -> GetMeterReadings:
    """Return what a GetMeterReadings payload asks for.

    Raises:
        RejectedError: an instant cannot be read, or a span ends before it begins.
    """
    prefix = f"{{{edition.profile(NOUN)}}}"
    wanted = tuple(_wanted(reading, prefix) for reading in element.iterfind(f"{prefix}Reading"))
    first = wanted[0] if wanted else Wanted()
    return GetMeterReadings(
        usage_points=tuple((e.text or "").strip() for e in element.iterfind(f"{prefix}UsagePoint/{prefix}mRID")),
        period=first.period,
        reason=first.reason,
        source=first.source,
        further=wanted[1:],
        reading_types=tuple(
            (e.text or "").strip() for e in element.iterfind(f"{prefix}ReadingType/{prefix}Names/{prefix}name")
        ),
    )


def _wanted(reading: etree._Element, prefix: str) -> Wanted:
    """Return the span and purpose of one Reading."""
    span = reading.find(f"{prefix}timePeriod")
    return Wanted(
        _period(span, prefix) if span is not None else None,
        (reading.findtext(f"{prefix}reason") or "").strip(),
        (reading.findtext(f"{prefix}source") or "").strip(),
    )


def _period(span: etree._Element, prefix: str) -> Period:
    """Return the span that is asked for; both ends must be there."""
    ends = []
    for name in ("start", "end"):
        text = span.findtext(f"{prefix}{name}") or ""
        try:
            ends.append(instant(microseconds(text)))
        except ValueError as error:
            raise bad_value("an instant with an offset", text, f"{NOUN}/Reading/timePeriod/{name}") from error
    if ends[1] < ends[0]:
        raise bad_value("after the start", ends[1].isoformat(), f"{NOUN}/Reading/timePeriod/end")
    return Period(ends[0], ends[1])
