"""What a device's event means, by the tables of `events.toml`, one for each dialect that sources speak."""

import tomllib
from functools import cache
from importlib.resources import files

from canonical.event_kinds import EventKind
from iec61968.nouns.elements import EndDeviceEvent

DIALECTS = ("edition2", "mesh", "firmware", "legacy")
"""Every dialect by the name that a site file gives it."""


@cache
def _tables() -> dict[str, dict[str, EventKind]]:
    """Return the codes of every dialect and the common ones."""
    raw = tomllib.loads((files("iec61968") / "dialects" / "events.toml").read_text(encoding="utf-8"))
    spoken = ("common", *DIALECTS)
    return {name: {code: EventKind(word) for code, word in raw[name].items()} for name in spoken}


@cache
def _severities() -> dict[str, str]:
    raw = tomllib.loads((files("iec61968") / "dialects" / "events.toml").read_text(encoding="utf-8"))
    severities: dict[str, str] = raw["severity"]
    return severities


def severity_of(told: str, kind: EventKind | None) -> str:
    """Return an event's severity: as its source states it, in lower case, else by its kind; unmapped: `unknown`."""
    if told.strip():
        return told.strip().lower()
    return "unknown" if kind is None else _severities().get(kind.value, "information")


def event_kind(code: str, *, dialect: str) -> EventKind | None:
    """Return what an event code means where `dialect` is spoken; None: unmapped, to be kept and asked about.

    A code counts with its own device type first, then with any; the dialect's table is asked before the common one.

    Raises:
        KeyError: there is no such dialect.
    """
    tables = _tables()
    any_type = "*." + code.partition(".")[2]
    for table in (tables[dialect], tables["common"]):
        found = table.get(code) or table.get(any_type)
        if found is not None:
            return found
    return None


def code_of(event: EndDeviceEvent) -> str:
    """Return the code of an event: of its type, or of its mRID where a source leaves the type empty."""
    ref = (event.end_device_event_type.ref or "").strip()
    if ref:
        return ref
    return event.mrid or "" if is_code(event.mrid or "") else ""


def is_code(text: str) -> bool:
    """Return whether a text has the form of an event code: four numbers with dots."""
    parts = text.split(".")
    return len(parts) == 4 and all(part.isascii() and part.isdigit() for part in parts)
