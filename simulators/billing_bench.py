"""One calm business day of a city by the command line: CPU seconds of the hub, for `benchmarks.billing_run`."""

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from rich.console import Console

from simulators import auditor
from simulators.billing_demo import bring_up, prepare
from simulators.demo_engine import CommandLine
from simulators.demo_plan import events
from simulators.demo_play import play
from simulators.demo_processes import DemoError, Processes
from simulators.script import BUSINESS_DAYS


def bench(points: int, console: Console) -> int:
    """Bill one calm business day of a city by the command line; print the hub's CPU seconds as JSON."""
    folder = Path(tempfile.mkdtemp(prefix="amihub-bench-"))
    started, broke = time.monotonic(), False
    try:
        run = prepare(folder / "run", points=points, seed=7, sabotage="", days=1, calm=True)
        processes = Processes(run)
        engine = CommandLine(processes)
        try:
            bring_up(processes, engine, console)
            loading_cpu_s = processes.hub_cpu_s
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
            "cpu_s": round(processes.hub_cpu_s - loading_cpu_s, 3),
            "loading_cpu_s": round(loading_cpu_s, 3),
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
