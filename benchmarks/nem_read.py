"""Reading a NEM12 file of 1.44 million values, beside `csv` with a Decimal for every value (the exact floor)."""

import csv
import json
import random
import resource
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from sftp.formats import nem
from sftp.formats.nem_records import Day

METERS, DAYS, VALUES = 500, 30, 96


def write_file(path: Path, *, decimals: str) -> None:
    """Write a month of quarter hours; `uniform` decimals as meters write them, `mixed` as spreadsheets do."""
    chance = random.Random(7)
    texts = [f"{chance.randint(0, 9999) / 1000:.3f}" for _ in range(10_000)]
    if decimals == "mixed":
        texts = [text.rstrip("0").rstrip(".") for text in texts]
    with path.open("w") as out:
        out.write("100,NEM12,202601010000,MDP,HUB\n")
        for meter in range(METERS):
            out.write(f"200,NMI{meter:07d},E1,1,E1,N1,S{meter},kWh,15,\n")
            for day in range(1, DAYS + 1):
                out.write(f"300,202601{day:02d},{','.join(chance.choices(texts, k=VALUES))},A,,,20260201000000,\n")
        out.write("900\n")


def read_by_us(path: Path) -> Decimal:
    """Return the sum of all values by the hub's reader, which checks everything."""
    with path.open("rb") as stream:
        return sum((r.total for r in nem.read(stream, where=path.name) if isinstance(r, Day)), Decimal(0))


def read_by_csv(path: Path) -> Decimal:
    """Return the same sum by `csv` and Decimal, which checks nothing."""
    with path.open(newline="") as stream:
        rows = (row for row in csv.reader(stream) if row[0] == "300")
        return sum((sum(map(Decimal, row[2 : 2 + VALUES]), Decimal(0)) for row in rows), Decimal(0))


def timed(read: Callable[[Path], Decimal], path: Path) -> tuple[float, Decimal]:
    """Return CPU seconds (best of three) and the result."""
    best, result = float("inf"), Decimal(0)
    for _ in range(3):
        started = time.process_time()
        result = read(path)
        best = min(best, time.process_time() - started)
    return best, result


def run() -> dict[str, Any]:
    """Return CPU seconds, ratio to the floor, and peak memory."""
    figures: dict[str, Any] = {"values": METERS * DAYS * VALUES}
    with tempfile.TemporaryDirectory() as folder:
        for decimals in ("uniform", "mixed"):
            path = Path(folder) / f"{decimals}.csv"
            write_file(path, decimals=decimals)
            ours, total = timed(read_by_us, path)
            figures[f"cpu_s_{decimals}"] = round(ours, 3)
            figures["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            floor, expected = timed(read_by_csv, path)
            if total != expected:
                raise SystemExit(f"read {total}, the text says {expected}")
            figures[f"cpu_ratio_{decimals}"] = round(ours / floor, 2)
    return {"nem_read": figures}


if __name__ == "__main__":
    print(json.dumps(run()))
