"""NEM12 and NEM13 files (AEMO MDFF): the writer. The reader is in `sftp.formats.nem`.

Deterministic: what was read and written once is written the same again, byte for byte. Every value of a day has the
same number of decimals; lines end with CR LF; optional fields that are not known are empty.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import BinaryIO

from sftp.formats.nem_records import (
    Accumulation,
    Channel,
    Day,
    End,
    Header,
    IndexRead,
    QualityRun,
    Record,
)
from sftp.formats.nem_values import values_to_text


def write(records: Iterable[Record], out: BinaryIO) -> None:
    """Write records in their order, each with what belongs to it (400s and 500s, 550s); the caller keeps the order."""
    for record in records:
        for fields in _lines(record):
            out.write(_joined(fields).encode())
            out.write(b"\r\n")


def quality_of_runs(runs: Sequence[QualityRun]) -> str:
    """Return the quality that a 300 states for these runs: theirs if it is one alone, else `V`."""
    return runs[0].quality if len(runs) == 1 else "V"


def _lines(record: Record) -> Iterator[list[str]]:
    """Yield the fields of each line of a record."""
    match record:
        case Header():
            yield ["100", record.version, record.created, record.sender, record.receiver]
        case Channel():
            yield _channel(record)
        case Day():
            yield from _day(record)
        case Accumulation():
            yield _accumulation(record)
            for before, now in record.transactions:
                yield ["550", before.code, before.order, now.code, now.order]
        case End():
            yield ["900"]


def _channel(channel: Channel) -> list[str]:
    """Return the fields of a 200."""
    return [
        *("200", channel.nmi, channel.configuration, channel.register, channel.suffix, channel.stream),
        *(channel.serial, channel.unit, str(channel.interval_minutes), channel.next_read),
    ]


def _day(day: Day) -> Iterator[list[str]]:
    """Yield a 300 with its 400s (only below a V) and 500s."""
    is_variable = day.quality == "V"
    run = QualityRun(len(day.values), "V") if is_variable else day.runs[0]
    yield [
        *("300", _date(day.day), *values_to_text(day.values, day.exponent)),
        *(run.quality, run.reason, run.description, day.updated, day.loaded),
    ]
    first = 1
    for run in day.runs if is_variable else ():
        last = first + run.count - 1
        yield ["400", str(first), str(last), run.quality, run.reason, run.description]
        first = last + 1
    for transaction in day.transactions:
        yield ["500", transaction.code, transaction.order, transaction.read_at, transaction.index]


def _accumulation(record: Accumulation) -> list[str]:
    """Return the fields of a 250."""
    return [
        *("250", record.nmi, record.configuration, record.register, record.suffix, record.stream),
        *(record.serial, record.direction, *_index_read(record.previous), *_index_read(record.current)),
        *(format(record.quantity, "f"), record.unit, record.next_read, record.updated, record.loaded),
    ]


def _index_read(read: IndexRead) -> tuple[str, ...]:
    """Return the five fields of one end of a 250."""
    return (read.read, read.read_at, read.quality, read.reason, read.description)


def _date(day: date) -> str:
    """Return a day as `ccyymmdd`."""
    return f"{day.year:04}{day.month:02}{day.day:02}"


def _joined(fields: Sequence[str]) -> str:
    """Return one line; a field with a comma or a quote in it is quoted."""
    line = ",".join(fields)
    if line.count(",") == len(fields) - 1 and '"' not in line:
        return line
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(fields)
    return text.getvalue()
