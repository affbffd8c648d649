"""One MeterReading from its bytes, where they follow a strict grammar; anything else is left to the XML parser.

The grammar is a subset of what the schema allows: ASCII, no comments, no entities, white space only where the form of
the writer puts it. Every byte of a block is accounted for: what is accepted here, libxml2 and the schema accept too,
with equal values.
"""

import re
from array import array
from collections.abc import Iterable
from functools import lru_cache

from iec61968.nouns.columns import NO_VALUE, Block, Identity, MeterReadingColumns, Name, QualityMark, Readings, Span
from iec61968.nouns.plain_form import SPACE, plain
from iec61968.nouns.scalars import decimals, microseconds, uniform
from iec61968.nouns.written_form import Grammar, grammar_of

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
_REFS = re.compile(rb"[0-9]{1,3}\.[0-9]{1,4}\.[0-9]{1,6}")
_STAMP = re.compile(
    rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:24:00:00|(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?)"
    rb"(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9])"
)
_REASON = re.compile(rb">([A-Za-z]+)<")
_END = re.compile(rb"end>([0-9TZ:.+-]+)<")
_START = re.compile(rb"start>([0-9TZ:.+-]+)<")


def columns_of_bytes(block: bytes, prefix: str | None) -> MeterReadingColumns | None:
    """Return the columns of a block from its start tag to its end tag, or None when it does not follow the grammar."""
    columns = _columns_in(block, grammar_of(block, prefix), prefix)
    if columns is not None:
        return columns
    flat = plain(block, prefix)
    return _columns_in(flat, grammar_of(flat, None), None) if flat != block else None


def _columns_in(block: bytes, own: Grammar, prefix: str | None) -> MeterReadingColumns | None:
    """Return the columns of a block that is written in one form from beginning to end."""
    if not block.startswith(own.start) or not block.endswith(own.end):
        return None
    position, stop = len(own.start), len(block) - len(own.end)
    blocks: tuple[Block, ...] | None = ()
    if block.startswith(own.block_open, position):
        end = block.rfind(own.block_close) + len(own.block_close)
        blocks = _blocks(block[position:end], own)
        position = end
    first = block.find(own.reading_open, position)
    last = block.rfind(own.reading_close) + len(own.reading_close)
    if first < 0:
        # Without readings the two identities stand beside each other; the parser tells them apart.
        first = last = block.find(own.usage_point_open, position)
        first = last = stop if first < 0 else first
    if blocks is None or last < first or last > stop:
        return None
    meter = _identity(_METER, block[position:first], prefix)
    point = _identity(_USAGE_POINT, block[last:stop], prefix)
    readings = _readings(block[first:last], own) if last > first else Readings()
    if meter is None or point is None or readings is None:
        return None
    return MeterReadingColumns(meter, point, blocks, readings)


def _identity(grammar: re.Pattern[bytes], text: bytes, prefix: str | None) -> Identity | None:
    """Return a meter or usage point; None when the text is anything else."""
    text = plain(text.strip(SPACE), prefix)
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


def _readings(text: bytes, own: Grammar) -> Readings | None:
    """Return Readings that cover every byte of the text; None when they do not."""
    found = own.reading.findall(text)
    if not found:
        return None
    reasons, stamps, values, marks, types, periods = zip(*found, strict=True)
    rest = len(text) - len(found) * own.reading_length - sum(map(len, types)) - sum(map(len, reasons))
    columns = _columns(stamps, values, marks, periods, rest)
    if columns is None or any(code.count(b".") != 17 for code in set(types)):
        return None
    instants, numbers, exponent, qualities, spans = columns
    said = tuple(map(_reason, reasons)) if any(reasons) else ()
    return Readings(instants, numbers, exponent, qualities, tuple(map(_ascii, types)), spans, said)


def _blocks(text: bytes, own: Grammar) -> tuple[Block, ...] | None:
    """Return IntervalBlocks that cover every byte of the text; None when they do not."""
    made = []
    for piece in text.removesuffix(own.block_close).split(own.block_close):
        opened, code_at = piece.startswith(own.block_open), piece.rfind(own.type_open)
        match = own.block_type.fullmatch(piece, code_at) if opened and code_at > 0 else None
        body = piece[len(own.block_open) : code_at]
        found = own.interval.findall(body)
        if match is None or not found or match.group(1).count(b".") != 17:
            return None
        stamps, values, marks, periods = zip(*found, strict=True)
        columns = _columns(stamps, values, marks, periods, len(body) - len(found) * own.interval_length)
        if columns is None:
            return None
        made.append(Block(_ascii(match.group(1)), *columns))
    return tuple(made)


_Bytes = tuple[bytes, ...]
_Columns = tuple["array[int]", "array[int]", int, tuple[tuple[QualityMark, ...], ...], tuple[Span | None, ...]]


def _columns(stamps: _Bytes, values: _Bytes, marks: _Bytes, periods: _Bytes, rest: int) -> _Columns | None:
    """Return stamps, values, exponent, qualities and periods, if they use up exactly the `rest` of the bytes."""
    if rest != _length(stamps) + _length(values) + _length(marks) + _length(periods):
        return None
    joined = b",".join(values).decode("ascii")
    try:
        numbers = uniform([joined]) or decimals(joined.split(","))
        instants = array("q", map(_stamp, stamps))
        spans = tuple(map(_span, periods)) if any(periods) else ()
    except ValueError:
        return None
    return instants, numbers[0], numbers[1], tuple(map(_marks, marks)), spans


def _length(texts: Iterable[bytes]) -> int:
    return sum(map(len, texts))


@lru_cache(maxsize=200_000)
def _stamp(text: bytes) -> int:
    """Return the microseconds of an instant that the schema accepts too; raise ValueError for any other."""
    if not _STAMP.fullmatch(text):
        raise ValueError(text)
    return microseconds(text.decode("ascii"))


@lru_cache(maxsize=10_000)
def _span(text: bytes) -> Span | None:
    """Return the timePeriod in whose element these bytes are; end stands before start."""
    if not text:
        return None
    start, end = _START.search(text), _END.search(text)
    return Span(_stamp(start.group(1)) if start else NO_VALUE, _stamp(end.group(1)) if end else NO_VALUE)


@lru_cache(maxsize=1000)
def _reason(text: bytes) -> str:
    found = _REASON.search(text)
    return _ascii(found.group(1)) if found else ""


@lru_cache(maxsize=10_000)
def _marks(text: bytes) -> tuple[QualityMark, ...]:
    """Return the qualities of one reading."""
    return tuple(QualityMark(ref.decode("ascii")) for ref in _REFS.findall(text))


@lru_cache(maxsize=10_000)
def _ascii(text: bytes) -> str:
    return text.decode("ascii")
