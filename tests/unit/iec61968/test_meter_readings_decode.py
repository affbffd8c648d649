"""The stream decoder: exact, aligned, and never of another opinion than lxml with the schema."""

import random
from array import array
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from canonical.errors import RejectedError
from iec61968 import safe_xml, validation
from iec61968.editions import EDITIONS
from iec61968.nouns import meter_readings
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
from iec61968.nouns.meter_reading_elements import columns_of, tags_of
from iec61968.nouns.meter_readings import StreamLimits, decode, readings_from_xml, readings_to_xml
from iec61968.nouns.scalars import decimal_parts, decimal_text, microseconds

EDITION = EDITIONS["2011"]
ENERGY = "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
HEAD = b'<?xml version="1.0" encoding="UTF-8"?>\n<MeterReadings xmlns="http://iec.ch/TC57/2011/MeterReadings#">'
TAIL = b"</MeterReadings>"


def reading(stamp: str = "2026-03-01T00:15:00Z", value: str = "1.250", refs: tuple[str, ...] = ("1.0.0",)) -> str:
    marks = "".join(f'<ReadingQualities><ReadingQualityType ref="{ref}"/></ReadingQualities>' for ref in refs)
    return (
        f'<Readings><timeStamp>{stamp}</timeStamp><value>{value}</value>{marks}<ReadingType ref="{ENERGY}"/></Readings>'
    )


def interval(stamp: str = "2026-03-01T00:15:00Z", value: str = "1.25", ref: str = "") -> str:
    mark = f'<ReadingQualities><ReadingQualityType ref="{ref}"/></ReadingQualities>' if ref else ""
    return f"<IntervalReadings><timeStamp>{stamp}</timeStamp><value>{value}</value>{mark}</IntervalReadings>"


METER = (
    "<Meter><mRID>m-1</mRID><Names><name>007</name><NameType><name>serial</name><NameTypeAuthority>"
    "<name>ACME</name></NameTypeAuthority></NameType></Names></Meter>"
)
DOCUMENT = (
    HEAD
    + (
        f"<MeterReading>{METER}{reading()}{reading(value='-0.5')}{reading(refs=())}"
        "<UsagePoint><mRID>up-1</mRID></UsagePoint></MeterReading>\n"
        f"<MeterReading><IntervalBlocks>{interval(ref='1.0.0')}{interval('2026-03-01T00:30:00Z')}"
        f'<ReadingType ref="{ENERGY}"/></IntervalBlocks>{METER}</MeterReading>'
        f"<MeterReading>{reading(refs=('3.8.0', '3.7.0'))}</MeterReading>"
        f"<MeterReading>{reading()}{reading('2026-03-01T00:30:00Z')}</MeterReading>"
    ).encode()
    + TAIL
)


def by_tree(raw: bytes) -> tuple[MeterReadingColumns, ...]:
    """Decode the plain way: whole tree, schema, a loop over its elements."""
    root = safe_xml.parse(raw)
    validation.require_valid(root, EDITION)
    tags = tags_of(EDITION)
    return tuple(columns_of(element, tags, valid=False) for element in root.iterchildren(tags.meter_reading))


def opinion(read, raw: bytes):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Return what a decoder makes of bytes, or that it refuses them."""
    try:
        return read(raw)
    except RejectedError:
        return "refused"


def test_every_reading_keeps_its_own_stamp_value_and_qualities() -> None:
    first, second, third, _ = readings_from_xml(DOCUMENT)

    assert first.meter == Identity("m-1", (Name("007", "serial", "ACME"),))
    assert first.usage_point == Identity("up-1")
    assert (list(first.readings.values), first.readings.exponent) == ([1250, -500, 1250], -3)
    assert first.readings.qualities == ((QualityMark("1.0.0"),), (QualityMark("1.0.0"),), ())
    assert second.blocks[0].qualities == ((QualityMark("1.0.0"),), ())
    assert list(second.blocks[0].stamps) == [
        microseconds("2026-03-01T00:15:00Z"),
        microseconds("2026-03-01T00:30:00Z"),
    ]
    assert third.readings.qualities == ((QualityMark("3.8.0"), QualityMark("3.7.0")),)


def test_the_stream_and_the_tree_agree_on_the_sample() -> None:
    assert readings_from_xml(DOCUMENT) == by_tree(DOCUMENT)


MUTATIONS = (
    b"<!-- x -->", b"<![CDATA[1]]>", b"<?pi?>", b"&#49;", b"&lt;", b" ", b"\n", b"<", b">", b"/", b"x", b"9", b".",
    b"-", b"<MeterReading>", b"</MeterReading>", b"<Readings>", b"</Readings>", b"<value>1.0</value>", b"<!--", b"-->",
    b"<timeStamp>2026-03-01T24:00:00Z</timeStamp>", b"<comment>c</comment>", b"<reason>billing</reason>",
    b'<ReadingQualities><ReadingQualityType ref="1.0.0"/></ReadingQualities>', b'<ReadingType ref="1.0.0"/>',
    b"<Meter>", b"</Meter>", b"<Foo>", b"</Foo>", b"</MeterReadings>", b'<MeterReadings xmlns="http://iec.ch/TC57/2011/MeterReadings#">',
    b' xmlns=""', b' ref="1"', b"2026-13-01", b"\xff", b"\x00", "ü".encode(), b"E5", b"+", b"<x:y/>",
    b"<ReadingType><Names><name>x</name></Names></ReadingType>", b"]]>", b"<![CDATA[", b"\r",
)  # fmt: skip


def mutated(raw: bytes, chance: random.Random) -> bytes:
    """Return the bytes with one to three wounds: inserted, deleted, doubled or overwritten."""
    for _ in range(chance.choice((1, 1, 2, 3))):
        at = chance.randrange(len(raw))
        length = chance.choice((0, 1, 1, 2, 7, 20, 60))
        piece = chance.choice(
            (chance.choice(MUTATIONS), raw[at : at + length] * 2, b"", bytes([chance.randrange(32, 127)]))
        )
        if chance.random() < 0.5:
            tags = [n for n in range(len(raw)) if raw[n : n + 1] in b"<>"]
            at = chance.choice(tags) + chance.choice((0, 1))
        raw = raw[:at] + piece + raw[at + length :]
    return raw


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_a_wounded_document_is_read_or_refused_exactly_as_lxml_with_the_schema_does(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    accepted = 0

    for _ in range(250):
        raw = mutated(DOCUMENT, chance)
        stream, tree = opinion(readings_from_xml, raw), opinion(by_tree, raw)
        assert stream == tree, raw
        accepted += stream != "refused"

    assert accepted > 0


def test_a_block_hidden_by_a_comment_that_an_irregular_one_opened_is_not_read() -> None:
    odd = f"<MeterReading>{reading(refs=('1.0.0', '1.0.1'))}<!-- </MeterReading>".encode()
    hidden = f"<MeterReading>{reading(value='9.999')}</MeterReading>".encode()
    raw = HEAD + odd + hidden + b"--></MeterReading>" + TAIL

    assert opinion(readings_from_xml, raw) == by_tree(raw)
    assert len(by_tree(raw)) == 1


def test_a_meter_reading_behind_a_reading_type_is_refused_although_its_bytes_are_regular() -> None:
    kind = b"<ReadingType><Names><name>x</name></Names></ReadingType>"
    regular = f"<MeterReading>{reading()}</MeterReading>".encode()

    assert opinion(readings_from_xml, HEAD + regular + kind + regular + TAIL) == "refused"


def test_a_qualitys_own_stamp_is_never_taken_for_a_readings() -> None:
    own = (
        "<ReadingQualities><timeStamp>2026-01-01T00:00:00Z</timeStamp>"
        '<ReadingQualityType ref="1.0.0"/></ReadingQualities>'
    )
    stamped = "<timeStamp>2026-03-01T00:15:00Z</timeStamp><value>1.0</value>"
    first = f'<Readings>{stamped}{own}<ReadingType ref="{ENERGY}"/></Readings>'
    second = f'<Readings><value>2.0</value><ReadingType ref="{ENERGY}"/></Readings>'
    raw = HEAD + f"<MeterReading>{first}{second}</MeterReading>".encode() + TAIL

    (read,) = readings_from_xml(raw)

    assert list(read.readings.stamps) == [microseconds("2026-03-01T00:15:00Z"), NO_VALUE]
    assert read.readings.qualities == ((QualityMark("1.0.0"),), ())


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_chunks_of_any_size_read_alike(size: int) -> None:
    class Dripping(BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            return super().read(size)

    assert tuple(decode(Dripping(DOCUMENT))) == readings_from_xml(DOCUMENT)


def test_a_document_cut_anywhere_is_refused() -> None:
    for end in range(0, len(DOCUMENT), 37):
        assert opinion(readings_from_xml, DOCUMENT[:end]) == "refused", end


def test_one_endless_meter_reading_is_refused_before_it_fills_memory() -> None:
    raw = HEAD + b"<MeterReading>" + reading().encode() * 3000
    limits = StreamLimits(between_readings=100_000)

    with pytest.raises(RejectedError) as caught:
        list(decode(BytesIO(raw), limits=limits))

    assert caught.value.code.number == "1104"


def test_another_edition_of_the_envelope_carries_the_same_readings() -> None:
    for name, typed in (("www", "http://www.iec.ch/TC57/2011"), ("2017", "http://iec.ch/TC57/2017")):
        edition = EDITIONS[name]
        message_id = "11111111-2222-3333-4444-555555555555"
        raw = (
            f'<CreatedMeterReadings xmlns="{typed}/MeterReadingsMessage" xmlns:e="{edition.message}"><Header>'
            f"<e:Verb>created</e:Verb><e:Noun>MeterReadings</e:Noun><e:Timestamp>2026-03-02T12:00:00Z</e:Timestamp>"
            f"<e:MessageID>{message_id}</e:MessageID><e:CorrelationID>{message_id}</e:CorrelationID></Header><Payload>"
        ).encode() + DOCUMENT.partition(b"\n")[2] + b"</Payload></CreatedMeterReadings>"  # fmt: skip

        assert readings_from_xml(raw, edition=edition) == readings_from_xml(DOCUMENT)
        assert opinion(lambda r: readings_from_xml(r, edition=EDITION), raw) == "refused"


INSTANTS = st.integers(-62_135_596_800, 253_402_300_799).map(lambda seconds: seconds * 1_000_000)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"))
LINES = TEXTS.map(str.strip)
MARKS = st.lists(
    st.builds(QualityMark, st.sampled_from(["1.0.0", "3.8.0", "2.5.259", "1.4.16"]), LINES), max_size=2
).map(tuple)
SPANS = st.none() | st.builds(Span, INSTANTS | st.just(NO_VALUE), INSTANTS)
NAMES = st.lists(st.builds(Name, LINES, LINES, LINES), max_size=2).map(tuple)
IDENTITIES = st.builds(Identity, LINES, NAMES)


def column(size: int) -> st.SearchStrategy[tuple["array[int]", "array[int]", int, tuple[tuple[QualityMark, ...], ...]]]:
    numbers = st.lists(st.integers(-(10**12), 10**12), min_size=size, max_size=size)
    return st.tuples(
        st.lists(INSTANTS | st.just(NO_VALUE), min_size=size, max_size=size).map(lambda v: array("q", v)),
        numbers.map(lambda v: array("q", v)),
        st.integers(-4, 0) if size else st.just(0),
        st.lists(MARKS, min_size=size, max_size=size).map(tuple),
    )


@st.composite
def documents(draw: st.DrawFn) -> MeterReadingColumns:
    size = draw(st.integers(0, 4))
    stamps, values, exponent, marks = draw(column(size))
    periods = tuple(draw(st.lists(SPANS, min_size=size, max_size=size)))
    reasons = tuple(draw(st.lists(st.sampled_from(["", "billing", "moveOut"]), min_size=size, max_size=size)))
    readings = Readings(
        stamps, values, exponent, marks, (ENERGY,) * size,
        periods if any(periods) else (), reasons if any(reasons) else (),
    )  # fmt: skip
    length = draw(st.integers(1, 4))
    blocks = tuple(Block(ENERGY, *draw(column(length))) for _ in range(draw(st.integers(0, 2))))
    return MeterReadingColumns(draw(IDENTITIES), draw(IDENTITIES), blocks, readings)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.lists(documents(), max_size=3))
def test_what_is_written_is_valid_and_reads_back_equal(written: list[MeterReadingColumns]) -> None:
    raw = readings_to_xml(written)

    validation.require_valid(etree.fromstring(raw), EDITION)
    assert readings_from_xml(raw) == tuple(written)


@given(st.integers(-(10**17), 10**17), st.integers(-9, 0))
def test_a_number_written_reads_back_digit_for_digit(mantissa: int, exponent: int) -> None:
    assert decimal_parts(decimal_text(mantissa, exponent)) == (mantissa, exponent)


@pytest.mark.parametrize("text", ["", "abc", "1.2.3", "NaN", "INF", "1e999", "0x10", "--1", "1,5", "1" * 30, "\u0661"])
def test_what_is_no_plain_number_is_refused_with_its_place(text: str) -> None:
    raw = HEAD + f"<MeterReading>{reading(value=text or '.')}</MeterReading>".encode() + TAIL

    with pytest.raises(RejectedError) as caught:
        readings_from_xml(raw)

    assert caught.value.code.number == "1117"
    assert "MeterReading[1]" in caught.value.where


def test_an_instant_without_offset_is_refused() -> None:
    raw = HEAD + f"<MeterReading>{reading(stamp='2026-03-01T00:15:00')}</MeterReading>".encode() + TAIL

    with pytest.raises(RejectedError) as caught:
        readings_from_xml(raw)

    assert caught.value.code.number == "1117"


def test_midnight_written_as_the_end_of_a_day_is_the_next_days_start() -> None:
    assert microseconds("2026-03-01T24:00:00Z") == microseconds("2026-03-02T00:00:00.0000000+00:00")


def test_readings_with_another_policy_are_read_although_the_schema_forbids_them() -> None:
    raw = HEAD + f"<MeterReading><Vendor/>{reading()}</MeterReading>".encode() + TAIL

    assert opinion(readings_from_xml, raw) == "refused"
    assert list(next(decode(BytesIO(raw), policy="report")).readings.values) == [1250]
    assert meter_readings.NOUN == "MeterReadings"
