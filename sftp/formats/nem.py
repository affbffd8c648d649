"""NEM12 and NEM13 files (AEMO Meter Data File Format): the reader, strict and in bounded memory.

    NEM12: 100 (200 (300 (400)* (500)*)*)* 900        NEM13: 100 (250 (550)*)* 900

`records` reports everything that is wrong and goes on; `read` raises at the first fault. A 400 belongs to the 300 above
it and to no other: below a refused 300 it is refused with it. The writer is in `sftp.formats.nem_write`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from canonical.codes.file import (
    NEM_DAY_REPEATED,
    NEM_END,
    NEM_FIELD,
    NEM_HEADER,
    NEM_ORDER,
    NEM_QUALITY_COVER,
    NEM_UNKNOWN_RECORD,
)
from canonical.errors import RejectedError
from canonical.metering import MISSING
from sftp.formats import nem_fields
from sftp.formats.nem_fields import DayLine
from sftp.formats.nem_lines import lines
from sftp.formats.nem_records import (
    Accumulation,
    Channel,
    Day,
    End,
    Fault,
    Header,
    QualityRun,
    Record,
    Transaction,
)


def read(stream: BinaryIO, *, where: str) -> Iterator[Record]:
    """Yield the records of a NEM12 or NEM13 file in order; a day comes with its 400s and 500s, a 250 with its 550s.

    Nothing that was yielded may be used before the generator ends: a fault can stand in the last line.

    Raises:
        RejectedError: the file must be refused whole; `where` of the error names file and line.
    """
    for record in records(stream):
        if isinstance(record, Fault):
            raise RejectedError(record.reason, code=record.code, where=f"{where}:{record.line}")
        yield record


def records(stream: BinaryIO) -> Iterator[Record | Fault]:
    """Yield the records of a file and, in their places, all its faults; a file with one fault must be refused whole."""
    body = _Body()
    number = 0
    for line in lines(stream):
        if isinstance(line, Fault):
            yield line
            body.refuse_block()
            continue
        number, fields = line
        yield from body.take(number, fields)
        if body.is_over:
            return
    yield from body.finish(number)


@dataclass(slots=True)
class _OpenDay:
    """A 300 whose 400s and 500s may still come."""

    line: int
    channel: Channel
    content: DayLine
    runs: list[QualityRun] = field(default_factory=list)
    covered: int = 0
    transactions: list[Transaction] = field(default_factory=list)


class _Body:
    """Where a read stands: what may come next, and what is held back until it is whole."""

    def __init__(self) -> None:
        """Stand before the first record."""
        self.is_over = False
        self._header: Header | None = None
        self._seen_any = False
        self._ended_at = 0
        self._channel: Channel | None = None
        self._day: _OpenDay | None = None
        self._accumulation: Accumulation | None = None
        self._refused = ""
        """Indicator of the record whose dependants are refused with it, or empty."""
        self._days: dict[tuple[str, str], tuple[int, int]] = {}
        """Days seen by (NMI, suffix): the first day's ordinal, and one bit for each day from it."""

    def take(self, line: int, fields: list[str]) -> Iterator[Record | Fault]:
        """Take one line."""
        indicator = fields[0].strip()
        if self._ended_at:
            yield Fault(NEM_END, line, f"text after the 900 of line {self._ended_at}")
            self.is_over = True
            return
        if not self._seen_any and indicator != "100":
            yield Fault(NEM_HEADER, line, f"the first record is {indicator[:20]!r}, not a 100")
        self._seen_any = True
        take = _TAKERS.get(indicator)
        if take is None:
            yield from self._close()
            yield Fault(NEM_UNKNOWN_RECORD, line, f"{indicator[:20]!r} is no record indicator")
            self.refuse_block()
            return
        if indicator not in _DEPENDANTS:
            yield from self._close()
        try:
            yield from take(self, line, fields)
        except RejectedError as error:
            yield Fault(error.code, line, error.reason)
            self._refuse(indicator)

    def finish(self, line: int) -> Iterator[Record | Fault]:
        """Say what is missing at the end of the file."""
        if not self._seen_any:
            yield Fault(NEM_HEADER, 1, "the file is empty")
        elif not self._ended_at:
            yield from self._close()
            yield Fault(NEM_END, line, "the file ends without a 900 record")

    def refuse_block(self) -> None:
        """Drop the open day or accumulation: a line within it cannot be read."""
        self._refuse("300" if self._channel is not None else self._refused)

    def _refuse(self, indicator: str) -> None:
        """Refuse what depends on a bad record."""
        self._day = None
        self._accumulation = None
        self._refused = {"400": "300", "500": "300", "550": "250"}.get(indicator, indicator)

    def _close(self) -> Iterator[Record | Fault]:
        """Yield what was held back."""
        opened, self._day = self._day, None
        if opened is not None:
            yield _close_day(opened)
        accumulation, self._accumulation = self._accumulation, None
        if accumulation is not None:
            yield accumulation

    def _take_header(self, line: int, fields: list[str]) -> Iterator[Record]:
        if self._header is not None:
            raise RejectedError("a second 100 record: files were joined", code=NEM_HEADER)
        self._header = nem_fields.header(fields, line)
        self._refused = ""
        yield self._header

    def _take_channel(self, line: int, fields: list[str]) -> Iterator[Record]:
        self._channel = None
        self._check_version("NEM12", "200")
        self._channel = nem_fields.channel(fields, line)
        self._refused = ""
        yield self._channel

    def _take_day(self, line: int, fields: list[str]) -> Iterator[Record]:
        if self._refused == "200":
            return
        if self._channel is None:
            raise RejectedError("a 300 without a 200 above it", code=NEM_ORDER)
        content = nem_fields.day(fields, self._channel)
        self._check_new(self._channel, content)
        self._refused = ""
        self._day = _OpenDay(line, self._channel, content)
        yield from ()

    def _take_quality(self, line: int, fields: list[str]) -> Iterator[Record]:
        if self._refused in ("200", "300"):
            return
        day = self._day
        if day is None or day.transactions:
            raise RejectedError("a 400 that does not follow its 300", code=NEM_ORDER)
        if day.content.quality.quality != "V":
            raise RejectedError(f"a 400 below a 300 of quality {day.content.quality.quality}", code=NEM_ORDER)
        quality = nem_fields.quality_line(fields)
        if quality.first != day.covered + 1 or quality.last > day.channel.intervals:
            raise RejectedError(
                f"intervals {quality.first} to {quality.last}; next is {day.covered + 1} of {day.channel.intervals}",
                code=NEM_QUALITY_COVER,
            )
        day.covered = quality.last
        day.runs.append(quality.run)
        yield from ()

    def _take_transaction(self, line: int, fields: list[str]) -> Iterator[Record]:
        if self._refused in ("200", "300"):
            return
        if self._day is None:
            raise RejectedError("a 500 without a 300 above it", code=NEM_ORDER)
        self._day.transactions.append(nem_fields.transaction(fields))
        yield from ()

    def _take_accumulation(self, line: int, fields: list[str]) -> Iterator[Record]:
        self._check_version("NEM13", "250")
        self._accumulation = nem_fields.accumulation(fields, line)
        self._refused = ""
        yield from ()

    def _take_transaction_pair(self, line: int, fields: list[str]) -> Iterator[Record]:
        if self._refused == "250":
            return
        if self._accumulation is None:
            raise RejectedError("a 550 without a 250 above it", code=NEM_ORDER)
        pair = nem_fields.transaction_pair(fields)
        self._accumulation = replace(self._accumulation, transactions=(*self._accumulation.transactions, pair))
        yield from ()

    def _take_end(self, line: int, fields: list[str]) -> Iterator[Record]:
        self._ended_at = line
        if any(text.strip() for text in fields[1:]):
            raise RejectedError("text behind the 900", code=NEM_END)
        yield End(line)

    def _check_version(self, version: str, indicator: str) -> None:
        """Refuse records of the other version."""
        if self._header is not None and self._header.version != version:
            raise RejectedError(f"a {indicator} record in a {self._header.version} file", code=NEM_ORDER)

    def _check_new(self, channel: Channel, content: DayLine) -> None:
        """Refuse a day that this channel has had."""
        key, ordinal = (channel.nmi, channel.suffix), content.day.toordinal()
        first, days = self._days.get(key, (ordinal, 0))
        if ordinal < first:
            first, days = ordinal, days << (first - ordinal)
        bit = 1 << (ordinal - first)
        if days & bit:
            raise RejectedError(
                f"day {content.day} of {channel.nmi}/{channel.suffix} stands twice", code=NEM_DAY_REPEATED
            )
        self._days[key] = (first, days | bit)


_TAKERS: dict[str, Callable[[_Body, int, list[str]], Iterator[Record]]] = {
    "100": _Body._take_header,
    "200": _Body._take_channel,
    "300": _Body._take_day,
    "400": _Body._take_quality,
    "500": _Body._take_transaction,
    "250": _Body._take_accumulation,
    "550": _Body._take_transaction_pair,
    "900": _Body._take_end,
}
_DEPENDANTS = ("400", "500", "550")


def _close_day(opened: _OpenDay) -> Day | Fault:
    """Return the whole day, or what is wrong with its qualities."""
    content, intervals = opened.content, opened.channel.intervals
    is_variable = content.quality.quality == "V"
    if is_variable and opened.covered != intervals:
        reason = f"the 400 records cover {opened.covered} of {intervals} intervals"
        return Fault(NEM_QUALITY_COVER, opened.line, reason)
    runs = tuple(opened.runs) if is_variable else (content.quality,)
    if is_variable and MISSING in content.values:
        at = 0
        for run in runs:
            if run.quality != "N" and MISSING in content.values[at : at + run.count]:
                return Fault(NEM_FIELD, opened.line, f"an empty value between {at + 1} and {at + run.count}")
            at += run.count
    return Day(
        *(opened.channel, content.day, content.exponent, content.values, content.quality.quality, runs),
        updated=content.updated,
        loaded=content.loaded,
        transactions=tuple(opened.transactions),
        line=opened.line,
    )
