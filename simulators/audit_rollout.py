"""The auditor of the rollout: what five systems hold in their books against what was really done in the field.

    python -m simulators.audit_rollout --run DIR

It reads the city, the systems' books, and what the hub's commands answered in `reports/`; nothing of the hub itself.
Exit code 1 when any check is red.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from simulators.audit_masters import Check, show
from simulators.audit_rollout_bills import audit_bills
from simulators.audit_rollout_route import audit_route
from simulators.audit_rollout_troubles import audit_troubles
from simulators.rollout_books import names_of
from simulators.rollout_boxes import spares
from simulators.rollout_expected import EXPECTED, TOLD, Fact, ends_of
from simulators.rollout_held import held_by
from simulators.rollout_site import truth_of
from simulators.rollout_truth import Truth

UNTOUCHED = ("device",)
"""Kinds of facts that a system held before the rollout too; of others nothing but the truth may stand."""


def audit(run: Path) -> list[Check]:
    """Return every check of a run's end."""
    truth = truth_of(run)
    books = [_book(run, truth, system) for system in EXPECTED]
    own = [_orders(run, truth), _shipments(run, truth), *audit_troubles(run, truth)]
    return [*books, *own, audit_route(run, truth), *audit_bills(run, truth)]


def _book(run: Path, truth: Truth, system: str) -> Check:
    """Compare one system's books with what was done."""
    expected = {fact for one in truth.visits for fact in EXPECTED[system](one)}
    held = held_by(run, system, names_of(truth))
    problems = [f"lacks {_words(fact)}" for fact in sorted(expected - held)]
    problems += [f"holds {_words(fact)}" for fact in sorted(held - expected) if fact.what not in UNTOUCHED]
    return Check(f"{system} holds what was done in the field, and nothing else", tuple(problems), len(expected))


def _orders(run: Path, truth: Truth) -> Check:
    """Look whether every order is where its exchange is, and whoever is left alone was never ordered."""
    (standing,) = _report(run, "rollout")
    expected = Counter(one.kind.state if one.kind is not None else "CLOSED" for one in truth.visits)
    expected["EXCLUDED"] = len(truth.points) - len(truth.visits)
    return Check("every order is where its exchange is", _unlike(expected, standing["states"]), expected.total())


def _shipments(run: Path, truth: Truth) -> Check:
    """Look whether every shipped meter hangs or lies where it should, and every old one came back."""
    found: Counter[str] = Counter()
    for row in _report(run, "shipments"):
        found[row["state"]] += row["meters"]
    ends = Counter(map(ends_of, truth.visits))
    hung = sum(ends[end] for end in TOLD)
    lying = ends["STOPPED"] + ends["IN_VAIN"] + ends["REVERSED"] + len(spares(truth))
    installed = hung - ends["BLOCKED"] + ends["REVERSED"]  # where it was put back it is the old one
    expected = Counter({"INSTALLED": installed, "RETURNED": hung, "STOCK": lying, "BLOCKED": ends["BLOCKED"]})
    return Check("every meter that was shipped or removed is accounted for", _unlike(expected, found), expected.total())


def _unlike(expected: Mapping[str, int], found: Mapping[str, int]) -> tuple[str, ...]:
    """Return in which states other numbers stand than in truth."""
    return tuple(
        f"{state}: {found.get(state, 0):,}, {expected.get(state, 0):,} in truth"
        for state in sorted({*found, *expected})
        if found.get(state, 0) != expected.get(state, 0)
    )


def _report(run: Path, name: str) -> Any:
    return json.loads((run / "reports" / f"{name}.json").read_text())


def _words(fact: Fact) -> str:
    return " ".join(part for part in (fact.what, fact.usage_point, fact.meter, fact.text) if part)


def main(arguments: Sequence[str] | None = None) -> int:
    """Audit a run and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    checks = audit(parser.parse_args(arguments).run)
    show(checks, Console(soft_wrap=True))
    return 1 if any(check.problems for check in checks) else 0


if __name__ == "__main__":
    sys.exit(main())
