"""The auditor of the masters' chapter: the hub's reports against the truth, and the other systems' books.

    python -m simulators.audit_masters --run DIR

It reads `masters/truth.json`, the books below `masters/`, and what the hub's commands answered in `reports/`. One line
for each check; exit code 1 when any is red.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from simulators import audit_master_history
from simulators.audit_master_books import Truth, book_disagreements, counts_in_city, open_truth
from simulators.audit_master_register import disagreements, expected_in
from simulators.audit_master_reports import Entry, Found, found_in, loaded_in, refused_in, register_in
from simulators.masters_city import TOLD


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    problems: tuple[str, ...]
    """What is wrong; empty when all is well."""

    looked_at: int
    """How many things were compared."""


def audit(run: Path) -> list[Check]:
    """Return every check of a run's end."""
    truth = open_truth(run)
    differences = found_in(run / "reports" / "differences.json")
    remaining = found_in(run / "reports" / "differences_after.json")
    register = register_in(run / "reports" / "unbilled.csv")
    return [
        loaded(run),
        _found(truth, differences),
        _invented(truth, differences),
        _answers_kept(run, truth),
        _settled(truth, remaining),
        _books(run, truth),
        _links(register, truth),
        unbilled(run),
        Check(
            "the history says who believed what, and who told it",
            tuple(audit_master_history.disagreements(run, truth)),
            1,
        ),
    ]


def loaded(run: Path) -> Check:
    """Compare the number of things of each kind that the hub says it loaded with the city."""
    expected, said = counts_in_city(run), loaded_in(run / "reports" / "load.json")
    problems = [
        f"{kind}: the city has {expected[kind]:,}, the hub loaded {said.get(kind, 0):,}"
        for kind in expected
        if expected[kind] != said.get(kind, 0)
    ]
    return Check("everything is loaded, nothing twice", tuple(problems), sum(expected.values()))


def _found(truth: Truth, differences: Sequence[Found]) -> Check:
    """Look for each seeded difference among those that the hub names, with its class and cause."""
    by_thing: dict[tuple[str, str, str], list[Found]] = {}
    for found in differences:
        by_thing.setdefault(found.thing, []).append(found)
    problems = []
    for wanted in truth.differences:
        named = by_thing.get(wanted.thing, [])
        if not any(_answers(wanted, one) for one in named):
            said = ", ".join(f"{one.sort}/{one.cause} {one.field}" for one in named) or "nothing"
            problems.append(f"{wanted} - the hub says {said}")
    return Check("every seeded difference is found, with class and cause", tuple(problems), len(truth.differences))


def _answers(wanted: Found, one: Found) -> bool:
    same_field = not wanted.field or wanted.field == one.field
    return (one.sort, one.cause) == (wanted.sort, wanted.cause) and same_field


def _invented(truth: Truth, differences: Sequence[Found]) -> Check:
    """Look for differences that nobody seeded."""
    seeded: dict[tuple[str, str, str], list[Found]] = {}
    for wanted in truth.differences:
        seeded.setdefault(wanted.thing, []).append(wanted)
    problems = [
        f"nobody seeded {found}"
        for found in differences
        if not any(_answers(wanted, found) for wanted in seeded.get(found.thing, ()))
    ]
    return Check("no difference is invented", tuple(problems), len(differences))


def _answers_kept(run: Path, truth: Truth) -> Check:
    """Compare which things the hub knows as refused by whom with what the systems refused."""
    problems, looked_at = [], 0
    for system in TOLD:
        wanted = {(one.kind, one.object_id) for one in truth.differences if one.system == system and one.is_refused}
        said = refused_in(run / "reports" / f"refused_{system}.json")
        problems += [f"{system} refused {thing}, the hub does not know" for thing in sorted(wanted - said)]
        problems += [f"{system} did not refuse {thing}, the hub says so" for thing in sorted(said - wanted)]
        looked_at += len(wanted)
    return Check("what a subscriber refused is known thing by thing", tuple(problems), looked_at)


def _settled(truth: Truth, remaining: Sequence[Found]) -> Check:
    """Compare what still differs at the end with what may not be repaired."""
    still = {wanted.thing for wanted in truth.differences if wanted.thing not in truth.settled}
    left = {found.thing for found in remaining}
    problems = [f"still different: {thing}" for thing in sorted(left - still)]
    problems += [f"lost from sight: {thing}" for thing in sorted(still - left)]
    return Check("what is repaired is closed, what is not stays open", tuple(problems), len(left | still))


def _books(run: Path, truth: Truth) -> Check:
    """Compare the other systems' books with what they were told and what was repaired in them."""
    problems = tuple(book_disagreements(run, truth))
    return Check("the systems' books are right at the day's end", problems, len(truth.right))


def _links(register: Sequence[Entry], truth: Truth) -> Check:
    """Compare meters without agreement and agreements without meter with the truth."""
    said = {
        "NO_SA": {entry.usage_point for entry in register if entry.reason == "NO_SA"},
        "NO_METER": {entry.agreement for entry in register if entry.reason == "NO_METER"},
    }
    problems = []
    for reason, things in truth.unbilled.items():
        problems += [f"{reason}: {thing} is not named" for thing in sorted(things - said[reason])]
        problems += [f"{reason}: {thing} is named and is none" for thing in sorted(said[reason] - things)]
    looked_at = sum(map(len, truth.unbilled.values()))
    return Check("the register names meters without agreement and the reverse", tuple(problems), looked_at)


def unbilled(run: Path) -> Check:
    """Compare what the register says is unbilled by reads with what flowed and is on no bill, to the thousandth."""
    register = register_in(run / "reports" / "unbilled.csv")
    said = {entry.agreement: (entry.measured, entry.unit) for entry in register if entry.agreement}
    problems = tuple(disagreements(expected_in(run), said))
    return Check("the register of unbilled energy equals the truth", problems, len(said))


def show(checks: Sequence[Check], console: Console) -> None:
    """Print one line for each check, and what is wrong below it."""
    for check in checks:
        word = "[bold red]RED [/]" if check.problems else "[bold green]ok  [/]"
        console.print(f"{word} {check.name} ({check.looked_at:,} looked at)", highlight=False)
        for problem in _first(check.problems, 12):
            console.print(f"       {problem}", highlight=False, style="red", soft_wrap=True)


def _first(problems: Sequence[str], count: int) -> Iterator[str]:
    yield from problems[:count]
    if len(problems) > count:
        yield f"... and {len(problems) - count} more"


def summary(truth: Truth) -> str:
    """Return how many differences of each class were seeded, as one line."""
    counts = Counter(wanted.sort for wanted in truth.differences)
    return ", ".join(f"{count} {sort}" for sort, count in sorted(counts.items()))


def main(arguments: Sequence[str] | None = None) -> None:
    """Audit the run that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    checks = audit(options.run)
    if options.json:
        said = [{"check": c.name, "problems": c.problems, "looked_at": c.looked_at} for c in checks]
        sys.stdout.write(json.dumps(said, indent=1) + "\n")
    else:
        show(checks, Console())
    sys.exit(1 if any(check.problems for check in checks) else 0)


if __name__ == "__main__":
    main()
