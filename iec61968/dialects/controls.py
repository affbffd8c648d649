"""What a command to a device is called, and which event answers it, by the table `controls.toml`."""

import tomllib
from functools import cache
from importlib.resources import files


@cache
def _table() -> dict[str, dict[str, str]]:
    return tomllib.loads((files("iec61968") / "dialects" / "controls.toml").read_text(encoding="utf-8"))


def control_kind(code: str) -> str | None:
    """Return what a command does, such as `DISCONNECT`; None: unmapped."""
    return _table()["kinds"].get("*." + code.partition(".")[2])


def control_code(kind: str, *, device_type: int = 3) -> str:
    """Return the code that commands a kind of device (3: electric meter).

    Raises:
        KeyError: there is no such kind of command.
    """
    codes = {word: code for code, word in _table()["kinds"].items()}
    return codes[kind].replace("*", str(device_type), 1)


def outcome_of(control: str, event: str) -> str | None:
    """Return how a command ended, such as `PROCESSED`, if the event's code answers it; None if it does not."""
    said, _, outcome = event.rpartition(".")
    return _table()["outcomes"].get(outcome) if said == control.rpartition(".")[0] else None
