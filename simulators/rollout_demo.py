"""The rollout's chapter of the demo: a city's meters are exchanged, and five systems end with the same belief.

    CHAPTER=rollout python -m simulators.demo

Environment: `EXCHANGES=10000` (usage points of the city), `SEED=7`, and `SABOTAGE=` one of
`simulators.rollout_sabotage`, at which the auditor must turn red. Exit code 0 only when it finds nothing wrong.
"""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from simulators import audit_masters, audit_rollout
from simulators.city_load import load_city, start_masters
from simulators.demo_processes import Processes, program
from simulators.rollout_billing import bill, read_by_people
from simulators.rollout_day import Days
from simulators.rollout_report import show_report
from simulators.rollout_sabotage import damage, hide_work, prepare_damage
from simulators.rollout_site import MASTERS, prepare
from simulators.rollout_systems import start_systems

ALL = ("--limit", "100000")
"""As many work items as there are."""


def demo(console: Console, *, folder: Path | None = None) -> int:
    """Play the rollout and return 0 when every book agrees with what was done in the field.

    Raises:
        DemoError: a process died, or something did not come to its end.
    """
    points, seed = int(os.environ.get("EXCHANGES") or 10_000), int(os.environ.get("SEED", "7"))
    where, began = folder or Path("var") / "demo" / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-rollout", time.monotonic()
    sabotage = os.environ.get("SABOTAGE", "")
    console.print(f"Founding a city of {points:,} meters that people read, and its systems, in {where}")
    processes = Processes(prepare(where.resolve(), points=points, seed=seed))
    try:
        start_systems(processes)
        start_masters(processes, MASTERS)
        processes.amihub("config", "check")
        processes.amihub("db", "upgrade")
        load_city(processes, MASTERS, console)
        for name, part in (("hub", "cim"), ("relay", "relay")):
            processes.start(name, [program("amihub"), "serve", "--only", part])
        prepare_damage(processes, sabotage)
        days = Days(processes, console)
        days.play()
        hide_work(processes, sabotage)
        processes.report("work", "work", "list", *ALL, "--json")
        processes.report("work_resolved", "work", "list", "--state", "RESOLVED", *ALL, "--json")
        processes.report("shipments", "shipments", "list", "--json")
        show_report(processes, console)
        read_by_people(processes, days.truth, console)
        bill(processes, days.truth, console)
        damage(processes.run.folder, sabotage)
        checks = audit_rollout.audit(processes.run.folder)
        audit_masters.show(checks, console)
        console.print(f"Took {time.monotonic() - began:.0f} s. Logs, books and reports: {where}", highlight=False)
        return 1 if any(check.problems for check in checks) else 0
    finally:
        processes.stop()
