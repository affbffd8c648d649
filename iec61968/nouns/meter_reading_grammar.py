"""One MeterReading from its bytes, where they follow a strict grammar; anything else is left to the XML parser.

The grammar is a subset of what the schema allows, written without white space, comments, entities or other encodings.
Every byte of a block is accounted for: what is accepted here, libxml2 and the schema accept too, with equal values.
"""

import re
from array import array
from functools import lru_cache

from iec61968.nouns.columns import Block, Identity, MeterReadingColumns, Name, QualityMark, Readings
from iec61968.nouns.scalars import decimal_parts, microseconds, scaled, uniform

START, END = b"<MeterReading>", b"</MeterReading>"

_TEXT = rb"([ -%'-;=?-~]*)"
_NAME_OPTIONAL = rb"(?:<NameTypeAuthority><name>" + _TEXT + rb"</name></NameTypeAuthority>)?"
_NAME = rb"<Names><name>" + _TEXT + rb"</name>(?:<NameType><name>" + _TEXT + rb"</name>" + _NAME_OPTIONAL
_NAME += rb"</NameType>)?</Names>"
_NAMES = re.compile(_NAME)
_GROUPLESS = _NAME.replace(_TEXT, _TEXT.replace(b"(", b"(?:", 1))


def _identity_of(tag: bytes) -> re.Pattern[bytes]:
    """Return the grammar of an optional Meter or UsagePoint."""
    names = rb"((?:" + _GROUPLESS + rb")*)"
    return re.compile(rb"(?:<" + tag + rb">(?:<mRID>" + _TEXT + rb"</mRID>)?" + names + rb"</" + tag + rb">)?")


_METER, _USAGE_POINT = _identity_of(b"Meter"), _identity_of(b"UsagePoint")

_VALUE = rb"<timeStamp>([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)</timeStamp>"
_VALUE += rb"<value>(-?[0-9]+(?:\.[0-9]+)?)"
_MARK_OPEN, _MARK_CLOSE = b'<ReadingQualities><ReadingQualityType ref="', b'"/></ReadingQualities>'
_REF = rb"[0-9]{1,3}\.[0-9]{1,4}\.[0-9]{1,6}"
_REFS = re.compile(_REF)
_MARK = rb"((?:" + _MARK_OPEN + _REF + _MARK_CLOSE + rb")*)"
_TYPE = rb'<ReadingType ref="([0-9.]+)"/>'
_READING = re.compile(rb"<Readings>" + _VALUE + rb"</value>" + _MARK + _TYPE + rb"</Readings>")
_INTERVAL = re.compile(rb"<IntervalReadings>" + _VALUE + rb"</value>" + _MARK + rb"</IntervalReadings>")

_STAMP_LENGTH = len(b"2026-03-01T00:00:00Z")
_VALUE_LENGTH = len(b"<timeStamp></timeStamp><value></value>") + _STAMP_LENGTH
_READING_LENGTH = len(b'<Readings><ReadingType ref=""/></Readings>') + _VALUE_LENGTH
_INTERVAL_LENGTH = len(b"<IntervalReadings></IntervalReadings>") + _VALUE_LENGTH
_BLOCK_OPEN, _BLOCK_CLOSE = b"<IntervalBlocks>", b"</IntervalBlocks>"
_BLOCK_TYPE = re.compile(_TYPE)


def columns_of_bytes(block: bytes) -> MeterReadingColumns | None:
    """Return the columns of a block from START to END, or None when it does not follow the grammar."""
    if not block.startswith(START) or not block.endswith(END):
        return None
    position = len(START)
    blocks: tuple[Block, ...] | None = ()
    if block.startswith(_BLOCK_OPEN, position):
        end = block.rfind(_BLOCK_CLOSE) + len(_BLOCK_CLOSE)
        blocks = _blocks(block[position:end])
        position = end
    first = block.find(b"<Readings>", position)
    last = block.rfind(b"</Readings>") + len(b"</Readings>")
    stop = len(block) - len(END)
    if first < 0:
        # Without readings the two identities stand beside each other; the parser tells them apart.
        first = last = block.find(b"<UsagePoint>", position)
        first = last = stop if first < 0 else first
    if blocks is None or last < first:
        return None
    meter = _identity(_METER, block[position:first])
    point = _identity(_USAGE_POINT, block[last:stop])
    readings = _readings(block[first:last]) if last > first else Readings()
    if meter is None or point is None or readings is None:
        return None
    return MeterReadingColumns(meter, point, blocks, readings)


def _identity(grammar: re.Pattern[bytes], text: bytes) -> Identity | None:
    """Return a meter or usage point; None when the text is anything else."""
    if not text:
        return Identity()
    match = grammar.fullmatch(text)
    if match is None:
        return None
    mrid, names = match.groups()
    return Identity(
        (mrid or b"").decode("ascii").strip(),
        tuple(Name(*(part.decode("ascii").strip() for part in found)) for found in _NAMES.findall(names)),
    )


def _readings(text: bytes) -> Readings | None:
    """Return Readings that cover every byte of the text; None when they do not."""
    found = _READING.findall(text)
    if not found:
        return None
    stamps, values, marks, types = zip(*found, strict=True)
    rest = len(text) - len(found) * _READING_LENGTH - sum(map(len, types))
    columns = _columns(stamps, values, marks, rest)
    if columns is None or any(code.count(b".") != 17 for code in set(types)):
        return None
    return Readings(*columns, tuple(map(_ascii, types)))


def _blocks(text: bytes) -> tuple[Block, ...] | None:
    """Return IntervalBlocks that cover every byte of the text; None when they do not."""
    made = []
    for piece in text.removesuffix(_BLOCK_CLOSE).split(_BLOCK_CLOSE):
        opened, code_at = piece.startswith(_BLOCK_OPEN), piece.rfind(b"<ReadingType ")
        match = _BLOCK_TYPE.fullmatch(piece, code_at) if opened and code_at > 0 else None
        body = piece[len(_BLOCK_OPEN) : code_at]
        found = _INTERVAL.findall(body)
        if match is None or not found or match.group(1).count(b".") != 17:
            return None
        stamps, values, marks = zip(*found, strict=True)
        columns = _columns(stamps, values, marks, len(body) - len(found) * _INTERVAL_LENGTH)
        if columns is None:
            return None
        made.append(Block(_ascii(match.group(1)), *columns))
    return tuple(made)


_Columns = tuple["array[int]", "array[int]", int, tuple[tuple[QualityMark, ...], ...]]


def _columns(
    stamps: tuple[bytes, ...], values: tuple[bytes, ...], marks: tuple[bytes, ...], rest: int
) -> _Columns | None:
    """Return stamps, values, exponent and qualities, if they use up exactly the `rest` of the bytes."""
    if rest != sum(map(len, values)) + sum(map(len, marks)):
        return None
    joined = b",".join(values).decode("ascii")
    try:
        numbers = uniform([joined]) or scaled([decimal_parts(text) for text in joined.split(",")])
        instants = array("q", map(_stamp, stamps))
    except ValueError:
        return None
    return instants, numbers[0], numbers[1], tuple(map(_marks, marks))


@lru_cache(maxsize=200_000)
def _stamp(text: bytes) -> int:
    return microseconds(text.decode("ascii"))


@lru_cache(maxsize=10_000)
def _marks(text: bytes) -> tuple[QualityMark, ...]:
    """Return the qualities of one reading."""
    return tuple(QualityMark(ref.decode("ascii")) for ref in _REFS.findall(text))


@lru_cache(maxsize=10_000)
def _ascii(text: bytes) -> str:
    return text.decode("ascii")
