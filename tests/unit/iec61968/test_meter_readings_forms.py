"""However a MeterReadings document is laid out, it says the same and is read from its bytes."""

import re
from io import BytesIO

import pytest
from lxml import etree

from canonical.errors import RejectedError
from iec61968 import safe_xml, validation
from iec61968.editions import EDITIONS
from iec61968.nouns.meter_reading_elements import columns_of, tags_of
from iec61968.nouns.meter_reading_grammar import columns_of_bytes
from iec61968.nouns.meter_readings import MeterReadingColumns, readings_from_xml
from iec61968.nouns.reading_parts import PartReader
from iec61968.nouns.reading_stream import StreamLimits

EDITION = EDITIONS["2011"]
NAMESPACE = EDITION.profile("MeterReadings")
KIND = '<ReadingType ref="0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"/>'
MARK = '<ReadingQualities><ReadingQualityType ref="1.0.0"/></ReadingQualities>'
PERIOD = "<timePeriod><end>2026-03-02T00:00:00Z</end><start>2026-03-01T00:00:00+01:00</start></timePeriod>"
METER = "<Meter><mRID>m 1</mRID><Names><name>o'7</name><NameType><name>serial</name></NameType></Names></Meter>"
STAMPED = "<timeStamp>2026-03-01T00:15:00Z</timeStamp><value>1.250</value>"
COMPACT = (
    f'<MeterReadings xmlns="{NAMESPACE}">'
    f"<MeterReading>{METER}<Readings>{STAMPED}{MARK}{KIND}</Readings><Readings><reason>billing</reason>"
    f"<timeStamp>2026-03-01T01:15:00.500+01:00</timeStamp><value>-3</value>{MARK}{MARK}{KIND}{PERIOD}</Readings>"
    "<UsagePoint><mRID>up-1</mRID></UsagePoint></MeterReading>"
    f"<MeterReading><IntervalBlocks><IntervalReadings>{STAMPED}{MARK}{PERIOD}</IntervalReadings>"
    f"<IntervalReadings>{STAMPED}</IntervalReadings>{KIND}</IntervalBlocks>"
    f"<IntervalBlocks><IntervalReadings>{STAMPED}</IntervalReadings>{KIND}</IntervalBlocks>{METER}</MeterReading>"
    "</MeterReadings>"
)


def indented(text: str, space: str = "  ") -> str:
    root = etree.fromstring(text)
    etree.indent(root, space)
    return etree.tostring(root, encoding="unicode")


def prefixed(text: str, prefix: str) -> str:
    return re.sub(r"<(/?)(\w)", rf"<\1{prefix}:\2", text).replace("xmlns=", f"xmlns:{prefix}=")


FORMS = {
    "compact": COMPACT,
    "indented": indented(COMPACT),
    "tabs": indented(COMPACT, "\t"),
    "crlf": indented(COMPACT, "    ").replace("\n", "\r\n"),
    "prefix m": prefixed(COMPACT, "m"),
    "prefix ns2, indented": prefixed(indented(COMPACT), "ns2"),
    "single quotes": COMPACT.replace('"', "'"),
    "space before the end of an empty tag": indented(COMPACT).replace('"/>', '" />'),
    "empty elements closed apart": re.sub(r'<(Reading\w*Type) (ref="[^"]*")/>', r"<\1 \2></\1>", indented(COMPACT)),
    "closed apart with a prefix": prefixed(
        re.sub(r'<(Reading\w*Type) (ref="[^"]*")/>', r"<\1 \2></\1>", COMPACT), "cim"
    ),
    "declaration, mark and comments": '\ufeff<?xml version="1.0" encoding="utf-8" standalone="yes"?>\n<!-- from A-B -->'
    + COMPACT.replace("<MeterReading>", "<!-- next --><MeterReading>").replace("<Readings>", "<!-- r -->\n<Readings>"),
    "uneven white space": COMPACT.replace("<value>", "\n\n <value>").replace("<Readings>", "\n<Readings>"),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_is_read_from_its_bytes_and_says_the_same(name: str) -> None:
    raw = FORMS[name].encode()
    reader = PartReader(BytesIO(raw), EDITION, policy="strict", limits=StreamLimits(), where="")

    parts = list(reader.parts())

    assert [type(part) for part in parts] == [MeterReadingColumns] * 2
    assert tuple(parts) == readings_from_xml(COMPACT.encode())
    root = safe_xml.parse(raw)
    validation.require_valid(root, EDITION)
    tags = tags_of(EDITION)
    assert tuple(columns_of(child, tags, valid=False) for child in root.iterchildren(tags.meter_reading)) == tuple(
        parts
    )


WRONG = {
    "a comment inside a tag": COMPACT.replace("<value>", "<value<!-- x -->>"),
    "an opening quote of the other kind": COMPACT.replace('<ReadingType ref="', "<ReadingType ref='", 1),
    "an empty element closed by another": COMPACT.replace(f"{KIND}</Re", f"{KIND[:-2]}></ReadingQualityType></Re", 1),
    "white space in an element that is empty": COMPACT.replace(KIND, f"{KIND[:-2]}>\n</ReadingType>"),
    "another prefix inside": prefixed(COMPACT, "m").replace("<m:value>", "<value>").replace("</m:value>", "</value>"),
    "another namespace": COMPACT.replace("2011/MeterReadings#", "2012/MeterReadings#"),
    "event types behind the readings": COMPACT.replace(
        "</MeterReadings>", "<EndDeviceEventType><Names><name>x</name></Names></EndDeviceEventType></MeterReadings>"
    ),
    "an offset beyond fourteen hours": COMPACT.replace("500+01:00", "500+15:00"),
    "a fraction after the end of a day": COMPACT.replace("T01:15:00.500", "T24:00:00.500"),
    "a reason that is none": COMPACT.replace("billing", "billings"),
    "the end behind the start": COMPACT.replace("<end>", "<x>").replace("<start>", "<end>").replace("<x>", "<start>"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_only_looks_like_a_form_is_refused(name: str) -> None:
    with pytest.raises(RejectedError):
        readings_from_xml(WRONG[name].encode())


def test_a_block_with_anything_beside_its_form_is_left_to_the_parser() -> None:
    block = COMPACT.partition(">")[2].encode().partition(b"</MeterReading>")[0] + b"</MeterReading>"

    assert columns_of_bytes(block, None) is not None
    assert columns_of_bytes(block.replace(b"1.250", b" 1.250 "), None) is None
    assert columns_of_bytes(block.replace(b"1.250", b"<![CDATA[1.250]]>"), None) is None
    assert columns_of_bytes(block.replace(b"1.250", b"1.2&#53;0"), None) is None
