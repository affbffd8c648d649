"""Interval values of a 300 record: decimal text to scaled integers, exactly, and back."""

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import cache

from canonical.codes.file import NEM_FIELD
from canonical.errors import RejectedError
from canonical.metering import MISSING
from sftp.formats.nem_records import pack

_NUMBER = re.compile(r"(-?)([0-9]{0,40})(?:\.([0-9]{0,20}))?")
"""Digits with at most one point. An exponent is refused: a spreadsheet wrote it, and dropped digits."""


@cache
def _uniform(decimals: int) -> re.Pattern[str]:
    """Return the pattern of a whole line of values that all have so many decimals."""
    one = rf"-?[0-9]{{0,17}}\.[0-9]{{{decimals}}}" if decimals else r"-?[0-9]{1,18}"
    return re.compile(rf"{one}(?:,{one})*")


def values_from_text(texts: Sequence[str]) -> tuple[Sequence[int], int]:
    """Return the scaled integers that the texts write, and their common decimal exponent (0 or negative).

    An empty text is MISSING.

    Raises:
        RejectedError: a text is no plain decimal number.
    """
    decimals = len(texts[0].partition(".")[2])
    joined = ",".join(texts)
    if decimals <= 20 and _uniform(decimals).fullmatch(joined):
        return pack(list(map(int, joined.replace(".", "").split(",")))), -decimals
    parts = {text: _parts(text) for text in set(texts)}
    decimals = max(len(part[1]) for part in parts.values() if part) if any(parts.values()) else 0
    table = {text: int(part[0] + part[1].ljust(decimals, "0")) if part else MISSING for text, part in parts.items()}
    return pack([table[text] for text in texts]), -decimals


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
    """Return whether the text can stand for an interval value (a decimal number, or nothing)."""
    bare = text.strip()
    return not bare or (bare not in "-." and _NUMBER.fullmatch(bare) is not None)


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
