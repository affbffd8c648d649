"""The peers of the MeterReadings codec: xsdata's serializer and lxml's xmlfile, given the same readings as ours.

xsdata's dataclasses are made from our schema when the benchmark begins, with the metadata that its generator writes;
the generator itself needs packages that nothing else here does.
"""

from collections.abc import Iterable
from dataclasses import field, make_dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Optional

from lxml import etree

from iec61968.nouns.columns import MeterReadingColumns, QualityMark
from iec61968.nouns.scalars import decimal_text, instant_text

NAMESPACE = "http://iec.ch/TC57/2011/MeterReadings#"
_XS = "{http://www.w3.org/2001/XMLSchema}"
_SCHEMA = Path(__file__).parent.parent / "iec61968" / "schemas" / "MeterReadings.xsd"


def classes() -> dict[str, Any]:
    """Return a dataclass for each complex type of our schema."""
    from xsdata.models.datatype import XmlDateTime

    plain: dict[str, Any] = {"dateTime": XmlDateTime, "boolean": bool, "integer": int, "float": float}
    types = {str(node.get("name")): node for node in etree.parse(_SCHEMA).getroot().iterfind(f"{_XS}complexType")}
    made: dict[str, Any] = {}

    def made_of(name: str) -> Any:
        if name not in made:
            made[name] = make_dataclass(
                name, [field_of(node) for node in types[name].iter(_XS + "element", _XS + "attribute")]
            )
        return made[name]

    def field_of(node: Any) -> tuple[str, Any, Any]:
        prefix, _, kind = node.get("type").partition(":")
        own: Any = made_of(kind) if prefix == "m" and kind in types else plain.get(kind, str)
        about = {"name": node.get("name"), "type": "Attribute"}
        if node.tag == _XS + "element":
            about |= {"type": "Element", "namespace": NAMESPACE}
        if node.get("maxOccurs") == "unbounded":
            return node.get("name"), list[own], field(default_factory=list, metadata=about)
        return node.get("name"), Optional[own], field(default=None, metadata=about)  # noqa: UP045

    for name in types:
        made_of(name)
    made["MeterReadings"].Meta = type("Meta", (), {"name": "MeterReadings", "namespace": NAMESPACE})
    return made


def by_xsdata(documents: Iterable[MeterReadingColumns], made: dict[str, Any], serializer: Any) -> bytes:
    """Return the document that xsdata writes: its objects are built and serialized."""
    from xsdata.models.datatype import XmlDateTime

    def quality(mark: QualityMark) -> Any:
        return made["ReadingQuality"](ReadingQualityType=made["Reference"](ref=mark.ref))

    root = made["MeterReadings"]()
    for one in documents:
        reading = made["MeterReading"](Meter=made["Meter"](mRID=one.meter.mrid))
        for block in one.blocks:
            rows = zip(block.stamps, block.values, block.qualities, strict=True)
            reading.IntervalBlocks.append(
                made["IntervalBlock"](
                    IntervalReadings=[
                        made["IntervalReading"](
                            timeStamp=XmlDateTime.from_string(instant_text(stamp)),
                            value=decimal_text(value, block.exponent),
                            ReadingQualities=list(map(quality, marks)),
                        )
                        for stamp, value, marks in rows
                    ],
                    ReadingType=made["Reference"](ref=block.reading_type),
                )
            )
        own = one.readings
        reading.Readings = [
            made["Reading"](
                timeStamp=XmlDateTime.from_string(instant_text(stamp)),
                value=decimal_text(value, own.exponent),
                ReadingQualities=list(map(quality, marks)),
                ReadingType=made["Reference"](ref=code),
            )
            for stamp, value, marks, code in zip(own.stamps, own.values, own.qualities, own.reading_types, strict=True)
        ]
        root.MeterReading.append(reading)
    return serializer.render(root, ns_map={None: NAMESPACE}).encode()  # type: ignore[no-any-return]


def by_xmlfile(documents: Iterable[MeterReadingColumns]) -> bytes:
    """Return the document that lxml's xmlfile writes, element by element."""
    out = BytesIO()
    with etree.xmlfile(out, encoding="utf-8") as xml, xml.element("MeterReadings", nsmap={None: NAMESPACE}):
        for one in documents:
            with xml.element("MeterReading"):
                for block in one.blocks:
                    with xml.element("IntervalBlocks"):
                        for stamp, value, marks in zip(block.stamps, block.values, block.qualities, strict=True):
                            with xml.element("IntervalReadings"):
                                _row(xml, stamp, decimal_text(value, block.exponent), marks)
                        _empty(xml, "ReadingType", block.reading_type)
                with xml.element("Meter"):
                    _text(xml, "mRID", one.meter.mrid)
                own = one.readings
                for stamp, value, marks, code in zip(
                    own.stamps, own.values, own.qualities, own.reading_types, strict=True
                ):
                    with xml.element("Readings"):
                        _row(xml, stamp, decimal_text(value, own.exponent), marks)
                        _empty(xml, "ReadingType", code)
    return out.getvalue()


def _row(xml: Any, stamp: int, value: str, marks: tuple[QualityMark, ...]) -> None:
    _text(xml, "timeStamp", instant_text(stamp))
    _text(xml, "value", value)
    for mark in marks:
        with xml.element("ReadingQualities"):
            _empty(xml, "ReadingQualityType", mark.ref)


def _text(xml: Any, name: str, text: str) -> None:
    with xml.element(name):
        xml.write(text)


def _empty(xml: Any, name: str, ref: str) -> None:
    with xml.element(name, ref=ref):
        pass
