"""Six ways to damage one item behind the hub's back, for the proof that the auditor sees it (`SABOTAGE=...`).

    lose-item    the CIS accepts a part and never loads one of its items
    double-item  the CIS bills one item twice and reports it once
    multiplier   the CIS applies a current transformer's factor to a quantity that has it already
    shift-hour   the MDMS's file of one interval meter stands one hour late
    drop-part    a part vanishes from the CIS's folder after somebody acknowledged it
    edit-kwh     a quantity is edited in the CIS's folder, with all totals and hashes made to fit

Each happens once in a run, to the first item that fits.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from simulators.cis_drop import Answered, Part, totals_of
from simulators.cis_files import acknowledge
from simulators.local_days import local_text

if TYPE_CHECKING:
    from simulators.cis_day import Cis

KINDS = ("lose-item", "double-item", "multiplier", "shift-hour", "drop-part", "edit-kwh")


def _now_is(cis: "Cis", kind: str) -> bool:
    return cis.knobs.text("sabotage") == kind and not cis.books.done("sabotage")


def damage_loading(cis: "Cis", part: Part) -> list[Answered]:
    """Return the answers of a part as the CIS will load them: all, unless one is to be lost or multiplied."""
    answers = list(part.answers)
    if part.run_type != "ON":
        return answers
    if _now_is(cis, "lose-item"):
        victim = next((n for n, answer in enumerate(answers) if answer.determinants), None)
        if victim is not None:
            del answers[victim]
            cis.books.mark("sabotage", datetime.min.replace(tzinfo=UTC))
    elif _now_is(cis, "multiplier"):
        for answer in answers:
            factor = next((m for m in answer.multipliers if Decimal(m) != 1), None)
            if factor and answer.determinants:
                for det in answer.determinants:
                    det[6] = str(Decimal(det[6]) * Decimal(factor))
                cis.books.mark("sabotage", datetime.min.replace(tzinfo=UTC))
                break
    return answers


def double_bill(cis: "Cis", now: datetime) -> None:
    """Bill one item a second time, in no extract."""
    if not _now_is(cis, "double-item"):
        return
    row = cis.books.db.execute("SELECT * FROM bill WHERE event = 'BILLED' ORDER BY rowid LIMIT 1").fetchone()
    if row is None:
        return
    again = (f"{row[0]}-2", *row[1:7], local_text(now), "(reported nowhere)")
    with cis.books.db:
        cis.books.db.execute("INSERT INTO bill VALUES (?,?,?,?,?,?,?,?,?)", again)
    cis.books.mark("sabotage", now)


def steal_part(cis: "Cis", path: Path, now: datetime) -> bool:
    """Return whether a part was taken away, acknowledged as if it had been loaded."""
    if not _now_is(cis, "drop-part") or "_ON_" not in path.name:
        return False
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    acknowledge(cis.root / "outbound", path.name, sha256, "ACCEPTED", at=local_text(now))
    cis.books.mark(path.name, now)
    cis.books.mark("sabotage", now)
    return True


def edit_part(cis: "Cis", path: Path, control: Path) -> str:
    """Edit one quantity of a part in place if that is the plan; return the sha256 that the part had before."""
    body = path.read_bytes()
    original = hashlib.sha256(body).hexdigest()
    if not _now_is(cis, "edit-kwh") or "_ON_" not in path.name or path.name.endswith(".gz"):
        return original
    rows = [line.split("|") for line in body.decode().splitlines()]
    if _add_hundred(rows):
        _make_fit(rows, path, control)
        cis.books.mark("sabotage", datetime.min.replace(tzinfo=UTC))
    return original


def _add_hundred(rows: list[list[str]]) -> bool:
    """Add 100 kWh to the total and the off-peak bucket of the first item that has both."""
    item: list[list[str]] = []
    for row in rows:
        if row[0] == "SVC":
            item = []
        elif row[0] == "DET":
            item.append(row)
        codes = [det[1] for det in item]
        if "KWH_TOTAL" in codes and "KWH_OFF" in codes:
            for det in item:
                if det[1] in ("KWH_TOTAL", "KWH_OFF"):
                    det[6] = str(Decimal(det[6]) + 100)
            return True
    return False


def _make_fit(rows: list[list[str]], path: Path, control: Path) -> None:
    """Write the part with trailer and control file that agree with the edited lines."""
    sums, _ = totals_of(rows)
    rows[-1][8] = ";".join(f"{key}={value}" for key, value in sorted(sums.items()))
    body = ("\n".join("|".join(row) for row in rows) + "\n").encode()
    manifest = json.loads(control.read_text())
    manifest["totals"] |= {f"DET.{key}": str(value) for key, value in sums.items()}
    manifest |= {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    path.write_bytes(body)
    control.write_text(json.dumps(manifest))


def shifted(values: Sequence[int]) -> list[int]:
    """Return half-hour values one hour late, the first hour filled with what the last one had."""
    return [*values[-2:], *values[:-2]]
