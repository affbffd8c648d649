"""Shows what people must still do, as the hub's own `amihub work list --json` says it."""

import json
from typing import Any

from rich.console import Console
from rich.table import Table

from simulators.demo_processes import DemoError, Processes

_COLUMNS = (
    ("code", ("code",)),
    ("what", ("summary", "key")),
    ("owner", ("owner", "assigned_to", "queue")),
    ("due", ("due_at", "due")),
    ("kWh at risk", ("at_risk_kwh", "at_risk")),
)
"""Heading of each column, and the keys of which the first that is there is shown."""

SHOWN = 25
WIDEST = 60
"""Characters of a column."""


def show_work(processes: Processes, console: Console) -> None:
    """Print held and unanswered items with owner and due time."""
    try:
        said: Any = json.loads(processes.amihub("work", "list", "--json"))
    except (DemoError, json.JSONDecodeError) as error:
        console.print(f"[red]amihub work list did not answer: {error}[/]")
        return
    items = said if isinstance(said, list) else said.get("items", [])
    table = Table(title=f"What people must do: {len(items)} open items (amihub work list)")
    for heading, _ in _COLUMNS:
        # On a narrow terminal owner and due time stay whole; what happened takes more lines instead.
        table.add_column(heading, no_wrap=heading in ("owner", "due"), max_width=WIDEST)
    for item in items[:SHOWN]:
        table.add_row(
            *(
                _first(item, keys).replace("T", " ")[:16] + "Z" if heading == "due" else _first(item, keys)
                for heading, keys in _COLUMNS
            )
        )
    if items:
        console.print(table)
    if len(items) > SHOWN:
        console.print(f"... and {len(items) - SHOWN} more")


def _first(item: dict[str, Any], keys: tuple[str, ...]) -> str:
    return next((str(item[key]) for key in keys if item.get(key) not in (None, "")), "")
