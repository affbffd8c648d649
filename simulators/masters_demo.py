"""The masters' chapter of the demo: a city is loaded, kept in step, compared with six systems, and repaired.

    CHAPTER=masters python -m simulators.demo

Environment: `POINTS=1000`, `SEED=7`, and `SABOTAGE=` one of `simulators.masters_sabotage`, at which the auditor must
turn red. Exit code 0 only when every check of the auditor is green.
"""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from simulators import audit_masters
from simulators.city_load import start_masters
from simulators.clock import set_business
from simulators.demo_processes import Processes, program
from simulators.demo_settle import settle
from simulators.local_days import ZONE
from simulators.masters_billing import bill_one_day
from simulators.masters_city import SORTS
from simulators.masters_hub import STEPS, Step, evening
from simulators.masters_plan import DAY
from simulators.masters_site import prepare

FEWEST = 200
"""Usage points that fifty differences need, each another one."""

SYSTEMS = tuple(f"masters/{name}" for name in SORTS)


def demo(console: Console, *, folder: Path | None = None) -> int:
    """Play the masters' day and return 0 when the auditor finds nothing wrong.

    Raises:
        DemoError: a process died, or a command of the hub did not do what was asked.
    """
    points, seed = max(int(os.environ.get("POINTS", "1000")), FEWEST), int(os.environ.get("SEED", "7"))
    where, started = folder or Path("var") / "demo" / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-masters", time.monotonic()
    console.print(f"Founding a city of {points:,} usage points, its six systems and their fifty differences in {where}")
    processes = Processes(prepare(where.resolve(), points=points, seed=seed, sabotage=os.environ.get("SABOTAGE", "")))
    try:
        _bring_up(processes)
        for step in STEPS:
            play(processes, step, console)
        bill_one_day(processes, console)
        for word in evening(processes):
            console.print(f"       {word}", highlight=False, style="dim", soft_wrap=True)
        checks = audit_masters.audit(processes.run.folder)
        audit_masters.show(checks, console)
        console.print(
            f"Took {time.monotonic() - started:.0f} s. Logs, books, files and reports: {where}", highlight=False
        )
        return 1 if any(check.problems for check in checks) else 0
    finally:
        processes.stop()


def _bring_up(processes: Processes) -> None:
    """Start the six systems and what of the hub carries its deliveries."""
    start_masters(processes, SORTS)
    processes.amihub("config", "check")
    processes.amihub("db", "upgrade")
    processes.start("hub", [program("amihub"), "serve", "--only", "relay"])


def play(processes: Processes, step: Step, console: Console) -> None:
    """Go to a step's business time, let the systems do what is due, and let the hub do its part."""
    run, at = processes.run, step.moment.on(DAY)
    set_business(run.clock, at, rate=0)
    console.print(f"[bold cyan]{at.astimezone(ZONE):%H:%M}[/]  {step.text}")
    settle(processes, at, systems=SYSTEMS)
    words = step.act(processes)
    settle(processes, at, systems=SYSTEMS)
    for word in words:
        console.print(f"       {word}", highlight=False, style="dim", soft_wrap=True)
