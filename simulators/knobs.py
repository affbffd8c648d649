"""Fault knobs of a simulator: a JSON file beside its books, read anew at every turn: it may be changed while it runs.

CIS: `truncate_request`, `duplicate_request` (business dates), `nack_part`, `silent_part`
(lists of {"interface", "date", "part"}), `late_minutes`, `slow_s`, `hang_up`
(connections to cut), `sabotage` (one of `simulators.sabotage`).
MDMS: `fault` (SOAP faults to answer), `hang_up` (answers to cut), `slow_s`, `late_minutes`, `missing`
(usage points never answered), `sabotage`.
"""

import json
import os
from pathlib import Path


class Knobs:
    """The knobs of one simulator."""

    def __init__(self, path: Path) -> None:
        """Use the file `path`; a missing file means that nothing is wrong."""
        self._path = path

    def all(self) -> dict[str, object]:
        """Return every knob that is set."""
        if not self._path.exists():
            return {}
        found: dict[str, object] = json.loads(self._path.read_text())
        return found

    def number(self, name: str) -> float:
        """Return a knob that is a number; 0 when it is not set."""
        return float(str(self.all().get(name, 0)))

    def text(self, name: str) -> str:
        """Return a knob that is a word; empty when it is not set."""
        return str(self.all().get(name, ""))

    def listed(self, name: str) -> list[object]:
        """Return a knob that is a list; empty when it is not set."""
        value = self.all().get(name, [])
        return value if isinstance(value, list) else []

    def spend(self, name: str) -> bool:
        """Return whether a counting knob was above zero, and lower it by one."""
        knobs = self.all()
        left = int(str(knobs.get(name, 0)))
        if left <= 0:
            return False
        self.write(knobs | {name: left - 1})
        return True

    def write(self, knobs: dict[str, object]) -> None:
        """Set all knobs at once."""
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(knobs, indent=1))
        os.replace(fresh, self._path)
