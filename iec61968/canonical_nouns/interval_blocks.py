"""Interval readings stamped at their END to canonical blocks that begin at a START, gaps filled as missing."""

from array import array
from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby, pairwise

from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.metering import MISSING, IntervalBlock
from canonical.quality import Quality
from canonical.reading_types import reading_type_from_text
from iec61968.dialects.quality import quality_of
from iec61968.nouns.columns import NO_VALUE, Block, QualityMark
from iec61968.nouns.scalars import instant

LONGEST_GAP = 100_000
"""Missing intervals in a row that a block may hold (a year of five-minute intervals); more is a wrong stamp."""

_KNOWN_MISSING = "5.259"
_Row = tuple[int, int, tuple[QualityMark, ...]]


def blocks_from_columns(
    block: Block, *, usage_point: str, meter: str, source: str, where: str = ""
) -> Iterator[IntervalBlock]:
    """Yield the canonical blocks of one IntervalBlock: one, unless stamps leave the grid of the interval length.

    An interval between two stated ones that the source leaves out is MISSING; so is one without a value.

    Raises:
        RejectedError: the length cannot be known, a stamp is missing, or two values stand for one interval.
    """
    rows = _rows(block, where)
    if not rows:
        return
    length = _length(block.reading_type, rows, where)
    for grid in _grids(rows, length * 60_000_000):
        yield _block(grid, block, length, (usage_point, meter, source), where)


def _rows(block: Block, where: str) -> list[_Row]:
    """Return stamp, value and qualities in order of time; the same interval said twice alike counts once."""
    rows = sorted(zip(block.stamps, block.values, block.qualities, strict=True), key=lambda row: row[0])
    if rows and rows[0][0] == NO_VALUE:
        raise RejectedError("an interval has no timeStamp", code=codes.BAD_XML_VALUE, where=where)
    unique: list[_Row] = []
    for row in rows:
        if unique and unique[-1][0] == row[0]:
            if unique[-1] != row:
                text = f"two values for the interval that ends {instant(row[0]).isoformat()}"
                raise RejectedError(text, code=codes.BAD_XML_VALUE, where=where)
            continue
        unique.append(row)
    return unique


def _length(code: str, rows: list[_Row], where: str) -> int:
    """Return minutes of an interval: by the reading type, else by the shortest step between stamps."""
    try:
        minutes = reading_type_from_text(code).interval_minutes
    except ValueError as error:
        raise RejectedError(f"reading type {code!r}: {error}", code=codes.BAD_XML_VALUE, where=where) from error
    if not minutes and len(rows) > 1:
        step, rest = divmod(min(b[0] - a[0] for a, b in pairwise(rows)), 60_000_000)
        minutes = 0 if rest else step
    if not minutes:
        raise RejectedError(f"{code} states no interval length", code=codes.BAD_XML_VALUE, where=where)
    return minutes


def _grids(rows: list[_Row], step: int) -> Iterator[list[_Row]]:
    """Yield rows in runs whose stamps are whole steps apart; a clock that was set opens a new run."""
    for _, run in groupby(rows, key=_Phase(step)):
        yield list(run)


class _Phase:
    """Names the grid on which a stamp lies."""

    def __init__(self, step: int) -> None:
        self._step = step

    def __call__(self, row: _Row) -> int:
        return row[0] % self._step


def _block(rows: list[_Row], block: Block, length: int, identity: tuple[str, str, str], where: str) -> IntervalBlock:
    """Return rows on one grid as a block with its gaps filled."""
    step = length * 60_000_000
    values = array("q")
    qualities: list[tuple[Quality, str]] = []
    expected = rows[0][0]
    for stamp, value, marks in rows:
        gap = (stamp - expected) // step
        if gap > LONGEST_GAP:
            raise RejectedError(f"{gap} intervals missing in a row", code=codes.BAD_XML_VALUE, where=where)
        values.extend([MISSING] * gap)
        qualities += [(Quality.MISSING, "")] * gap
        values.append(_value(value, marks))
        qualities.append(_quality(value, marks))
        expected = stamp + step
    runs = tuple((len(list(run)), word, own) for (word, own), run in groupby(qualities))
    usage_point, meter, source = identity
    start = instant(rows[0][0]) - timedelta(minutes=length)
    return IntervalBlock(usage_point, meter, block.reading_type, start, length, block.exponent, values, runs, source)


def _value(value: int, marks: tuple[QualityMark, ...]) -> int:
    """Return a value; one that the source itself calls missing is none, whatever stands there."""
    if value == NO_VALUE or any(mark.ref.partition(".")[2] == _KNOWN_MISSING for mark in marks):
        return MISSING
    return value


def _quality(value: int, marks: tuple[QualityMark, ...]) -> tuple[Quality, str]:
    """Return word and own codes of an interval; without a value it is missing."""
    word, own = quality_of(marks)
    return (Quality.MISSING if value == NO_VALUE else word), own
