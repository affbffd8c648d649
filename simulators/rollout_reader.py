"""The reader of manual routes: walks what the hub hands out, and brings back what the registers show."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from simulators.cis_files import acknowledge
from simulators.city_book import Meter, Point
from simulators.local_days import local_text
from simulators.rollout_files import Sheet, offer
from simulators.rollout_sftp import root_of
from simulators.rollout_truth import Truth, faces, streams_of, text_of

READER = "reader"
"""Partner, and role of the site."""


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop of a route."""

    route: str
    day: str
    usage_point: str
    serial: str
    low: str
    """Between these the first register should stand; empty where nobody can say."""

    high: str
    registers: tuple[str, ...]
    """Registers to be read, in the order of the route."""


def routes(run: Path) -> list[Path]:
    """Return the files of routes that were handed out."""
    return sorted((root_of(run, READER) / "inbound").glob("RX_*.dat"))


def stops_of(path: Path) -> Iterator[Stop]:
    """Yield the stops of a route file, fields divided by `|`."""
    rows = [[field.strip() for field in line.split("|")] for line in path.read_text().splitlines()]
    registers: dict[int, list[str]] = {}
    for row in rows:
        if row[0] == "REG" and row[-1] == "N":
            registers.setdefault(int(row[1]), []).append(row[2])
    route, day = rows[0][11], rows[0][8]
    for row in rows:
        if row[0] == "STP":
            yield Stop(route, day, row[2], row[6], row[10], row[11], tuple(registers.get(int(row[1]), ())))


def walk(run: Path, truth: Truth, now: datetime) -> None:
    """Take every route that was handed out, read its meters at `now`, and offer what their registers show."""
    root = root_of(run, READER)
    hanging = {point.usage_point: (point, meter) for point, meter in hangs(truth)}
    for number, path in enumerate(routes(run), 1):
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        acknowledge(root / "outbound", path.name, sha256, "ACCEPTED", at=local_text(now))
        lines, total = [], Decimal(0)
        for stop in stops_of(path):
            point, meter = hanging[stop.usage_point]
            who = f"{stop.route}|{stop.day}|{stop.usage_point}|||{meter.manufacturer}|{stop.serial}"
            for register, value in shown(truth.seed, point, meter, stop, now).items():
                lines.append(f"RDG|{who}|{register}|{value}|{local_text(now)}|W-7|")
                total += Decimal(value)
        offer(
            root, Sheet("MR", "manual_reads", "READERS", number, lines, (), ("RDG",), str(total)), now, day=now.date()
        )


def hangs(truth: Truth) -> Iterator[tuple[Point, Meter]]:
    """Yield every usage point with the meter that hangs there after the rollout."""
    exchanged = {one.point.usage_point: one.new for one in truth.exchanges}
    for point in truth.points:
        yield point, exchanged.get(point.usage_point) or truth.old[point.usage_point]


def shown(seed: int, point: Point, meter: Meter, stop: Stop, now: datetime) -> dict[str, str]:
    """Return what the registers of a stop show."""
    counts = faces(meter, point, streams_of(seed, point), now)
    return {register: text_of(counts[register]) for register in stop.registers}
