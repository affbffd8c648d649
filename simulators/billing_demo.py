"""The billing chapter of the demo: a city is loaded, then billed for two business days, and every book compared.

    CHAPTER=billing python -m simulators.demo

Environment: `ENGINE=airflow|cli`, `POINTS=5000`, `DAYS=2`, `SEED=7`, `ONCE=1` ends by itself, and `SABOTAGE=` one of
`simulators.sabotage`, at which the auditor must turn red. Exit code 0 only when every book agrees.
"""

import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from simulators import audit_masters, auditor
from simulators.city_load import load_city, start_masters
from simulators.demo_engine import Airflow, CommandLine, Engine
from simulators.demo_plan import events
from simulators.demo_play import play
from simulators.demo_processes import Processes, program, start_outside
from simulators.demo_site import DemoRun, found_run
from simulators.demo_unbilled import show_unbilled
from simulators.demo_work import show_work
from simulators.knobs import Knobs
from simulators.script import BUSINESS_DAYS

SYSTEMS = ("cis", "mdms", "gis")
"""Systems that keep the masters of this city; all that billing asks for is in them."""


def demo(console: Console, *, folder: Path | None = None) -> int:
    """Bill for two business days and return 0 when every book agrees with the city's truth.

    Raises:
        DemoError: a process died, or a command of the hub did not do what was asked.
    """
    points, started = int(os.environ.get("POINTS", "5000")), time.monotonic()
    where = folder or Path("var") / "demo" / f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
    console.print(f"Founding a city of {points:,} usage points in {where}")
    days, seed = int(os.environ.get("DAYS", "2")), int(os.environ.get("SEED", "7"))
    sabotage = os.environ.get("SABOTAGE", "")
    processes = Processes(prepare(where.resolve(), points=points, seed=seed, sabotage=sabotage, days=days))
    engine: Engine = Airflow(processes) if os.environ.get("ENGINE", "airflow") == "airflow" else CommandLine(processes)
    try:
        bring_up(processes, engine, console)
        for event in events(BUSINESS_DAYS[:days]):
            play(processes, engine, event, console)
        show_unbilled(processes, engine, console)
        found_wrong = _judge(processes, console)
        console.print(f"Took {time.monotonic() - started:.0f} s. Logs, books and files: {where}", highlight=False)
        _stay_up(processes, engine, console)
        return 1 if found_wrong else 0
    finally:
        processes.stop()


def prepare(folder: Path, *, points: int, seed: int, sabotage: str, days: int = 2, calm: bool = False) -> DemoRun:
    """Found the city and its systems below a new folder, and set the troubles of the script and the sabotage."""
    run = found_run(folder, points=points, seed=seed, systems=SYSTEMS, days=days, calm=calm)
    first = BUSINESS_DAYS[0].isoformat()
    mass = {"interface": "CISMASS", "date": first}
    troubles: dict[str, object] = {
        "truncate_request": [first],
        "duplicate_request": [first],
        "nack_part": [mass | {"part": 2}],
        "silent_part": [mass | {"part": 3}],
    }
    for system in ("cis", "mdms"):
        (folder / system).mkdir(exist_ok=True)
        wanted = troubles if system == "cis" and not calm else {}
        Knobs(folder / system / "knobs.json").write(wanted | {"sabotage": sabotage})
    return run


def bring_up(processes: Processes, engine: Engine, console: Console) -> None:
    """Start what lets the hub make passes and the outside systems, load the city, and start the hub."""
    engine.prepare()
    start_masters(processes, SYSTEMS)
    start_outside(processes)
    processes.amihub("db", "upgrade")
    console.print(f"{', '.join(SYSTEMS)} drop all that they hold; the hub is loaded from it")
    load_city(processes, SYSTEMS, console)
    processes.start("hub", [program("amihub"), "serve"])
    console.print("CIS, MDMS and hub are up; waiting for what starts the passes")
    engine.ready()


def _judge(processes: Processes, console: Console) -> bool:
    """Show what the auditors say of load, register and bills, and what people must do; return whether any is red."""
    checks = [audit_masters.loaded(processes.run.folder), audit_masters.unbilled(processes.run.folder)]
    audit_masters.show(checks, console)
    report = auditor.audit(processes.run.folder)
    auditor.show(report, console)
    show_work(processes, console)
    return bool(report.findings or any(check.problems for check in checks))


def _stay_up(processes: Processes, engine: Engine, console: Console) -> None:
    """Say where Airflow's pages are, and with a terminal leave everything up until Ctrl-C."""
    if not engine.where():
        return
    console.print(engine.where(), highlight=False)
    if not sys.stdout.isatty() or os.environ.get("ONCE", "") == "1":
        return
    site = processes.run.folder / "site.toml"
    console.print(f"Ctrl-C ends it. Meanwhile: [bold]amihub explain[/] with AMIHUB_SITE={site}")
    try:
        while True:
            processes.check()
            time.sleep(1)
    except KeyboardInterrupt:
        return
