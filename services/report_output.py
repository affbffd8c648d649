"""Reports on their way out: to a file or the screen, and cells that no spreadsheet takes for a formula."""

from collections.abc import Iterable
from pathlib import Path

import typer


def safe(value: str) -> str:
    """Return a text that no spreadsheet takes for a formula; numbers stay as they are."""
    is_formula = value[:1] in ("=", "+", "@", "\t") or (value[:1] == "-" and not value[1:2].isdigit())
    return f"'{value}" if is_formula else value


def write(parts: Iterable[str], output: Path | None) -> None:
    """Write text to a file, or to the screen."""
    if output is None:
        for part in parts:
            typer.echo(part, nl=False)
        return
    with output.open("w", encoding="utf-8", newline="") as file:
        file.writelines(parts)
    typer.echo(f"wrote {output}")
