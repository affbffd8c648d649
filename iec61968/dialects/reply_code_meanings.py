"""What a partner's reply code says, by the table `reply_code_meanings.toml`."""

import tomllib
from functools import cache
from importlib.resources import files


@cache
def _table() -> dict[str, dict[str, str]]:
    return tomllib.loads((files("iec61968") / "dialects" / "reply_code_meanings.toml").read_text(encoding="utf-8"))


def meaning_of(code: str) -> str:
    """Return what a reply code says, by its own entry or its category; empty for a partner's own codes.

    Partners disagree on single codes: act by the category, show the meaning to a person.
    """
    table = _table()
    category, dot, _ = code.partition(".")
    return table["meanings"].get(code) or (table["categories"].get(category, "") if dot else "")
