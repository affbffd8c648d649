"""Plans the masters' day of every system, and the fifty differences in it, from the city's seed.

{run}/masters/{system}/plan.json    what the system does, and when
{run}/masters/{system}/knobs.json   what it loses, refuses and is slow with
{run}/masters/truth.json            which differences there are, and why; nobody but the auditor reads it
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path

from simulators import masters_sabotage
from simulators import masters_script as script
from simulators.city_book import CityBook, Point
from simulators.knobs import Knobs
from simulators.local_days import at_local, midnight, utc_text
from simulators.masters_city import SORTS, Truth
from simulators.masters_wire import Version
from simulators.script import BUSINESS_DAYS, Moment

DAY = BUSINESS_DAYS[0]


@dataclass(frozen=True, slots=True)
class Difference:
    """One seeded difference between what the hub holds and what one system holds."""

    system: str
    tag: str
    key: str
    sort: str
    """MISSING_IN_X, EXTRA_IN_X, FIELD_DIFF, EFFECTIVE_DATE_DIFF, LATE or KNOWN_WAIVED; X is the system."""

    cause: str
    """lost, mapping, late, or out_of_band."""

    field: str = ""
    """The fact that differs, where it is one fact."""

    repaired: bool = False
    """Whether the site allows to repair it: its book must be right at the day's end."""


@dataclass(slots=True)
class Day:
    """Everything that is planned."""

    truth: Truth
    steps: dict[str, list[dict[str, object]]] = field(default_factory=lambda: {name: [] for name in SORTS})
    knobs: dict[str, dict[str, list[str]]] = field(default_factory=lambda: {name: {} for name in SORTS})
    differences: list[Difference] = field(default_factory=list)
    right: list[tuple[str, Version]] = field(default_factory=list)
    """(system, version) that a book must hold at the day's end, of everything that was told or repaired."""

    no_agreement: list[str] = field(default_factory=list)
    """Usage points with a meter and without an agreement at the day's end."""

    no_meter: list[str] = field(default_factory=list)
    """Agreements whose usage point has no meter at the day's end."""

    def act(self, system: str, moment: Moment, name: str, **what: list[dict[str, object]]) -> None:
        """Add to what a system does in the step `name` at a moment: lists of `put`, `move`, `drop`."""
        steps = self.steps[system]
        step = next((known for known in steps if known["name"] == name), None)
        if step is None:
            step = {"name": name, "at": moment.on(DAY).isoformat(), "do": "change"}
            step["silent"] = name == "differences"
            steps.append(step)
        for kind, entries in what.items():
            known = step.setdefault(kind, [])
            if isinstance(known, list):
                known.extend(entries)

    def put(self, system: str, moment: Moment, name: str, *versions: Version) -> None:
        """Let a system take versions into its book in a step."""
        self.act(system, moment, name, put=[entry_of(version) for version in versions])

    def whole(self, moment: Moment, name: str) -> None:
        """Let every system drop all that it holds."""
        for steps in self.steps.values():
            steps.append({"name": name, "at": moment.on(DAY).isoformat(), "do": "full"})

    def turn_knob(self, system: str, knob: str, version: Version) -> None:
        """Let a system treat what it is told of a thing as `refuse`, `lose` or `slow` say."""
        self.knobs[system].setdefault(knob, []).append(f"{version.tag} {version.key}")


def entry_of(version: Version) -> dict[str, object]:
    """Return a version as a plan states it."""
    return {**asdict(version), "facts": dict(version.facts)}


def write_first_files(run: Path, systems: Iterable[str]) -> None:
    """Let each of some systems drop all that it holds on the first morning, and do nothing else."""
    step: dict[str, object] = {"name": "first files", "at": script.FIRST_FILES.on(DAY).isoformat(), "do": "full"}
    for name in systems:
        _write_plan(run, name, [step], {})


def _write_plan(run: Path, system: str, steps: Sequence[dict[str, object]], knobs: dict[str, object]) -> None:
    """Write what a system does, and what it does with what it is told."""
    home = run / "masters" / system
    home.mkdir(parents=True, exist_ok=True)
    (home / "plan.json").write_text(json.dumps(sorted(steps, key=lambda step: str(step["at"])), indent=1))
    Knobs(home / "knobs.json").write(knobs)


def write_plans(run: Path, day: Day, *, sabotage: str = "") -> None:
    """Write what each system does below a run folder, and the truth for the auditor."""
    masters_sabotage.tamper(day, sabotage)
    for name, steps in day.steps.items():
        _write_plan(run, name, steps, {**day.knobs[name], "sabotage": sabotage})
    truth = {
        "differences": [asdict(difference) for difference in day.differences],
        "no_agreement": day.no_agreement,
        "no_meter": day.no_meter,
        "right": [{"system": system, **entry_of(version)} for system, version in day.right],
    }
    (run / "masters" / "truth.json").write_text(json.dumps(truth, indent=1))


def today(hour: int = 0, minute: int = 0, *, days: int = 0) -> str:
    """Return an instant of the day (or of one some days off), local wall time, as text in UTC."""
    day: date = DAY + timedelta(days=days)
    return utc_text(at_local(day, hour, minute) if hour or minute else midnight(day))


def city_of(run: Path) -> CityBook:
    """Return the city of a run folder."""
    return CityBook(run / "city" / "city.sqlite")


def plain_points(truth: Truth) -> Iterator[tuple[int, Point]]:
    """Yield (number, usage point) of those that have no trouble of their own; each is used for one thing only."""
    for number, point in enumerate(truth.points):
        if number and not point.trouble and point.kind == "REGISTER" and point.commodity == "ELECTRICITY":
            yield number, point


def standard_day(day: Day) -> None:
    """Plan the files that everybody drops."""
    day.whole(script.FIRST_FILES, "first files")
    day.whole(script.FIRST_SNAPSHOT, "first snapshot")
    day.whole(script.SNAPSHOT, "snapshot")
    day.whole(script.SECOND_SNAPSHOT, "second snapshot")
