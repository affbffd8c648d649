"""Reading types by their aliases: what a source writes instead of the eighteen numbers."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from canonical.reading_types import reading_type_from_text


@cache
def _aliases() -> dict[str, str]:
    raw = tomllib.loads((files("iec61968") / "dialects" / "reading_types.toml").read_text(encoding="utf-8"))
    aliases: dict[str, str] = raw["aliases"]
    return aliases


def reading_type_code(ref: str, *, aliases: Mapping[str, str] | None = None) -> str | None:
    """Return the code of eighteen numbers that a reference means; None: unmapped.

    `aliases` are the source's own and go before the common ones; a code stands for itself.
    """
    try:
        reading_type_from_text(ref)
    except ValueError:
        return (aliases or {}).get(ref) or _aliases().get(ref)
    return ref
