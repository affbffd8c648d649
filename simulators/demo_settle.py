"""When it is quiet outside: the simulators are up to the business time, and no file comes or goes any more."""

import json
import sqlite3
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from simulators.demo_processes import DemoError, Processes

QUIET_S = 1.6
"""The hub's relay looks for deliveries every second; this long without a change is quiet."""

BRIEFLY_S = 0.3
"""Quiet enough when the hub has nothing to carry."""

PATIENCE_S = 300.0

OUTSIDE = ("cis", "mdms")
"""Folders of the outside systems of the billing chapter, below the run's."""


def settle(
    processes: Processes, until: datetime, *, quiet_s: float = QUIET_S, systems: Sequence[str] = OUTSIDE
) -> None:
    """Wait until all simulators have done what was due at a business time, and all folders were quiet for a while.

    Raises:
        DemoError: somebody died, or it never became quiet.
    """
    folder = processes.run.folder
    deadline, seen, since = time.monotonic() + PATIENCE_S, None, time.monotonic()
    while True:
        processes.check()
        current = (_listing(folder, systems), _up_to(folder, until, systems))
        if current != seen:
            seen, since = current, time.monotonic()
        if current[1] and time.monotonic() - since > quiet_s:
            return
        if time.monotonic() > deadline:
            raise DemoError(f"the outside systems did not come to rest; see {folder / 'logs'}")
        time.sleep(0.1)


def _listing(folder: Path, systems: Sequence[str]) -> tuple[object, ...]:
    """Return all names and sizes in the exchange folders, and when the books were last written."""
    found: list[tuple[str, float]] = []
    for system in systems:
        for path in (folder / system / "root").rglob("*"):
            try:
                found.append((str(path), path.stat().st_size))
            except FileNotFoundError:
                continue
        ledger = folder / system / "books.sqlite-wal"
        found.append((str(ledger), ledger.stat().st_mtime if ledger.exists() else 0.0))
    return tuple(sorted(found))


def _up_to(folder: Path, until: datetime, systems: Sequence[str]) -> bool:
    """Return whether all simulators say that everything due at a business time is done."""
    for system in systems:
        status = folder / system / "status.json"
        if not status.exists():
            return False
        if datetime.fromisoformat(json.loads(status.read_text())["done_until"]) < until:
            return False
    return True


def progress(folder: Path) -> str:
    """Return the CIS's counts so far, as one line."""
    with sqlite3.connect(f"file:{folder / 'cis' / 'books.sqlite'}?mode=ro", uri=True) as db:
        (requested,) = db.execute("SELECT count(*) FROM request").fetchone()
        (accepted,) = db.execute("SELECT count(*) FROM request WHERE verdict = 'ACCEPTED'").fetchone()
        loaded, kwh = db.execute(
            "SELECT count(*), sum(CASE unit WHEN 'kWh' THEN total ELSE 0 END) FROM answer WHERE total <> ''"
        ).fetchone()
        (billed,) = db.execute("SELECT count(*) FROM bill WHERE event <> 'CANCELLED'").fetchone()
    db.close()
    energy = f"{kwh or 0:,.0f} kWh"
    return f"requested {requested:,}  acknowledged {accepted:,}  loaded {loaded:,} ({energy})  billed {billed:,}"
