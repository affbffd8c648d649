"""Fields of each NEM12/NEM13 record, in the order of the MDFF specification, to records."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import cast

from canonical.codes.file import (
    NEM_FIELD,
    NEM_HEADER,
    NEM_INTERVAL_COUNT,
    NEM_QUALITY,
    NEM_QUALITY_COVER,
    NEM_REASON_MISSING,
)
from canonical.errors import ErrorCode, RejectedError
from canonical.metering import MISSING
from sftp.formats.nem_records import (
    Accumulation,
    Channel,
    Header,
    IndexRead,
    QualityRun,
    Transaction,
    Version,
)
from sftp.formats.nem_values import decimal_from_text, is_value, values_from_text

INTERVALS = (1, 2, 3, 5, 10, 15, 20, 30, 60)
"""Interval lengths in minutes that are read. MDFF 2.6 allows 5, 15 and 30; 10 occurs in real files."""

_QUALITY = re.compile(r"[AN]|[ESF][0-9]{2}")
_DIGITS = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class DayLine:
    """What a 300 record says by itself."""

    day: date
    values: Sequence[int]
    exponent: int
    quality: QualityRun
    updated: str
    loaded: str


@dataclass(frozen=True, slots=True)
class QualityLine:
    """What a 400 record says: intervals `first` to `last`, both included, 1 for the first of the day."""

    first: int
    last: int
    run: QualityRun


def header(fields: Sequence[str], line: int) -> Header:
    """Return record 100.

    Raises:
        RejectedError: the version is not NEM12 or NEM13, or the creation time is unreadable.
    """
    version, created, sender, receiver = _texts(fields, 1, 4)
    if version.upper() not in ("NEM12", "NEM13"):
        raise RejectedError(f"version {version!r} is not NEM12 or NEM13", code=NEM_HEADER)
    if len(created) not in (12, 14) or not _is_stamp(created):
        raise RejectedError(f"creation time {created!r} is not ccyymmddhhmm", code=NEM_HEADER)
    _nothing_after(fields, 5, code=NEM_HEADER)
    return Header(cast(Version, version.upper()), created, sender, receiver, line)


def channel(fields: Sequence[str], line: int) -> Channel:
    """Return record 200.

    Raises:
        RejectedError: NMI, suffix or interval length is missing or unreadable.
    """
    nmi, configuration, register, suffix, stream, serial, unit, length, next_read = _texts(fields, 1, 9)
    if not nmi or not suffix:
        raise RejectedError("a 200 needs an NMI and a suffix", code=NEM_FIELD)
    if not _DIGITS.fullmatch(length) or len(length) > 4 or int(length) not in INTERVALS:
        raise RejectedError(f"interval length {length!r} is none of {INTERVALS} minutes", code=NEM_FIELD)
    _nothing_after(fields, 10)
    return Channel(nmi, configuration, register, suffix, stream, serial, unit, int(length), next_read, line)


def day(fields: Sequence[str], channel: Channel) -> DayLine:
    """Return record 300 under its channel.

    Raises:
        RejectedError: bad date, wrong number of values, a value that is no number, bad quality, missing reason.
    """
    count = channel.intervals
    when = _date(fields[1] if len(fields) > 1 else "")
    _check_count(fields, count, channel.interval_minutes)
    values, exponent = values_from_text(fields[2 : 2 + count])
    quality, reason, description, updated, loaded = _texts(fields, 2 + count, 5)
    _nothing_after(fields, count + 7)
    run = _quality(count, quality, reason, description, variable=True)
    if quality not in ("V", "N") and values.count(MISSING):
        raise RejectedError(f"value {list(values).index(MISSING) + 1} of {count} is empty", code=NEM_FIELD)
    return DayLine(when, values, exponent, run, updated, loaded)


def _check_count(fields: Sequence[str], count: int, minutes: int) -> None:
    """Refuse a 300 whose quality does not stand right behind `count` values."""
    rest = fields[2:]
    if len(rest) > count and rest[count].strip()[:1].isalpha() and all(map(is_value, rest[count - 1 : count])):
        return
    found = next((n for n, text in enumerate(rest) if not is_value(text)), len(rest))
    raise RejectedError(
        f"the 300 has {found} values before its quality; {minutes} minute intervals need {count}",
        code=NEM_INTERVAL_COUNT,
    )


def quality_line(fields: Sequence[str]) -> QualityLine:
    """Return record 400.

    Raises:
        RejectedError: bad interval numbers, bad quality, missing reason.
    """
    first, last, quality, reason, description = _texts(fields, 1, 5)
    if not all(_DIGITS.fullmatch(text) and len(text) <= 4 for text in (first, last)):
        raise RejectedError(f"intervals {first!r} to {last!r} are not numbers", code=NEM_QUALITY_COVER)
    _nothing_after(fields, 6)
    count = int(last) - int(first) + 1
    if count < 1:
        raise RejectedError(f"interval {first} does not come before {last}", code=NEM_QUALITY_COVER)
    return QualityLine(int(first), int(last), _quality(count, quality, reason, description))


def transaction(fields: Sequence[str]) -> Transaction:
    """Return record 500; it bears on no quantity, so its fields are kept as they are."""
    _nothing_after(fields, 5)
    return Transaction(*_texts(fields, 1, 4))


def transaction_pair(fields: Sequence[str]) -> tuple[Transaction, Transaction]:
    """Return record 550: the transactions at the previous and at the current read."""
    before, before_order, now, now_order = _texts(fields, 1, 4)
    _nothing_after(fields, 5)
    return Transaction(before, before_order), Transaction(now, now_order)


def accumulation(fields: Sequence[str], line: int) -> Accumulation:
    """Return record 250.

    Raises:
        RejectedError: NMI, suffix, direction, a time, a quality, a reason or the quantity is missing or unreadable.
    """
    texts = _texts(fields, 1, 22)
    nmi, configuration, register, suffix, stream, serial, direction = texts[:7]
    if not nmi or not suffix:
        raise RejectedError("a 250 needs an NMI and a suffix", code=NEM_FIELD)
    if direction not in ("E", "I"):
        raise RejectedError(f"direction {direction!r} is not E or I", code=NEM_FIELD)
    quantity, unit, next_read, updated, loaded = texts[17:]
    _nothing_after(fields, 23)
    return Accumulation(
        *(nmi, configuration, register, suffix, stream, serial, direction),
        previous=_index_read(texts[7:12], "previous"),
        current=_index_read(texts[12:17], "current"),
        quantity=decimal_from_text(quantity, field="quantity"),
        unit=unit,
        next_read=next_read,
        updated=updated,
        loaded=loaded,
        line=line,
    )


def _index_read(texts: Sequence[str], which: str) -> IndexRead:
    """Return one end of a 250."""
    read, read_at, quality, reason, description = texts
    if read:
        decimal_from_text(read, field=f"{which} read")
    if len(read_at) != 14 or not _is_stamp(read_at):
        raise RejectedError(f"{which} read time {read_at!r} is not ccyymmddhhmmss", code=NEM_FIELD)
    _quality(1, quality, reason, description)
    return IndexRead(read, read_at, quality, reason, description)


def _quality(count: int, quality: str, reason: str, description: str, *, variable: bool = False) -> QualityRun:
    """Return a checked quality; `variable` allows the V of a 300."""
    if not _QUALITY.fullmatch(quality) and not (variable and quality == "V"):
        raise RejectedError(f"quality {quality[:20]!r} is unknown here", code=NEM_QUALITY)
    if reason and not (_DIGITS.fullmatch(reason) and len(reason) <= 3):
        raise RejectedError(f"reason code {reason[:20]!r} is not a number", code=NEM_FIELD)
    if quality[0] in "SF" and not reason:
        raise RejectedError(f"quality {quality} needs a reason code", code=NEM_REASON_MISSING)
    return QualityRun(count, quality, reason, description)


def _texts(fields: Sequence[str], start: int, count: int) -> list[str]:
    """Return `count` fields from `start`, trimmed; what is not there is empty."""
    texts = [text.strip() for text in fields[start : start + count]]
    return texts + [""] * (count - len(texts))


def _nothing_after(fields: Sequence[str], length: int, *, code: ErrorCode = NEM_FIELD) -> None:
    """Refuse text behind the last field of a record; empty fields there are a spreadsheet's padding."""
    for place, text in enumerate(fields[length:], length + 1):
        if text.strip():
            raise RejectedError(f"field {place} {text.strip()[:20]!r} is beyond the record's last field", code=code)


def _date(text: str) -> date:
    """Return the day that `ccyymmdd` writes."""
    bare = text.strip()
    if len(bare) == 8 and _DIGITS.fullmatch(bare):
        try:
            return date(int(bare[:4]), int(bare[4:6]), int(bare[6:]))
        except ValueError:
            pass
    raise RejectedError(f"date {bare[:20]!r} is not ccyymmdd", code=NEM_FIELD)


def _is_stamp(text: str) -> bool:
    """Return whether the text is a date with hours and minutes (and seconds) that exists."""
    if not _DIGITS.fullmatch(text):
        return False
    try:
        date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return False
    return int(text[8:10]) < 24 and int(text[10:12]) < 60 and int(text[12:14] or 0) < 60
