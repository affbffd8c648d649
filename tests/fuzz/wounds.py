"""Wounds for valid messages: in their structure, in their texts, in their bytes. The same seed wounds alike."""

import random
import re
from copy import deepcopy

from lxml import etree

TEXTS = (
    "", " ", "0", "-1", "1.5", "NaN", "INF", "1e999", "true", "TRUE", "2026-02-30T00:00:00Z", "2026-03-01T24:00:00Z",
    "2026-03-01T00:00:00", "0000-01-01T00:00:00Z", "99999-01-01T00:00:00Z", "2026-03-01T00:00:00+14:01", "zap",
    "created",     "get", "MeterReadings", "ü" * 3, "\u2028", "a" * 5000, "<x/>", "]]>", "&amp;",
    "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0",
    "1" * 40, "0x10", "\U0001f600", "11111111-2222-3333-4444-555555555555", "9" * 19, "+5", ".5", "5.", "\u0661",
)  # fmt: skip
NAMES = ("value", "mRID", "Header", "Verb", "Payload", "MeterReading", "Reply", "Zap", "Result", "Names", "name")
SPACES = ("", "urn:zap", "http://iec.ch/TC57/2012/MeterReadings#", "http://schemas.xmlsoap.org/soap/envelope/")
BYTES = (
    b"<!-- x -->", b"<!--", b"-->", b"<![CDATA[1]]>", b"<![CDATA[", b"]]>", b"<?pi x?>", b"<?xml version='1.0'?>",
    b"&#49;", b"&#0;", b"&lt;", b"&zap;", b"<!DOCTYPE a>", b"\xff", b"\xc3", b"\x00", b"\xef\xbb\xbf", "ü".encode(),
    b" xmlns=''", b" xmlns:m='urn:m'", b" xsi:nil='true'", b" ref='1'", b'"', b"'", b"<", b">", b"/", b"\r", b"\t",
    b" ", b"<a/>", b"<m:a/>", b"<MeterReading>", b"</MeterReading>", b"</Header>", b"<Payload>", b"9", b"-", b".", b"=",
)  # fmt: skip


_KIND = '<ReadingType ref="0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"/>'
_MARK = '<ReadingQualities><ReadingQualityType ref="1.0.0"/></ReadingQualities>'
_PERIOD = "<timePeriod><end>2026-03-02T00:00:00Z</end><start>2026-03-01T00:00:00+01:00</start></timePeriod>"
_METER = "<Meter><mRID>m 1</mRID><Names><name>o'7</name><NameType><name>serial</name></NameType></Names></Meter>"
_STAMPED = "<timeStamp>2026-03-01T00:15:00Z</timeStamp><value>1.250</value>"
_INTERVAL = f"<IntervalReadings>{_STAMPED}</IntervalReadings>"
DENSE = (
    '<MeterReadings xmlns="http://iec.ch/TC57/2011/MeterReadings#">'
    f"<MeterReading>{_METER}<Readings>{_STAMPED}{_MARK}{_KIND}</Readings><Readings><reason>billing</reason>"
    f"<timeStamp>2026-03-01T01:15:00.500+01:00</timeStamp><value>-3</value>{_MARK}{_MARK}{_KIND}{_PERIOD}</Readings>"
    "<UsagePoint><mRID>up-1</mRID></UsagePoint></MeterReading>"
    f"<MeterReading><IntervalBlocks><IntervalReadings>{_STAMPED}{_MARK}{_PERIOD}</IntervalReadings>{_INTERVAL}{_KIND}"
    f"</IntervalBlocks><IntervalBlocks>{_INTERVAL}{_KIND}</IntervalBlocks>{_METER}</MeterReading></MeterReadings>"
).encode()
"""Meter readings that are read from their bytes, until they are wounded."""


def laid_out(raw: bytes, chance: random.Random) -> bytes:
    """Return a document as another writer would lay it out: what it says stays."""
    if chance.random() < 0.5:
        root = etree.fromstring(raw)
        etree.indent(root, chance.choice((" ", "  ", "\t", "    ")))
        raw = etree.tostring(root).replace(b"\n", chance.choice((b"\n", b"\r\n")))
    if chance.random() < 0.3:
        raw = re.sub(rb'<(Reading\w*Type) (ref="[^"<>]*")/>', rb"<\1 \2></\1>", raw)
    if chance.random() < 0.3:
        raw = raw.replace(b'"/>', chance.choice((b'" />', b"' />", b"'/>"))).replace(b' ref="', b" ref='")
    if chance.random() < 0.3:
        raw = re.sub(rb"<(/?)(\w)", rb"<\1m:\2", raw).replace(b"xmlns=", b"xmlns:m=")
    if chance.random() < 0.2:
        raw = raw.replace(b"><", b"><!-- next --><", chance.randrange(1, 9))
    return chance.choice((b"", b"", b"\xef\xbb\xbf", b'<?xml version="1.0" encoding="utf-8"?>\r\n')) + raw


def wounded(raw: bytes, chance: random.Random) -> bytes:
    """Return a valid message with one to three wounds; now and then with none that shows."""
    try:
        root = etree.fromstring(raw)
    except etree.XMLSyntaxError:
        return _bytes(raw, chance)
    if raw == DENSE:
        raw = laid_out(raw, chance)
        for _ in range(chance.choice((0, 1, 1, 2))):
            raw = _bytes(raw, chance)
        return raw
    for _ in range(chance.choice((0, 1, 1, 1, 2))):
        _structure(root, chance)
    raw = etree.tostring(root)
    if chance.random() < 0.2:
        etree.indent(root)
        raw = etree.tostring(root, xml_declaration=True, encoding="UTF-8").replace(
            b"\n", chance.choice((b"\n", b"\r\n"))
        )
    for _ in range(chance.choice((0, 0, 1, 2))):
        raw = _bytes(raw, chance)
    return raw


def _structure(root: etree._Element, chance: random.Random) -> None:
    """Wound one element of a tree."""
    elements = [element for element in root.iter() if isinstance(element.tag, str)]
    element, other = chance.choice(elements), chance.choice(elements)
    parent = element.getparent()
    namespace, name = etree.QName(element).namespace or "", etree.QName(element).localname
    kind = chance.randrange(8)
    if kind == 0:
        element.text = chance.choice(TEXTS)
    elif kind == 1 and parent is not None:
        parent.remove(element)
    elif kind == 2 and parent is not None:
        parent.insert(parent.index(element), deepcopy(element))
    elif kind == 3 and parent is not None and element.getprevious() is not None:
        parent.insert(parent.index(element) - 1, element)
    elif kind == 4:
        element.tag = f"{{{namespace}}}{chance.choice(NAMES)}" if namespace else chance.choice(NAMES)
    elif kind == 5:
        space = chance.choice(SPACES)
        element.tag = f"{{{space}}}{name}" if space else name
    elif kind == 6:
        element.set(chance.choice(("ref", "kind", "zap", "objectType")), chance.choice(TEXTS))
    elif len(list(other.iter())) < 50:
        element.append(deepcopy(other))


def _bytes(raw: bytes, chance: random.Random) -> bytes:
    """Wound bytes: insert, delete, double, overwrite; half of the time beside a tag."""
    at = chance.randrange(len(raw) + 1)
    if chance.random() < 0.5:
        tags = [n for n in range(len(raw)) if raw[n] in b"<>"]
        at = chance.choice(tags) + chance.choice((0, 1)) if tags else at
    length = chance.choice((0, 0, 1, 1, 2, 7, 40))
    piece = chance.choice((chance.choice(BYTES), raw[at : at + length] * 2, b"", bytes([chance.randrange(256)])))
    return raw[:at] + piece + raw[at + length :]
