"""What the hub's commands answered in the masters' chapter, as far as the auditor compares it."""

import csv
import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

NO_LINK = ("NO_SA", "NO_METER", "LINKED_TWICE")
"""Classes of differences within the masters themselves: compared by the register of what is unbilled."""


@dataclass(frozen=True, slots=True)
class Found:
    """One difference that the hub names, or that was seeded."""

    system: str
    kind: str
    object_id: str
    sort: str
    """Class: MISSING_IN_X and the like."""

    cause: str
    field: str = ""

    @property
    def thing(self) -> tuple[str, str, str]:
        """What differs where, whatever about it."""
        return self.system, self.kind, self.object_id

    @property
    def is_refused(self) -> bool:
        """Whether it comes of a refusal."""
        return self.cause == "mapping"

    def __str__(self) -> str:
        """Return it as a line for people."""
        return f"{self.sort} in {self.system}: {self.kind} {self.object_id} {self.field} ({self.cause})"


def found_in(path: Path) -> list[Found]:
    """Return the differences between systems in an answer of `amihub reconcile report --json`."""
    said = json.loads(path.read_text())
    return [
        Found(one["system"], one["kind"], one["object_id"], one["class"], one["cause"].replace(" ", "_"), one["field"])
        for one in said["differences"]
        if one["class"] not in NO_LINK
    ]


def refused_in(path: Path) -> frozenset[tuple[str, str]]:
    """Return kind and id of what a subscriber refused, by an answer of `amihub changes status NAME --json`."""
    return frozenset((str(one["kind"]), str(one["object_id"])) for one in json.loads(path.read_text()))


def loaded_in(path: Path) -> dict[str, int]:
    """Return how many things of each kind an answer of `amihub load report --json` names as loaded."""
    said = json.loads(path.read_text())
    return {str(kind): int(count) for kind, count in said["things"].items()}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the register of unbilled energy."""

    agreement: str
    usage_point: str
    reason: str
    measured: Decimal
    """By reads, in `unit`."""

    unit: str


def register_in(path: Path) -> list[Entry]:
    """Return the lines of an answer of `amihub unbilled report --format csv`."""
    with path.open(newline="") as file:
        return [
            Entry(row["agreement"], row["usage_point"], row["reason"], Decimal(row["measured"]), row["unit"])
            for row in csv.DictReader(file)
        ]


@dataclass(frozen=True, slots=True)
class Believed:
    """What one system held of one field at some instant of valid time, over a span of known time."""

    value: str
    known_from: str
    known_to: str
    """Empty while it is believed."""

    source: str
    """Who said so; empty where nobody was noted."""


def beliefs_in(path: Path, *, kind: str, field: str, at: str) -> dict[str, list[Believed]]:
    """Return what each system believed about one instant, in order of known time (`amihub history show`, JSON)."""
    said = json.loads(path.read_text())
    found: dict[str, list[Believed]] = {}
    for one in sorted(said["beliefs"], key=lambda belief: str(belief["known_from"])):
        holds = one["there"] and one["valid_from"] <= at and (not one["valid_to"] or at < one["valid_to"])
        if one["kind"] == kind and holds:
            value = str(one["facts"][field]["value"])
            believed = Believed(value, one["known_from"], one["known_to"] or "", one["source"])
            found.setdefault(one["system"], []).append(believed)
    return found
