"""What attacks a reader of messages costs little time and memory, and has its own code."""

import base64
import gzip
import time
import tracemalloc
from collections.abc import Callable
from io import BytesIO

import pytest

from canonical.errors import RejectedError
from iec61968 import safe_xml
from iec61968.bindings import unwrap
from iec61968.compression import expand
from iec61968.nouns.meter_readings import decode

MB = 1024 * 1024
NAMESPACE = "http://iec.ch/TC57/2011/MeterReadings#"
HEAD = f'<MeterReadings xmlns="{NAMESPACE}">'.encode()
TAIL = b"</MeterReadings>"
LAUGHS = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
DEEP = 100_000


def whole(raw: bytes) -> object:
    return unwrap(raw)


def stream(raw: bytes) -> object:
    return list(decode(BytesIO(raw)))


def expanded(raw: bytes) -> object:
    return expand(raw.decode("ascii"))


def attributes() -> bytes:
    return b"<MeterReadings " + b" ".join(b'a%d="1"' % n for n in range(1_000_000)) + b"/>"


def laughs() -> bytes:
    return b'<!DOCTYPE a [<!ENTITY l0 "ha">' + LAUGHS + b"]><a>&l9;</a>"


def wrapped_bomb() -> bytes:
    return base64.b64encode(gzip.compress(gzip.compress(bytes(20 * MB)) + bytes(9 * MB)))


def named(text: bytes) -> bytes:
    return HEAD + b"<MeterReading><Meter><mRID>" + text + b"</mRID></Meter></MeterReading>" + TAIL


def bomb() -> bytes:
    inner = gzip.compress(bytes(50 * MB))
    return base64.b64encode(inner)


ATTACKS: dict[str, tuple[Callable[[bytes], object], Callable[[], bytes], str]] = {
    "entity expansion": (whole, laughs, "1102"),
    "entity expansion, streamed": (stream, laughs, "1102"),
    "external entity": (whole, lambda: b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', "1102"),
    "external entity, streamed": (
        stream,
        lambda: b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>' + HEAD + b"&b;" + TAIL,
        "1102",
    ),
    "a million attributes": (whole, attributes, "1104"),
    "depth of a hundred thousand": (whole, lambda: b"<a>" * DEEP + b"</a>" * DEEP, "1104"),
    "depth of a hundred thousand, streamed": (stream, lambda: HEAD + b"<a>" * DEEP + b"</a>" * DEEP + TAIL, "1108"),
    "oversize": (whole, lambda: b"<a>" + b" " * (65 * MB) + b"</a>", "1103"),
    "comments without end": (stream, lambda: b"<!-- x -->" * 10_000 + HEAD + TAIL, "1104"),
    "a comment that never closes": (stream, lambda: HEAD + b"<!--" + b"x" * (20 * MB), "1104"),
    "instructions without end": (stream, lambda: b"<?x y?>" * 20_000 + HEAD + TAIL, "1104"),
    "an endless text": (stream, lambda: HEAD + b"<MeterReading>" + b"x" * (20 * MB), "1104"),
    "broken UTF-8": (whole, lambda: b"<a>\xff\xfe\xc3</a>", "1101"),
    "broken UTF-8, streamed": (stream, lambda: HEAD + b"<MeterReading><Meter><mRID>\xff</mRID>" + TAIL, "1101"),
    "overlong UTF-8": (whole, lambda: b"<a>\xc0\xbc</a>", "1101"),
    "UTF-16": (whole, lambda: "<a/>".encode("utf-16"), "1105"),
    "UTF-16, streamed": (stream, lambda: "<a/>".encode("utf-16"), "1105"),
    "NUL bytes": (whole, lambda: b"<a>\x00</a>", "1101"),
    "NUL bytes, streamed": (stream, lambda: named(b"\x00"), "1101"),
    "gzip bomb": (expanded, bomb, "1130"),
    "gzip bomb inside another": (expanded, wrapped_bomb, "1130"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_with_its_code_in_bounded_time_and_memory(name: str) -> None:
    read, build, number = ATTACKS[name]
    raw = build()
    begun = time.process_time()
    tracemalloc.start()

    with pytest.raises(RejectedError) as caught:
        read(raw)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.code.number == number, (caught.value.code, caught.value.reason)
    assert time.process_time() - begun < 5
    assert peak < 64 * MB


def test_a_schema_that_the_message_names_is_never_fetched_nor_believed() -> None:
    location = (
        b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        b'xsi:schemaLocation="http://iec.ch/TC57/2011/MeterReadings# http://192.0.2.1/x.xsd"'
    )
    opened = HEAD[:-1] + location + b">"

    assert list(decode(BytesIO(opened + b"<MeterReading/>" + TAIL)))
    with pytest.raises(RejectedError) as caught:
        list(decode(BytesIO(opened + b"<Zap/>" + TAIL)))
    assert caught.value.code.name == "SCHEMA_INVALID"
    assert safe_xml.parse(opened + TAIL).tag.endswith("MeterReadings")
