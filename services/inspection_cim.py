"""What a CIM message (IEC 61968-9) holds: its objects, and readings by channel (usage point, meter, reading type)."""

import re
from collections.abc import Iterable
from decimal import Decimal
from io import BytesIO
from typing import BinaryIO

from lxml import etree

from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.reading_types import ReadingType, reading_type_from_text
from iec61968 import tolerance, validation
from iec61968.nouns.columns import NO_VALUE, Block, Identity, MeterReadingColumns, QualityMark
from iec61968.nouns.meter_readings import decode
from iec61968.safe_xml import XmlLimits
from services.inspection_facts import EXACT, ChannelFacts, Findings
from services.inspection_message import (
    broken_rules,
    message_begun,
    misspelled,
    mistaken_name,
    objects_in,
    payloads_of,
    read_message,
)

_UNITS = {29: "V", 5: "A", 38: "W", 42: "m3", 61: "VA", 63: "var", 71: "VAh", 72: "Wh", 73: "varh"}
"""Unit by its number in the reading type (IEC 61968-9:2013, Annex C)."""

_CHUNK = 1 << 20
_TAG = 64
_PACKED = re.compile(rb"<(?:[\w.-]{1,40}:)?Compressed[\s>]")
_MULTIPLIERS = {-3: "m", 0: "", 3: "k", 6: "M"}


def inspect_cim(stream: BinaryIO, findings: Findings) -> None:
    """Collect what a message says of itself, its objects and, for MeterReadings, their channels.

    MeterReadings are read as a stream and checked against their schema; what a schema refuses is looked at again as a
    whole, without the extensions of its sender. Qualities count readings by their `system.category.index`, joined by
    `+` where a reading has several; `none` stands for a reading without one, which the standard takes as valid.

    Raises:
        RejectedError: the document must be refused whole.
    """
    begun = message_begun(stream)
    if begun.payload == "MeterReadings" and not _is_packed(stream):
        findings.message = begun.facts
        try:
            _collect(decode(stream, edition=begun.edition), findings)
        except RejectedError as error:
            if error.code not in (codes.SCHEMA_INVALID, codes.WRONG_NAMESPACE, codes.BAD_XML_VALUE):
                raise
            strict = error
        else:
            return
        stream.seek(0)
        findings.channels.clear()
        findings.objects = 0
        _look_at_whole(stream, findings, strict)
    else:
        _look_at_whole(stream, findings, None)


def _is_packed(stream: BinaryIO) -> bool:
    """Return whether a Compressed element begins anywhere in a document; the stream is left where it was."""
    rest = b""
    try:
        while chunk := stream.read(_CHUNK):
            if _PACKED.search(rest + chunk):
                return True
            rest = chunk[-_TAG:]
    finally:
        stream.seek(0)
    return False


def _look_at_whole(stream: BinaryIO, findings: Findings, strict: RejectedError | None) -> None:
    """Collect from a message that is held whole; a reason to refuse that the stream found goes first."""
    message = read_message(stream.read(XmlLimits().total_bytes + 1))
    findings.message = message.facts
    payloads = payloads_of(message)
    findings.tolerated += broken_rules(message)
    for payload in payloads:
        found = tolerance.understood(payload)
        inner = etree.fromstring(etree.tostring(found.payload))
        mistakes, mistaken = tolerance.findings(inner), misspelled(found.noun, found.extensions)
        if mistakes or mistaken:
            raise strict or (validation.invalid(mistakes) if mistakes else mistaken_name(mistaken))
        findings.extensions += [extension.path for extension in found.extensions]
        findings.tolerated += found.tolerated
        if found.noun == "MeterReadings":
            _collect(decode(BytesIO(etree.tostring(inner)), policy="report"), findings)
        else:
            findings.objects += objects_in(inner)


def _collect(readings: Iterable[MeterReadingColumns], findings: Findings) -> None:
    """Collect the channels of readings."""
    for reading in readings:
        findings.objects += 1
        usage_point, meter = _named(reading.usage_point), _named(reading.meter, prefer="serial")
        _take_registers(reading, usage_point, meter, findings)
        for block in reading.blocks:
            facts = _channel(findings, usage_point, meter, block.reading_type)
            if facts.interval_minutes is None:
                facts.interval_minutes = _minutes_of(block)
            _add(facts, block.values, block.exponent, block.qualities)


def _take_registers(reading: MeterReadingColumns, usage_point: str, meter: str, findings: Findings) -> None:
    """Add the register readings of one MeterReading."""
    found = reading.readings
    for place, reading_type in enumerate(found.reading_types):
        facts = _channel(findings, usage_point, meter, reading_type)
        _add(facts, found.values[place : place + 1], found.exponent, found.qualities[place : place + 1])


def _channel(findings: Findings, usage_point: str, meter: str, reading_type: str) -> ChannelFacts:
    """Return the facts of a channel."""
    facts = findings.channel(*(usage_point, meter, reading_type), usage_point=usage_point, register=reading_type)
    facts.meter = meter
    facts.unit = _unit_of(reading_type)
    return facts


def _add(
    facts: ChannelFacts,
    values: Iterable[int],
    exponent: int,
    qualities: Iterable[tuple[QualityMark, ...]],
) -> None:
    """Add readings to their channel; one without a value counts, and adds nothing to the sum."""
    total = 0
    for value in values:
        facts.values += 1
        total += value if value != NO_VALUE else 0
    facts.sum = EXACT.add(facts.sum, EXACT.scaleb(Decimal(total), exponent))
    for marks in qualities:
        code = "+".join(mark.ref for mark in marks) or "none"
        facts.quality[code] = facts.quality.get(code, 0) + 1


def _named(identity: Identity, *, prefer: str = "") -> str:
    """Return the preferred name of a thing, else its mRID, else any name."""
    names = {name.type: name.value for name in reversed(identity.names)}
    return names.get(prefer) or identity.mrid or next(iter(names.values()), "")


def _unit_of(reading_type: str) -> str:
    """Return the unit that a reading type states, empty for an alias."""
    parsed = _parsed(reading_type)
    if parsed is None:
        return ""
    prefix, unit = _MULTIPLIERS.get(parsed.power_of_ten), _UNITS.get(parsed.fields[16])
    return "" if prefix is None or unit is None else prefix + unit


def _minutes_of(block: Block) -> int | None:
    """Return the interval length that the reading type states, else that between the first two ends."""
    parsed = _parsed(block.reading_type)
    if parsed is not None and parsed.interval_minutes:
        return parsed.interval_minutes
    if len(block.stamps) > 1 and NO_VALUE not in block.stamps[:2]:
        return (block.stamps[1] - block.stamps[0]) // 60_000_000
    return None


def _parsed(reading_type: str) -> ReadingType | None:
    """Return a reading type code taken apart, None for an alias."""
    try:
        return reading_type_from_text(reading_type)
    except ValueError:
        return None
