"""Where a key of a TOML file stands, so that every mistake in the site file is named with its line."""

import re

_TABLE = re.compile(r"^\s*\[\[?\s*([^\]]+?)\s*\]\]?")
_KEY = re.compile(r"^\s*([A-Za-z0-9_\-\"']+(?:\s*\.\s*[A-Za-z0-9_\-\"']+)*)\s*=")


def key_lines(text: str) -> dict[tuple[str, ...], int]:
    """Return the line (1 for the first) of every table header and key, by its path of names.

    Of an array of tables, each has its number behind its name: `routes`, `1` for the second `[[routes]]`.
    """
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _TABLE.match(line):
            table = _names(header[1])
            lines.setdefault(table, number)
            if line.lstrip().startswith("[["):
                table = (*table, str(sum(1 for path in lines if path[:-1] == table and path[-1].isdigit())))
                lines[table] = number
        elif key := _KEY.match(line):
            lines.setdefault(table + _names(key[1]), number)
    return lines


def line_of(path: tuple[str, ...], lines: dict[tuple[str, ...], int]) -> int:
    """Return the line of a path, or of the nearest table above it that is written; 1 when nothing is."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return 1


def _names(dotted: str) -> tuple[str, ...]:
    """Return the names that a dotted key joins, quotes taken off."""
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
