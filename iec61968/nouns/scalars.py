"""Texts of readings to exact integers and back: instants in microseconds, decimals as mantissa and exponent."""

import re
from array import array
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from canonical.codes import message as codes
from canonical.errors import RejectedError
from iec61968.nouns.columns import NO_VALUE, QualityMark

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY = 86_400_000_000
_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6}0*)?(?:Z|[+-]\d\d:[0-5]\d)", re.ASCII
)
_DECIMAL = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?", re.ASCII)
_LIMIT = 2**63 - 1

STAMPS_KEPT = 200_000
"""Instants whose text is remembered while decoding; readings share their stamps."""


@lru_cache(maxsize=STAMPS_KEPT)
def microseconds(text: str) -> int:
    """Return the microseconds since 1970 UTC that an xs:dateTime with an offset names.

    Raises:
        ValueError: not an instant, without an offset, outside the years 1 to 9999, or finer than a microsecond.
    """
    stripped = text.strip()
    # xs:dateTime allows 24:00:00 for the midnight at the end of a day, and interval ends are written so.
    end_of_day = "T24:00:00" in stripped
    if end_of_day:
        stripped = stripped.replace("T24:00:00", "T00:00:00")
    if not _INSTANT.fullmatch(stripped):
        raise ValueError(text)
    try:
        return (datetime.fromisoformat(stripped) - _EPOCH) // _MICROSECOND + (_DAY if end_of_day else 0)
    except OverflowError as error:
        raise ValueError(text) from error


def instant(micros: int) -> datetime:
    """Return the UTC instant of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=micros)


def instant_text(micros: int) -> str:
    """Return an instant as the wire writes it: UTC with `Z`, microseconds only where there are any."""
    return instant(micros).isoformat().replace("+00:00", "Z")


def decimal_parts(text: str) -> tuple[int, int]:
    """Return mantissa and exponent of a decimal number, exactly as written (`1.50` is 150, -2).

    Raises:
        ValueError: not a finite decimal number of at most 18 digits.
    """
    match = _DECIMAL.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    sign, whole, fraction, power = match.groups()
    digits = whole + (fraction or "")
    if not digits or len(digits) > 18:
        raise ValueError(text)
    mantissa, exponent = int(digits), int(power or 0) - len(fraction or "")
    if abs(exponent) > 18:
        raise ValueError(text)
    return (-mantissa if sign == "-" else mantissa), exponent


def decimal_text(mantissa: int, exponent: int) -> str:
    """Return mantissa and exponent as a plain decimal number, with all its decimals."""
    if exponent >= 0:
        return str(mantissa * 10**exponent)
    sign, digits = ("-", str(-mantissa)) if mantissa < 0 else ("", str(mantissa))
    digits = digits.rjust(1 - exponent, "0")
    return f"{sign}{digits[:exponent]}.{digits[exponent:]}"


def scaled(parts: Sequence[tuple[int, int] | None]) -> tuple["array[int]", int]:
    """Return numbers on one exponent, the finest among them; NO_VALUE for None.

    Raises:
        ValueError: a number does not fit 64 bits on that exponent.
    """
    exponent = min((part[1] for part in parts if part is not None), default=0)
    column = array("q")
    for part in parts:
        if part is None:
            column.append(NO_VALUE)
            continue
        if part[1] - exponent > 18 and part[0]:
            raise ValueError(f"{part[0]}E{part[1]} and {exponent} decimals")
        value = part[0] * 10 ** (part[1] - exponent) if part[0] else 0
        if not -_LIMIT <= value <= _LIMIT:
            raise ValueError(f"{part[0]}E{part[1]}")
        column.append(value)
    return column, exponent


_UNIFORM = tuple(re.compile(rf"(?:-?[0-9]{{1,{17 - n}}}\.[0-9]{{{n}}},)+") for n in range(1, 10))


def uniform(texts: Sequence[str | None]) -> tuple["array[int]", int] | None:
    """Return numbers that all have the same one to nine decimals, scaled; None for any others (take the slow way)."""
    try:
        joined = ",".join(texts)  # type: ignore[arg-type]
    except TypeError:
        return None
    decimals = len(joined) - joined.rfind(".") - 1
    if not 1 <= decimals <= 9 or not _UNIFORM[decimals - 1].fullmatch(joined + ","):
        return None
    return array("q", map(int, joined.replace(".", "").split(","))), -decimals


_POWERS = tuple(10**n for n in range(19))


def decimals(texts: Sequence[str]) -> tuple["array[int]", int]:
    """Return numbers written as digits with at most one point, on the finest exponent among them.

    Raises:
        ValueError: more than 18 digits, or a number does not fit 64 bits on that exponent.
    """
    places = [len(text) - point if (point := text.find(".") + 1) else 0 for text in texts]
    finest = max(places)
    if max(map(len, texts)) > 18:
        return scaled([decimal_parts(text) for text in texts])
    column = [int(text.replace(".", "")) * _POWERS[finest - n] for text, n in zip(texts, places, strict=True)]
    if min(column) < -_LIMIT or max(column) > _LIMIT:
        raise ValueError("too large together")
    return array("q", column), -finest


def stamps_of(texts: Iterable[str | None]) -> "array[int] | None":
    """Return instants as microseconds; None when one is missing or unreadable (take the slow way)."""
    try:
        return array("q", map(microseconds, texts))
    except (ValueError, AttributeError, TypeError):
        return None


@lru_cache(maxsize=10_000)
def one_mark(ref: str) -> tuple[QualityMark, ...]:
    """Return the qualities of a reading that has exactly this one, without a comment."""
    return (QualityMark(ref),)


def bad_value(what: str, text: str | None, where: str) -> RejectedError:
    """Return the coded error for a text that is no `what`."""
    shown = (text or "")[:60]
    return RejectedError(f"{shown!r} is not {what}", code=codes.BAD_XML_VALUE, where=where)
