"""The billed cycle of the rollout: accounts that AMI reads, that people read, and exchanged ones, in one run."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from rich.console import Console

from simulators import rollout_city
from simulators.city import FILE_NAME
from simulators.city_book import Meter
from simulators.clock import set_business
from simulators.demo_engine import CommandLine
from simulators.demo_plan import events
from simulators.demo_play import play
from simulators.demo_processes import DemoError, Processes, start_outside
from simulators.local_days import ZONE, at_local
from simulators.rollout_reader import READER, routes, walk
from simulators.rollout_sftp import root_of
from simulators.rollout_truth import Truth

INTERFACE = "mass"
"""Billing interface of register meters; there are no others in this city."""

WALKED = at_local(rollout_city.BILL_DATE - timedelta(days=1), 14)
"""When the manual route of the cycle is walked."""

PATIENCE_S = 120.0


def read_by_people(processes: Processes, truth: Truth, console: Console) -> None:
    """Let the hub hand out the route of the cycle for whoever is still read by people, and have it walked.

    Raises:
        DemoError: the route did not come, or what was read was not taken.
    """
    run, day = processes.run, WALKED.astimezone(ZONE).date()
    set_business(run.clock, at_local(day, 5), rate=0)
    console.print(
        f"[bold cyan]{day:%d.%m.} 05:00[/]  the manual route of the cycle is handed out; it is walked at 14:00"
    )
    said = processes.amihub("routes", "extract", "--route", f"R{rollout_city.BILLED}", "--day", day.isoformat())
    _wait(processes, "the route is with the reader", lambda: bool(routes(run.folder)))
    set_business(run.clock, WALKED, rate=0)
    walk(run.folder, truth, WALKED)
    inbound = root_of(run.folder, READER) / "inbound"
    _wait(processes, "what was read is answered", lambda: any(inbound.glob("MR_*.ack")))
    processes.report("routes", "routes", "list", "--json")
    console.print(f"       {said.strip()}", highlight=False, style="dim", soft_wrap=True)


def _wait(processes: Processes, what: str, reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not reached():
        processes.check()
        if time.monotonic() > deadline:
            raise DemoError(f"{what}: it did not come to that; see {processes.run.folder / 'logs'}")
        time.sleep(0.2)


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
    processes.report("billing_work", "work", "list", "--limit", "100000", "--json")


def hang(path: Path, truth: Truth) -> None:
    """Write the city anew, with every meter that hung at each usage point: what MDMS and CIS of this day know.

    The other cycle waits: nobody bills it here.
    """
    rollout_city.write(path, truth.seed, truth.points, _meters(truth), is_billed_soon=False)


def _meters(truth: Truth) -> Iterator[Meter]:
    """Yield the meters of every usage point, the oldest first."""
    exchanged = {one.point.usage_point: one for one in truth.exchanges}
    for point in truth.points:
        one = exchanged.get(point.usage_point)
        if one is None:
            yield replace(truth.old[point.usage_point], removed_at="")
        else:
            yield from (one.old, one.new)
