"""The billed cycle of the rollout: accounts that AMI reads, that people read, and exchanged ones, in one run."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from simulators import rollout_city
from simulators.city import FILE_NAME
from simulators.city_book import Meter
from simulators.demo_engine import CommandLine
from simulators.demo_plan import events
from simulators.demo_play import play
from simulators.demo_processes import Processes, start_outside
from simulators.rollout_truth import Truth

INTERFACE = "mass"
"""Billing interface of register meters; there are no others in this city."""


def bill(processes: Processes, truth: Truth, console: Console) -> None:
    """Hang the new meters in the city, start CIS and MDMS, and let the hub bill the cycle by its command line.

    Raises:
        DemoError: a process died, or a command of the hub did not do what was asked.
    """
    hang(processes.run.folder / "city" / FILE_NAME, truth)
    start_outside(processes)
    engine = CommandLine(processes)
    for event in events([rollout_city.BILL_DATE], calm=True):
        play(processes, engine, replace(event, passes=(INTERFACE,)), console)
    processes.report("billing_work", "work", "list", "--json")


def hang(path: Path, truth: Truth) -> None:
    """Write the city anew, with every meter that hung at each usage point: what MDMS and CIS of this day know."""
    rollout_city.write(path, truth.seed, truth.points, _meters(truth))


def _meters(truth: Truth) -> Iterator[Meter]:
    """Yield the meters of every usage point, the oldest first."""
    exchanged = {one.point.usage_point: one for one in truth.exchanges}
    for point in truth.points:
        one = exchanged.get(point.usage_point)
        if one is None:
            yield replace(truth.old[point.usage_point], removed_at="")
        else:
            yield from (one.old, one.new)
