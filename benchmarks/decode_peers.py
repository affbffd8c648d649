"""The peers of the MeterReadings decoder, given the same bytes: xsdata's and zeep's parsers, xmlschema's validation.

Each has its classes, schema and caches ready before it is measured. What xsdata and zeep read is compared with what
ours reads, value by value, before anything counts. xmlschema only validates. Readings form, as the regular document.
"""

import random
import statistics
import time
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

from lxml import etree

from benchmarks import cim_peers
from iec61968 import wsdl
from iec61968.editions import EDITIONS
from iec61968.nouns.meter_readings import decode
from iec61968.nouns.scalars import decimal_text, instant_text

ROUNDS = 5
_EDITION = EDITIONS["2011"]

Read = list[tuple[str, str, str, str]]
"""Stamp, value, quality and type of each reading, as texts."""


def ours(raw: bytes) -> Read:
    """Return what our decoder reads, validated."""
    return [
        (instant_text(stamp), decimal_text(value, own.exponent), marks[0].ref, code)
        for own in (one.readings for one in decode(BytesIO(raw), edition=_EDITION))
        for stamp, value, marks, code in zip(own.stamps, own.values, own.qualities, own.reading_types, strict=True)
    ]


def xsdata_parse() -> Callable[[bytes], Any]:
    """Return xsdata's parser with its fastest handler."""
    from xsdata.formats.dataclass.parsers import XmlParser
    from xsdata.formats.dataclass.parsers.handlers import XmlEventHandler

    made, parser = cim_peers.classes()["MeterReadings"], XmlParser(handler=XmlEventHandler)
    return lambda raw: parser.from_bytes(raw, made)


def zeep_parse() -> Callable[[bytes], Any]:
    """Return zeep's parser of our schema's element."""
    from zeep.loader import parse_xml
    from zeep.transports import Transport
    from zeep.xsd.schema import Schema

    transport: Any = Transport()  # type: ignore[no-untyped-call]
    text: Any = wsdl.schema("MeterReadings.xsd", _EDITION).encode()
    schema: Any = Schema(parse_xml(text, transport), transport, "MeterReadings.xsd")  # type: ignore[no-untyped-call]
    element = schema.get_element(f"{{{cim_peers.NAMESPACE}}}MeterReadings")
    return lambda raw: element.parse(etree.fromstring(raw), schema)


def xmlschema_validate() -> Callable[[bytes], Any]:
    """Return xmlschema's validation alone."""
    import xmlschema

    schema = xmlschema.XMLSchema(wsdl.schema("MeterReadings.xsd", _EDITION))
    return lambda raw: schema.validate(BytesIO(raw))


def rows_of(parsed: Any) -> Read:
    """Return what xsdata or zeep has read: their objects bear the schema's names."""
    return [
        (
            stamp_text(one.timeStamp),
            str(one.value),
            one.ReadingQualities[0].ReadingQualityType.ref,
            one.ReadingType.ref,
        )
        for meter in parsed.MeterReading
        for one in meter.Readings
    ]


def stamp_text(stamp: Any) -> str:
    """Return an instant of a peer as the wire has it."""
    return str(stamp if not hasattr(stamp, "isoformat") else stamp.isoformat()).replace("+00:00", "Z")


def seconds(way: Callable[[bytes], object], raw: bytes, turns: int) -> float:
    """Return the CPU seconds of the best turn."""
    best = float("inf")
    for _ in range(turns):
        begun = time.process_time()
        way(raw)
        best = min(best, time.process_time() - begun)
    return best


def decoded(raw: bytes) -> Sequence[object]:
    """Return every MeterReading of a document as columns, validated."""
    return list(decode(BytesIO(raw), edition=_EDITION))


def compared(raw: bytes, general: bytes) -> dict[str, float]:
    """Return how many times longer each peer takes; `general` are the same readings, written for the general way."""
    peers = {"xsdata": xsdata_parse(), "zeep": zeep_parse()}
    expected = ours(raw)
    for name, parse in peers.items():
        if rows_of(parse(raw)) != expected:
            raise SystemExit(f"{name} reads something else")
    peers["xmlschema"] = xmlschema_validate()
    chance = random.Random(3)
    ratios: dict[str, list[float]] = {f"x_{name}{suffix}": [] for suffix in ("", "_general") for name in peers}
    for _ in range(ROUNDS):
        ways: list[tuple[str, Callable[[bytes], object], bytes, int]] = [
            ("", decoded, raw, 5),
            ("_general", decoded, general, 5),
            *((name, parse, raw, 1) for name, parse in peers.items()),
        ]
        chance.shuffle(ways)
        taken = {name: seconds(way, document, turns) for name, way, document, turns in ways}
        for suffix in ("", "_general"):
            for name in peers:
                ratios[f"x_{name}{suffix}"].append(taken[name] / taken[suffix])
    return {name: round(statistics.median(found), 1) for name, found in ratios.items()}
