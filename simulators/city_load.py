"""How a chapter's city comes into the hub: by the first-time load, from whole files of the systems that keep masters.

A chapter founds its run with `demo_site.found_run(systems=...)`; each of those systems drops all that it holds at
`masters_script.FIRST_FILES` of the first business day. `load_city` starts them and has the hub loaded.
"""

import sys
import time
from collections.abc import Callable, Iterable, Sequence

from rich.console import Console

from simulators.clock import set_business
from simulators.demo_processes import DemoError, Processes
from simulators.demo_settle import BRIEFLY_S, settle
from simulators.masters_roles import port_name
from simulators.masters_script import FIRST_FILES
from simulators.script import BUSINESS_DAYS

LOADED_FROM = ("cis", "wams", "mdms", "hes", "gis")
"""Systems from whose files the hub is loaded, in its order; the OMS is told what it must know."""

PATIENCE_S = 600.0


def start_masters(processes: Processes, systems: Iterable[str]) -> None:
    """Start the systems that keep masters, each a program with a server of its own."""
    run = processes.run
    for name in systems:
        command = [sys.executable, "-m", "simulators.masters_system", "--run", str(run.folder), "--system", name]
        processes.start(f"masters-{name}", [*command, "--port", str(run.ports[port_name(name)])])


def load_city(processes: Processes, systems: Sequence[str], console: Console) -> None:
    """Go to the morning, wait until each system has dropped all that it holds, and load the hub with progress shown.

    The hub's database must be there. What was loaded is kept as `reports/load.json`.

    Raises:
        DemoError: a process died, or the load paused or came to no end.
    """

    def say(line: str) -> None:
        console.print(f"       {line}", highlight=False, style="dim", soft_wrap=True)

    at = FIRST_FILES.on(BUSINESS_DAYS[0])
    set_business(processes.run.clock, at, rate=0)
    settle(processes, at, quiet_s=BRIEFLY_S, systems=[f"masters/{name}" for name in systems])
    say(open_load(processes, systems))
    work_load(processes, say)


def open_load(processes: Processes, systems: Iterable[str]) -> str:
    """Open a load of those of some systems from which the hub is loaded; return a word on it."""
    chosen = set(systems)
    named = [part for name in LOADED_FROM if name in chosen for part in ("--from", name)]
    return processes.amihub("load", "start", *named, "--as", "dana.data").strip().splitlines()[-1]


def work_load(processes: Processes, say: Callable[[str], None]) -> None:
    """Work the open load to its end, saying how far it is, and keep the report of it.

    Whoever else makes passes over masters may hold a file: then it is looked at again.

    Raises:
        DemoError: it paused, or came to no end.
    """
    deadline = time.monotonic() + PATIENCE_S
    while True:
        processes.amihub("load", "run", expect=(0, 1), say=say)
        said = processes.report("load", "load", "report", "--json")
        state = said["run"]["state"]
        if state == "done":
            break
        if state not in ("loading", "closing") or time.monotonic() > deadline:
            raise DemoError(f"the load is {state}; see {processes.run.folder / 'reports' / 'load.json'}")
        time.sleep(1)
    say(f"loaded {sum(said['things'].values()):,} things")
