"""Interval values of a 300 record: decimal text to scaled integers, exactly, and back."""

import re
from array import array
from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal

from canonical.codes.file import NEM_FIELD
from canonical.errors import RejectedError
from canonical.metering import MISSING
from sftp.formats.nem_records import pack

_NUMBER = re.compile(r"(-?)([0-9]{0,40})(?:\.([0-9]{0,20}))?")
"""Digits with at most one point. An exponent is refused: a spreadsheet wrote it, and dropped digits."""


_SHAPE = bytes(
    ord("0") if chr(byte).isdigit() and byte < 128 else byte if chr(byte) in ".,-" else ord("x") for byte in range(256)
)
"""Translates a line of values to its shape: every digit 0, every foreign character x."""

_NO_NUMBER = frozenset(("", ".", "-", "-."))
_DECIMALS = 20
_LONGEST = 36
"""Characters of the longest value that is scaled in bulk."""


def values_from_text(texts: Sequence[str]) -> tuple[Sequence[int], int]:
    """Return the scaled integers that the texts write, and their common decimal exponent (0 or negative).

    An empty text is MISSING.

    Raises:
        RejectedError: a text is no plain decimal number.
    """
    joined = ",".join(texts)
    shape = joined.encode().translate(_SHAPE)
    if b"x" not in shape and b".-" not in shape:
        # Signs and points out of place, no text, and digits without end make this fail; the slow way says which.
        with suppress(ValueError, OverflowError):
            decimals = len(texts[0].partition(".")[2])
            if decimals <= _DECIMALS and _is_uniform(shape, len(texts), decimals):
                return array("q", map(int, joined.replace(".", "").split(","))), -decimals
            if _NO_NUMBER.isdisjoint(texts) and max(map(len, texts)) <= _LONGEST:
                return _mixed(texts)
    return _one_by_one(texts)


def _is_uniform(shape: bytes, count: int, decimals: int) -> bool:
    """Return whether each of `count` values has exactly one point and so many digits behind it (or no point)."""
    if decimals == 0:
        return b"." not in shape
    tail = b"." + b"0" * decimals
    return shape.count(b".") == count and shape.endswith(tail) and shape.count(tail + b",") == count - 1


def _mixed(texts: Sequence[str]) -> tuple[Sequence[int], int]:
    """Return values that have different numbers of decimals, scaled to the largest of them."""
    halves = [text.partition(".") for text in texts]
    decimals = max(len(half[2]) for half in halves)
    if decimals > _DECIMALS:
        raise ValueError(decimals)
    return pack([int(whole + part.ljust(decimals, "0")) for whole, _, part in halves]), -decimals


def _one_by_one(texts: Sequence[str]) -> tuple[Sequence[int], int]:
    """Return values among which some are empty, padded or wrong."""
    parts = [_parts(text) for text in texts]
    decimals = max((len(part[1]) for part in parts if part), default=0)
    return pack([int(part[0] + part[1].ljust(decimals, "0")) if part else MISSING for part in parts]), -decimals


def _parts(text: str) -> tuple[str, str] | None:
    """Return what stands before and after the decimal point, None for an empty text."""
    bare = text.strip()
    if not bare:
        return None
    match = _NUMBER.fullmatch(bare)
    if match is None or not (match[2] or match[3]):
        raise RejectedError(f"{bare[:40]!r} is not a decimal number", code=NEM_FIELD)
    return match[1] + (match[2] or "0"), match[3] or ""


def is_value(text: str) -> bool:
    """Return whether the text stands where a value does: nothing, or digits, points and signs however wrong."""
    return not text.strip().strip("0123456789.-")


def decimal_from_text(text: str, *, field: str) -> Decimal:
    """Return the exact number that a text writes; `field` names it in the error.

    Raises:
        RejectedError: the text is no plain decimal number.
    """
    bare = text.strip()
    if not bare or bare in "-." or _NUMBER.fullmatch(bare) is None:
        raise RejectedError(f"{field} {bare[:40]!r} is not a decimal number", code=NEM_FIELD)
    return Decimal(bare)


def values_to_text(values: Sequence[int], exponent: int) -> list[str]:
    """Return the texts of scaled integers: every value with the same number of decimals, MISSING empty."""
    if exponent >= 0:
        return ["" if value == MISSING else str(value * 10**exponent) for value in values]
    places = -exponent
    texts: dict[int, str] = {MISSING: ""}
    for value in set(values) - {MISSING}:
        digits = str(abs(value)).rjust(places + 1, "0")
        texts[value] = f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}"
    return [texts[value] for value in values]
