"""What the hub is asked to do in the course of the masters' day, by its command line, and what it answers."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from simulators import masters_script as script
from simulators.city_load import LOADED_FROM, open_load, work_load
from simulators.demo_engine import CommandLine
from simulators.demo_processes import Processes
from simulators.demo_unbilled import keep_unbilled
from simulators.knobs import Knobs
from simulators.masters_city import SORTS, TOLD
from simulators.script import Moment


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the day."""

    moment: Moment
    text: str
    act: Callable[[Processes], Sequence[str]]
    """Lets the hub do its part and returns words on it."""


def _one_pass(processes: Processes) -> str:
    """Let the hub take in what came and tell its subscribers."""
    return processes.last_words("masters", "pass")


def _open_load(processes: Processes) -> Sequence[str]:
    return [open_load(processes, LOADED_FROM)]


def _load(processes: Processes) -> Sequence[str]:
    """Work the load to its end, and take in what came meanwhile."""
    words: list[str] = []
    work_load(processes, words.append)
    return [*words, _one_pass(processes)]


def _pass(processes: Processes) -> Sequence[str]:
    return [_one_pass(processes)]


def _nothing(processes: Processes) -> Sequence[str]:
    return []


def _compare_quietly(processes: Processes) -> Sequence[str]:
    word = _one_pass(processes)
    return [word, processes.last_words("reconcile", "run")]


def _compare(processes: Processes) -> Sequence[str]:
    """Compare, let a person waive what is known, compare again, and keep the report."""
    words = [_one_pass(processes)]
    processes.last_words("reconcile", "run")
    for system, fact in (("oms", "name"), ("mdms", "district")):
        reason = f"{system} is migrated next month: its {fact} may differ"
        chosen = ("--system", system, "--kind", "usage_point", "--field", fact)
        processes.amihub("reconcile", "waive", *chosen, "--by", "dana.dispatcher", "--reason", reason)
    processes.last_words("reconcile", "run")
    said = processes.report("differences", "reconcile", "report", "--json")
    for name in TOLD:
        processes.report(f"refused_{name}", "changes", "status", name, "--state", "error", "--json")
    return [*words, f"{len(said['differences'])} differences named:", *map(_group, said["groups"])]


def _group(group: dict[str, Any]) -> str:
    """Return differences of one sort as a line for people."""
    return f"  {group['objects']:>3} {group['class']:<20} in {group['system']:<5} {group['what']:<26} {group['cause']}"


def _repair(processes: Processes) -> Sequence[str]:
    """Turn the knobs back, so that systems take in what they are told, and let the hub repair what it may."""
    mend(processes)
    words = processes.amihub("reconcile", "repair", "--allowed").strip().splitlines()[-1:]
    return [*words, _one_pass(processes)]


def _compare_again(processes: Processes) -> Sequence[str]:
    words = [_one_pass(processes)]
    processes.last_words("reconcile", "run")
    said = processes.report("differences_after", "reconcile", "report", "--json")
    return [*words, f"{len(said['differences'])} differences are left"]


def evening(processes: Processes) -> Sequence[str]:
    """Let the hub count what is not billed, and say who believed what of one of the differences."""
    reports = processes.run.folder / "reports"
    words = [keep_unbilled(processes, CommandLine(processes))]
    differences = json.loads((reports / "differences.json").read_text())["differences"]
    one = next(one for one in differences if one["kind"] == "topology" and one["cause"] == "lost")
    for form in ("json", "html"):
        named = ("--format", form, "--output", str(reports / f"history.{form}"))
        processes.amihub("history", "show", one["object_id"], *named)
    shown = processes.amihub("history", "show", one["object_id"]).strip().splitlines()
    return [*words, f"who believed what of {one['object_id']} (all of it: reports/history.html):", *shown[:12]]


def mend(processes: Processes) -> None:
    """Turn knobs of every system back: whoever was slow, lost or refused something, does so no longer."""
    for name in SORTS:
        knobs = Knobs(processes.run.folder / "masters" / name / "knobs.json")
        knobs.write({knob: value for knob, value in knobs.all().items() if knob not in ("slow", "lose", "refuse")})


STEPS = (
    Step(script.FIRST_FILES, "six systems drop all that they hold; a load is opened for five of them", _open_load),
    Step(script.DURING_LOAD, "CIS and GIS change things while the load runs", _load),
    Step(script.MORNING, "connections, exchanges, other routes, addresses and transformers are told", _pass),
    Step(script.FIRST_SNAPSHOT, "everybody drops all that it holds again; the hub compares", _compare_quietly),
    Step(script.DIFFERENCES, "somebody changes books by hand and tells nobody", _nothing),
    Step(script.LAST_CHANGES, "changes for receivers who are slow today", _pass),
    Step(
        script.SNAPSHOT,
        "everybody drops all that it holds; the hub compares, a person lets three differences stand",
        _compare,
    ),
    Step(script.REPAIRS, "what may be repaired is repaired", _repair),
    Step(script.SECOND_SNAPSHOT, "everybody drops all that it holds once more; the hub compares again", _compare_again),
)
"""The masters' day."""
