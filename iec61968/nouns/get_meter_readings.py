"""GetMeterReadings (IEC 61968-9:2013): which readings are asked for, to and from the wire."""

from dataclasses import dataclass
from typing import Any

from lxml import etree

from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.periods import Period
from iec61968.editions import EDITIONS, Edition, default_namespace
from iec61968.nouns.scalars import bad_value, instant, instant_text, microseconds

NOUN = "GetMeterReadings"


@dataclass(frozen=True, slots=True)
class GetMeterReadings:
    """A question for readings: one span and purpose, many usage points."""

    usage_points: tuple[str, ...]
    """mRIDs."""

    period: Period | None = None
    reason: str = ""
    """ReadingReasonKind, such as `billing`."""

    source: str = ""
    """`METER` when the meter is to be read again; empty: answer from what is held."""

    reading_types: tuple[str, ...] = ()
    """Reading type codes asked for; none means all."""


def to_xml(question: GetMeterReadings, *, edition: Edition = EDITIONS["2011"]) -> etree._Element:
    """Return the GetMeterReadings payload, in schema order."""
    namespace = edition.profile(NOUN)
    root = etree.Element(f"{{{namespace}}}{NOUN}", nsmap=default_namespace(namespace))
    reading = _reading(question)
    if reading:
        _build(root, namespace, {"Reading": reading})
    for code in question.reading_types:
        _build(root, namespace, {"ReadingType": {"Names": {"name": code}}})
    for mrid in question.usage_points:
        _build(root, namespace, {"UsagePoint": {"mRID": mrid}})
    return root


def as_values(question: GetMeterReadings) -> dict[str, Any]:
    """Return the same payload as nested values, for a SOAP library that builds the XML itself."""
    values: dict[str, Any] = {}
    reading = _reading(question)
    if reading:
        values["Reading"] = [reading]
    if question.reading_types:
        values["ReadingType"] = [{"Names": [{"name": code}]} for code in question.reading_types]
    values["UsagePoint"] = [{"mRID": mrid} for mrid in question.usage_points]
    return values


def _reading(question: GetMeterReadings) -> dict[str, Any]:
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
        RejectedError: it asks in a way that has no place here (several spans), or an instant cannot be read.
    """
    prefix = f"{{{edition.profile(NOUN)}}}"
    readings = element.findall(f"{prefix}Reading")
    if len(readings) > 1:
        raise RejectedError("several Reading elements", code=codes.NOT_SUPPORTED_HERE, where=f"{NOUN}/Reading[2]")
    reading = readings[0] if readings else etree.Element("none")
    span = reading.find(f"{prefix}timePeriod")
    return GetMeterReadings(
        usage_points=tuple((e.text or "").strip() for e in element.iterfind(f"{prefix}UsagePoint/{prefix}mRID")),
        period=_period(span, prefix) if span is not None else None,
        reason=(reading.findtext(f"{prefix}reason") or "").strip(),
        source=(reading.findtext(f"{prefix}source") or "").strip(),
        reading_types=tuple(
            (e.text or "").strip() for e in element.iterfind(f"{prefix}ReadingType/{prefix}Names/{prefix}name")
        ),
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
