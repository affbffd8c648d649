"""Reply codes of IEC 61968-9: which one goes out with each of our error numbers, and which mean "try again"."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

_OK_CODES = ("0.0", "0.1", "0.2", "0.3")


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads((files("iec61968") / "dialects" / "reply_codes.toml").read_text(encoding="utf-8"))


def reply_code(number: str) -> str:
    """Return the reply code that says one of our error numbers, such as `2.9` for 1109."""
    table = _table()
    found = table["of_our_codes"].get(number) or table["of_our_areas"].get(number[:1], "5.3")
    return str(found)


def is_retryable(code: str) -> bool:
    """Return whether a partner's reply code means that the same message may succeed later."""
    retry = _table()["retryable"]
    return code in retry["codes"] or code.partition(".")[0] in retry["categories"]


def is_fine(code: str) -> bool:
    """Return whether a reply code says that nothing is wrong."""
    return code in _OK_CODES
