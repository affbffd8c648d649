"""How one writer lays a MeterReading out, and the grammar that follows from it.

Writers of XML are machines: indentation, prefix, quotes and the end of an empty tag are the same in all of a document.
So they are looked at once in a block, and become literals of the grammar that the whole block must follow.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

_SPACE = rb"([ \t\r\n]*)"
_AFTER_START = re.compile(rb"<(?:[A-Za-z0-9_.-]+:)?MeterReading>" + _SPACE)
_BEFORE_END = re.compile(_SPACE + rb"</(?:[A-Za-z0-9_.-]+:)?MeterReading>")
_EMPTY = re.compile(rb"ReadingType ref=([\"'])[0-9.]*[\"']([ ]?/>|></(?:[A-Za-z0-9_.-]+:)?ReadingType>)")
_LONGEST_GAP = 100

_REASONS = (
    rb"billing|demandReset|inquiry|installation|loadManagement|loadResearch|moveIn|moveOut|other|removal"
    rb"|serviceConnect|serviceDisconnect"
)
_STAMP = rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,15}(?:Z|[+-][0-9:]{5})"
_NUMBER = rb"-?[0-9]+(?:\.[0-9]+)?"
_REF = rb"[0-9]{1,3}\.[0-9]{1,4}\.[0-9]{1,6}"


class Form(NamedTuple):
    """What is the same everywhere in one MeterReading."""

    mark: bytes
    """Namespace prefix with its colon, or nothing."""

    gaps: tuple[bytes, ...]
    """White space before a tag, by its depth below the MeterReading: 0 is its own end tag."""

    quote: bytes
    close: bytes
    """How an empty element ends: `/>`, ` />` or `></`."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """The literals and patterns of one form."""

    start: bytes
    end: bytes
    block_open: bytes
    block_close: bytes
    reading_open: bytes
    reading_close: bytes
    usage_point_open: bytes
    type_open: bytes
    block_type: re.Pattern[bytes]
    reading: re.Pattern[bytes]
    interval: re.Pattern[bytes]
    reading_length: int
    """Bytes of a Reading that are the same in all of them."""

    interval_length: int


def grammar_of(block: bytes, prefix: str | None) -> Grammar:
    """Return the grammar of the form in which a block is written, as far as its first and last tags show it."""
    after, before = _AFTER_START.match(block), _BEFORE_END.search(block, max(0, len(block) - 200))
    first, zero = after.group(1) if after else b"", before.group(1) if before else b""
    if not first.startswith(zero) or len(first) > _LONGEST_GAP:
        first = zero = b""
    unit = first[len(zero) :]
    empty = _EMPTY.search(block)
    quote, close = empty.groups() if empty else (b'"', b"/>")
    mark = prefix.encode() + b":" if prefix else b""
    gaps = tuple(zero + unit * depth for depth in range(5))
    return _grammar(Form(mark, gaps, quote, b"></" if close.startswith(b"></") else close))


@lru_cache(maxsize=64)
def _grammar(form: Form) -> Grammar:
    """Return the grammar of a form."""
    gaps, mark = form.gaps, form.mark
    reading, interval = _record(form, b"Readings", 1), _record(form, b"IntervalReadings", 2)
    return Grammar(
        start=b"<%sMeterReading>" % mark,
        end=b"%s</%sMeterReading>" % (gaps[0], mark),
        block_open=b"%s<%sIntervalBlocks>" % (gaps[1], mark),
        block_close=b"%s</%sIntervalBlocks>" % (gaps[1], mark),
        reading_open=b"%s<%sReadings>" % (gaps[1], mark),
        reading_close=b"%s</%sReadings>" % (gaps[1], mark),
        usage_point_open=b"%s<%sUsagePoint>" % (gaps[1], mark),
        type_open=b"%s<%sReadingType ref=%s" % (gaps[2], mark, form.quote),
        block_type=re.compile(_empty(form, b"ReadingType", rb"([0-9.]+)", 2)),
        reading=re.compile(reading[0]),
        interval=re.compile(interval[0]),
        reading_length=reading[1],
        interval_length=interval[1],
    )


def _record(form: Form, name: bytes, depth: int) -> tuple[bytes, int]:
    """Return the pattern of a Reading or IntervalReading at a depth, and the length of its literals."""
    outer, inner = re.escape(form.gaps[depth]), re.escape(form.gaps[depth + 1])
    opened, closed = _tag(form, name), _tag(form, name, b"/")
    stamp = inner + _tag(form, b"timeStamp") + b"(%s)" % _STAMP + _tag(form, b"timeStamp", b"/")
    value = inner + _tag(form, b"value") + b"(%s)" % _NUMBER + _tag(form, b"value", b"/")
    quality = inner + _tag(form, b"ReadingQualities") + _empty(form, b"ReadingQualityType", _REF, depth + 2)
    quality += inner + _tag(form, b"ReadingQualities", b"/")
    marks = rb"((?:" + quality + rb")*)"
    ends = rb"".join(_moment(form, tag, depth + 2) for tag in (b"end", b"start"))
    period = rb"(" + inner + _tag(form, b"timePeriod") + ends + inner + _tag(form, b"timePeriod", b"/") + rb")?"
    literal = len(form.gaps[depth] * 2 + form.gaps[depth + 1] * 2) + _tags_length(form, name, b"timeStamp", b"value")
    if name != b"Readings":
        return outer + opened + stamp + value + marks + period + outer + closed, literal
    reason = rb"(" + inner + _tag(form, b"reason") + b"(?:%s)" % _REASONS + _tag(form, b"reason", b"/") + rb")?"
    kind = _empty(form, b"ReadingType", rb"([0-9.]+)", depth + 1)
    literal += len(form.gaps[depth + 1]) + _empty_length(form, b"ReadingType")
    return outer + opened + reason + stamp + value + marks + kind + period + outer + closed, literal


def _tags_length(form: Form, *names: bytes) -> int:
    """Return the bytes of start tags and end tags."""
    return sum(2 * len(form.mark + name) + len(b"<></>") for name in names)


def _tag(form: Form, name: bytes, slash: bytes = b"") -> bytes:
    return b"<%s%s%s>" % (slash, re.escape(form.mark), name)


def _moment(form: Form, tag: bytes, depth: int) -> bytes:
    """Return the pattern of an optional end of a timePeriod."""
    gap = re.escape(form.gaps[depth])
    return rb"(?:" + gap + _tag(form, tag) + _STAMP + _tag(form, tag, b"/") + rb")?"


def _empty(form: Form, name: bytes, value: bytes, depth: int) -> bytes:
    """Return the pattern of an element that only has a `ref`."""
    close = b"></%s%s>" % (re.escape(form.mark), name) if form.close == b"></" else form.close
    gap, mark = re.escape(form.gaps[depth]), re.escape(form.mark)
    return gap + b"<" + mark + name + b" ref=" + form.quote + value + form.quote + close


def _empty_length(form: Form, name: bytes) -> int:
    """Return the bytes of such an element without the gap and the value."""
    close = len(form.mark) + len(name) + 4 if form.close == b"></" else len(form.close)
    return len(b"<%s%s ref=''" % (form.mark, name)) + close
