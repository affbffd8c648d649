"""What the auditor of the masters' chapter knows: the seeded truth, the city, and the systems' books."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid5

from simulators.audit_master_reports import Found
from simulators.city_book import CityBook
from simulators.masters_city import SORTS
from simulators.masters_city import Truth as CityTruth
from simulators.masters_plan import city_of
from simulators.masters_system import version_of
from simulators.masters_wire import Version

KINDS: Mapping[str, str] = {
    "CUS": "customer", "ACC": "account", "LOC": "location", "UPT": "usage_point", "MTR": "meter",
    "INS": "installation", "AGR": "agreement", "TOP": "topology", "CYC": "bill_cycle_day",
}  # fmt: skip
"""What the hub calls the things of each record type."""

_NAMESPACE = UUID("6f5ad1a8-0c4c-5d0e-9f0e-2f3a54f0c9d1")
"""Namespace of the ids that the hub gives to meters (docs/demo.md)."""


def hub_id(tag: str, key: str) -> str:
    """Return by what the hub knows a thing: a meter by the uuid5 of manufacturer and serial, others by their names."""
    if tag == "MTR":
        return _meter(*key.split("/"))
    if tag == "INS":
        usage_point, manufacturer, serial = key.split("/")
        return f"{usage_point}/{_meter(manufacturer, serial)}"
    return key


def _meter(manufacturer: str, serial: str) -> str:
    return str(uuid5(_NAMESPACE, "\x1f".join(("meter", manufacturer.upper(), serial.upper()))))


@dataclass(frozen=True, slots=True)
class Truth:
    """What must come out of the day."""

    differences: tuple[Found, ...]
    settled: frozenset[tuple[str, str, str]]
    """Things that differ at first and no longer at the end: (system, kind, id)."""

    right: tuple[tuple[str, Version], ...]
    """(system, version) that its book must hold at the end."""

    unbilled: Mapping[str, frozenset[str]]
    """Usage points without agreement (NO_SA), agreements without meter (NO_METER)."""


def open_truth(run: Path) -> Truth:
    """Return the truth of a run folder."""
    told = json.loads((run / "masters" / "truth.json").read_text())
    found = [
        (
            Found(d["system"], KINDS[d["tag"]], hub_id(d["tag"], d["key"]), d["sort"], d["cause"], d["field"]),
            d["repaired"] or d["cause"] == "late",
        )
        for d in told["differences"]
    ]
    return Truth(
        tuple(difference for difference, _ in found),
        frozenset(difference.thing for difference, settled in found if settled),
        tuple((entry["system"], version_of(entry)) for entry in told["right"]),
        {"NO_SA": frozenset(told["no_agreement"]), "NO_METER": frozenset(told["no_meter"])},
    )


def counts_in_city(run: Path) -> dict[str, int]:
    """Return how many things of each kind the city had on its first morning."""
    book: CityBook = city_of(run)
    things = {(version.tag, version.key) for version in CityTruth(book).versions()}
    book.close()
    counts = Counter(KINDS[tag] for tag, _ in things)
    return dict(counts)


def book_disagreements(run: Path, truth: Truth) -> Iterator[str]:
    """Yield every version that a system's book should hold and does not."""
    books = {name: _held(run / "masters" / name / "books.sqlite") for name in SORTS}
    for system, wanted in truth.right:
        versions = books[system].get((wanted.tag, wanted.key), [])
        if not any(_is_as_wanted(system, wanted, known) for known in versions):
            yield f"{system} holds {wanted.tag} {wanted.key} as {versions[-1:] or 'nothing'}, not as {wanted}"


def _held(path: Path) -> dict[tuple[str, str], list[Version]]:
    found: dict[tuple[str, str], list[Version]] = {}
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    for tag, key, start, end, facts in db.execute("SELECT tag, key, start, until, facts FROM held ORDER BY start"):
        found.setdefault((tag, key), []).append(Version(tag, key, start, end, json.loads(facts)))
    db.close()
    return found


def _is_as_wanted(system: str, wanted: Version, known: Version) -> bool:
    """Return whether a held version says what is wanted, as far as the system keeps it and as fine as its clock is."""
    sort = SORTS[system]
    keeps = sort.keeps.get(wanted.tag, ())
    facts = all(known.facts.get(name) == text for name, text in wanted.facts.items() if name in keeps)
    return facts and all(
        _near(one, other, sort.grain_s) for one, other in ((wanted.start, known.start), (wanted.end, known.end))
    )


def _near(one: str, other: str, grain_s: int) -> bool:
    if not one or not other:
        return one == other
    apart = datetime.fromisoformat(one) - datetime.fromisoformat(other)
    return abs(apart.total_seconds()) < max(grain_s, 60)
