"""Ways to damage one thing of the rollout behind everybody's back, for the proof that the auditor sees it.

swallow-step     the outage system says that it took a message with a new meter, and leaves its book as it was
hide-work        somebody closes a work item of the rollout although nothing was done about it
edit-reading     the last digit of one reading is changed in the MDMS's book
double-exchange  one exchange stands twice in the CIS's book
idle-meter       the head-end has taken one new meter out of service and told nobody
lose-bill        the CIS forgets one bill that it made
"""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from simulators.demo_processes import DemoError, Processes
from simulators.rollout_systems import script

SWALLOW, HIDE = "swallow-step", "hide-work"


@dataclass(frozen=True, slots=True)
class Damage:
    """One change of a book, made by hand when everything is done."""

    book: str
    """Folder of the system that keeps it, below the run's or the rollout's."""

    statement: str


DAMAGES: Mapping[str, Damage] = {
    "edit-reading": Damage(
        "rollout/mdms_ws",
        "UPDATE reading SET value = substr(value, 1, length(value) - 1) || ((substr(value, -1) + 1) % 10) "
        "WHERE rowid = (SELECT min(rowid) FROM reading)",
    ),
    "double-exchange": Damage(
        "rollout/cis_ws",
        "INSERT INTO exchange SELECT usage_point, removed, installed, replace(at, '-17T', '-18T'), xml "
        "FROM exchange LIMIT 1",
    ),
    "idle-meter": Damage(
        "rollout/hes_ws",
        "UPDATE device SET state = 'OUT' WHERE meter = "
        "(SELECT min(meter) FROM device WHERE state = 'COMMISSIONED' AND registered <> '')",
    ),
    "lose-bill": Damage("cis", "DELETE FROM bill WHERE rowid = (SELECT min(rowid) FROM bill)"),
}

KINDS = (SWALLOW, HIDE, *DAMAGES)


def prepare_damage(processes: Processes, kind: str) -> None:
    """Let a system behave as the sabotage wants, before anything is told to it."""
    if kind == SWALLOW:
        script(processes, "oms_ws", {"MasterDataLinkageConfig": [{"result": "OK", "swallow": True}]})


def hide_work(processes: Processes, kind: str) -> None:
    """Have one open work item closed as the sabotage wants, before anybody looks at what is open.

    Raises:
        DemoError: nothing is open: the proof would prove nothing.
    """
    if kind != HIDE:
        return
    rows = json.loads(processes.amihub("work", "list", "--queue", "rollout", "--json"))
    if not rows:
        raise DemoError(f"SABOTAGE={kind}: there is no work to hide")
    processes.amihub("work", "waive", rows[0]["work_id"], "--as", "nobody.asked", "--reason", "it looked bad")


def damage(run: Path, kind: str) -> None:
    """Change one book as the sabotage wants, when everything is done.

    Raises:
        DemoError: there was nothing to damage: the proof would prove nothing.
    """
    if kind not in DAMAGES:
        return
    wanted = DAMAGES[kind]
    with sqlite3.connect(run / wanted.book / "books.sqlite", timeout=30) as db:
        changed = db.execute(wanted.statement).rowcount
    db.close()
    if changed != 1:
        raise DemoError(f"SABOTAGE={kind} changed {changed} rows")
