"""The demo in two chapters, each judged by its auditor: a day of masters, then two business days of billing.

    python -m simulators.demo          (or `make demo`)

Environment: `CHAPTER=masters` (`simulators.masters_demo`) or `CHAPTER=billing` plays one chapter alone; of billing:
`ONCE=1` ends by itself, `ENGINE=airflow|cli`, `POINTS=5000`, `DAYS=2`, `SEED=7`, and `SABOTAGE=lose-item|
double-item|multiplier|shift-hour|drop-part|edit-kwh` damages one item behind the hub's
back. Exit code 0 only when every book agrees.
`--bench N`: one calm business day of N usage points by the command line; prints {"cpu_s", "wall_s", ...} as JSON.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from rich.console import Console

from simulators import auditor, masters_demo, masters_sabotage
from simulators.demo_engine import Airflow, CommandLine, Engine
from simulators.demo_plan import events
from simulators.demo_play import play
from simulators.demo_processes import DemoError, Processes, program, start_outside
from simulators.demo_site import prepare
from simulators.demo_work import show_work
from simulators.sabotage import KINDS
from simulators.script import BUSINESS_DAYS

WIDTH = 150
"""Columns when the output is no terminal."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo, or the bench, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", type=int, default=0, metavar="N", help="one calm day of N usage points, CPU as JSON")
    parser.add_argument("--run", type=Path, default=None, help="run folder to make (default: a new one in var/demo)")
    options = parser.parse_args(arguments)
    # Asked to end by whoever started it, it stops what it started first.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console(stderr=bool(options.bench), soft_wrap=True, width=None if sys.stdout.isatty() else WIDTH)
    try:
        if options.bench:
            return bench(options.bench, console)
        chosen = _chapters()
        ends = []
        for name, play_chapter in chosen.items():
            folder = options.run / name if options.run is not None and len(chosen) > 1 else options.run
            ends.append(play_chapter(console, folder=folder))
        return max(ends)
    except DemoError as error:
        console.print(f"[bold red]{error}[/]")
        return 2
    except KeyboardInterrupt:
        return 130


def _chapters() -> dict[str, Callable[..., int]]:
    """Return the chapters that the environment asks for; without a word on it all that know the wanted sabotage.

    Raises:
        DemoError: there is no such chapter.
    """
    chapters: dict[str, Callable[..., int]] = {"masters": masters_demo.demo, "billing": demo}
    sabotage = {"masters": masters_sabotage.KINDS, "billing": KINDS}
    wanted, damage = os.environ.get("CHAPTER", ""), os.environ.get("SABOTAGE", "")
    if wanted and wanted not in chapters:
        raise DemoError(f"CHAPTER={wanted} is unknown; it may be {', '.join(chapters)}")
    if damage and not any(damage in kinds for kinds in sabotage.values()):
        known = ", ".join((*KINDS, *masters_sabotage.KINDS))
        raise DemoError(f"SABOTAGE={damage} is unknown; it may be {known}")
    fitting = [name for name in chapters if not damage or damage in sabotage[name]]
    return {wanted: chapters[wanted]} if wanted else {name: chapters[name] for name in fitting}


def demo(console: Console, *, folder: Path | None = None) -> int:
    """Bill for two business days and return 0 when every book agrees with the city's truth."""
    sabotage = os.environ.get("SABOTAGE", "")
    if sabotage and sabotage not in KINDS:
        raise DemoError(f"SABOTAGE={sabotage} is unknown; it may be {', '.join(KINDS)}")
    points, started = int(os.environ.get("POINTS", "5000")), time.monotonic()
    where = folder or Path("var") / "demo" / f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
    console.print(f"Founding a city of {points:,} usage points in {where}")
    days, seed = int(os.environ.get("DAYS", "2")), int(os.environ.get("SEED", "7"))
    run = prepare(where.resolve(), points=points, seed=seed, sabotage=sabotage, days=days)
    processes = Processes(run)
    engine: Engine = Airflow(processes) if os.environ.get("ENGINE", "airflow") == "airflow" else CommandLine(processes)
    try:
        _bring_up(processes, engine, console)
        for event in events(BUSINESS_DAYS[:days]):
            play(processes, engine, event, console)
        report = auditor.audit(run.folder)
        auditor.show(report, console)
        show_work(processes, console)
        console.print(f"Took {time.monotonic() - started:.0f} s. Logs, books and files: {where}", highlight=False)
        if engine.where():
            console.print(engine.where(), highlight=False)
        if _stays_up(engine):
            console.print(
                "Ctrl-C ends it. Meanwhile: [bold]amihub explain[/] with AMIHUB_SITE=" + str(run.folder / "site.toml")
            )
            _wait_for_interrupt(processes)
        return 1 if report.findings else 0
    finally:
        processes.stop()


def _stays_up(engine: Engine) -> bool:
    return sys.stdout.isatty() and os.environ.get("ONCE", "") != "1" and bool(engine.where())


def _wait_for_interrupt(processes: Processes) -> None:
    try:
        while True:
            processes.check()
            time.sleep(1)
    except KeyboardInterrupt:
        return


def _bring_up(processes: Processes, engine: Engine, console: Console) -> None:
    """Start the outside systems, the hub and what lets it make passes."""
    engine.prepare()
    start_outside(processes)
    processes.amihub("db", "upgrade")
    processes.start("hub", [program("amihub"), "serve"])
    console.print("CIS, MDMS and hub are up; waiting for what starts the passes")
    engine.ready()


def bench(points: int, console: Console) -> int:
    """Bill one calm business day of a city by the command line; print the hub's CPU seconds as JSON."""
    folder = Path(tempfile.mkdtemp(prefix="amihub-bench-"))
    started, broke = time.monotonic(), False
    try:
        run = prepare(folder / "run", points=points, seed=7, sabotage="", days=1, calm=True)
        processes = Processes(run)
        engine = CommandLine(processes)
        try:
            _bring_up(processes, engine, console)
            days: Sequence[date] = BUSINESS_DAYS[:1]
            began = time.monotonic()
            for event in events(days, calm=True):
                play(processes, engine, event, console)
            wall = time.monotonic() - began
        finally:
            processes.stop()
        report = auditor.audit(run.folder)
        result = {
            "points": points,
            "cpu_s": round(processes.hub_cpu_s, 3),
            "wall_s": round(wall, 3),
            "total_wall_s": round(time.monotonic() - started, 3),
            "disagreements": len(report.findings),
            "loaded": next(hop.count for hop in report.hops if hop.name == "loaded"),
        }
        sys.stdout.write(json.dumps(result) + "\n")
        for finding in report.findings[:5]:
            console.print(finding)
    except DemoError:
        broke = True
        console.print(f"logs are kept in {folder}")
        raise
    finally:
        if not broke:
            shutil.rmtree(folder, ignore_errors=True)
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())
