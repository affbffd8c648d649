"""Billing drop: writing and reading a million lines, beside the csv module doing the same work.

Definitions (CPU seconds of one process, median of `ROUNDS` rounds, both sides in every round):

* The drop: determinants of six lines each (SVC, MTR, two REG, DET, DEM), 1,000 different ones repeated.
* `billing_drop_write.x_csv`: from the same ready field texts to the same bytes in a file. Ours: the record's `%` format
  with its checks (no separator inside a value, no control character), joined and encoded. Theirs: `csv.writer` with the
  same separator. Rendering of numbers and instants is in neither.
* `billing_drop_write.x_csv_rendered`: from BillDeterminant objects, rendering in both, and in ours the control totals
  and the hash of the trailer too; `csv.writer` gets its rows from the same rendering functions.
* `billing_drop_parse.x_csv_checked`: from bytes to the same canonical objects. Ours: `billing_drop.determinants`, which
  checks every field, the order of records, repeated ids, counts, sums and hash. Theirs: `csv.reader`, one regular
  expression for each field, Decimal, int and datetime, the same counts, sums, hash and objects, but no order, repeats,
  control characters or places of errors.
* `billing_drop_parse.x_csv_rows`: the same, both sides stopping at typed values, no objects.
* `billing_drop_parse.x_csv_rows_to_objects`: ours with objects beside theirs without: what the objects cost.
* `peak_mb`: ru_maxrss of a fresh process that imports only the module under test and streams 1,000,000 lines.
"""

import csv
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from canonical.billing import (
    BillDeterminant,
    Demand,
    MeterInPeriod,
    PartHeader,
    Quantity,
    RegisterUse,
    Status,
)
from canonical.periods import Period
from sftp.formats import billing_drop, drop_records
from sftp.formats.drop_items import determinant_of
from sftp.layout_read import compiled, read
from sftp.layout_record import field_pattern
from sftp.layout_repeats import repeats_in
from sftp.layout_write import chunks

ROUNDS = 5
LINES_EACH = 6
MEASURED = 20_000
"""Determinants of one timed round."""

MILLION = 1_000_000 // LINES_EACH
DIFFERENT = 1_000

HEADER = PartHeader(
    "BD_1", "AMIHUB", "CISMASS", "TEST", datetime(2026, 11, 1, 12, tzinfo=UTC), date(2026, 11, 1),
    "America/Toronto", 1, "ON", "07", 1, is_last=True, revision=0,
)  # fmt: skip


def determinant(n: int, start: datetime, end: datetime) -> BillDeterminant:
    """Return the n-th determinant: a time-of-use meter with two registers and a demand."""
    meter = f"11111111-0000-5000-8000-{n:012d}"
    use = Decimal(n % 977) + Decimal("0.125")
    first = Decimal(10_000 + n % 5_000) + Decimal("0.375")
    registers = tuple(
        RegisterUse(
            meter, code, "0.0.0.1.1.1.12.0.0.0.0.1.0.0.0.3.72.0", "DELIVERED", "kWh", bucket, use, first, start,
            "VALIDATED", first + use, end, "VALIDATED", 0, use, "cumulative",
        )
        for code, bucket in (("T1", "ON"), ("T2", "OFF"))
    )  # fmt: skip
    return BillDeterminant(
        determinant_id=f"00000000-0000-5000-8000-{n:012d}",
        version=1,
        supersedes_id="",
        account=f"ACC{n:08d}",
        agreement=f"AGR{n:08d}",
        usage_point=f"22222222-0000-5000-8000-{n:012d}",
        usage_point_name=f"4{n:010d}",
        cycle="07",
        read_window=Period(start, end),
        request_id=f"REQ{n:09d}",
        reason="CYCLE",
        period=Period(start, end),
        zone="America/Toronto",
        days=31,
        status=Status.ACTUAL,
        commodity="ELECTRICITY",
        tou_calendar="TOU/3",
        meters=(
            MeterInPeriod(meter, "ACME", f"S{n:09d}", start, None, "NORMAL", "", Decimal(1), True, 5, 3),
        ),
        registers=registers,
        quantities=(
            Quantity("KWH_TOTAL", "kWh", "", "", "DELIVERED", use * 2, "REGISTER", "VALIDATED", Decimal(0)),
        ),
        demands=(Demand("KW_MAX", Decimal("4.25"), end - timedelta(hours=n % 700), 15, "BLOCK", 1, None, "VALIDATED"),),
    )  # fmt: skip


def determinants(count: int) -> Iterator[BillDeterminant]:
    """Yield determinants with different ids; everything else repeats after `DIFFERENT`, so that memory stays flat."""
    start, end = datetime(2026, 10, 1, 4, tzinfo=UTC), datetime(2026, 11, 1, 4, tzinfo=UTC)
    return (determinant(n, start, end) for n in range(count))


def rendered(count: int) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield tag and field texts of the records of `count` determinants."""
    layout = billing_drop.layout()
    records = compiled(layout).records
    known = [
        (tag, tuple(render(v) for render, v in zip(records[tag].renders(zone), values, strict=True)))
        for each in determinants(DIFFERENT)
        for tag, values, zone in drop_records.records(layout, each)
    ]
    return islice(cycle(known), count * LINES_EACH)


def write_ours(rows: list[tuple[str, tuple[str, ...]]], path: Path) -> None:
    """Write ready texts by the layout."""
    records = compiled(billing_drop.layout()).records
    with path.open("wb") as stream:
        stream.writelines(chunks((records[tag], texts) for tag, texts in rows))


def write_csv(rows: list[tuple[str, tuple[str, ...]]], path: Path) -> None:
    """Write ready texts by the csv module."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, delimiter="|", lineterminator="\n").writerows((tag, *texts) for tag, texts in rows)


def write_all_ours(path: Path) -> None:
    """Write determinants, rendering and totals included."""
    with path.open("wb") as stream:
        stream.writelines(billing_drop.write(HEADER, determinants(MEASURED)))


def write_all_csv(path: Path) -> None:
    """Write determinants by the csv module, rendered by the same functions."""
    layout = billing_drop.layout()
    records = compiled(layout).records
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, delimiter="|", lineterminator="\n").writerows(
            (tag, *[render(v) for render, v in zip(records[tag].renders(zone), values, strict=True)])
            for each in determinants(MEASURED)
            for tag, values, zone in drop_records.records(layout, each)
        )


def parse_ours(path: Path) -> int:
    """Read a drop with all checks into determinants; return how many."""
    with path.open("rb") as stream:
        return sum(1 for _ in billing_drop.determinants(stream))


def parse_our_rows(path: Path) -> int:
    """Read a drop with all checks into typed values; return the determinants."""
    with path.open("rb") as stream:
        reading = read(billing_drop.layout(), stream, form="delimited")
        repeats_in(stream, reading.compiled, billing_drop.KEYS)
        return sum(1 for _ in reading.groups()) - 1


def parse_csv(path: Path, *, objects: bool) -> int:
    """Read a drop by csv, expressions, Decimal and datetime, with counts, sums and hash; return its determinants."""
    records = billing_drop.layout().records
    fields = {r.tag: [(field_pattern(f, "|").fullmatch, _CONVERT.get(f.kind)) for f in r.fields] for r in records}
    totals = _Totals()
    item: list[tuple[str, int, list[Any]]] = []
    values: list[Any] = []
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.reader(stream, delimiter="|", quoting=csv.QUOTE_NONE):
            values = []
            for (matches, convert), text in zip(fields[row[0]], row[1:], strict=True):
                if matches(text) is None:
                    raise ValueError(text)
                values.append(text if convert is None else convert(text) if text else None)
            totals.add(row[0], values)
            if objects:
                item = _grouped(item, row[0], values)
    stated = ";".join(f"{code}.{unit}={total}" for (code, unit), total in sorted(totals.quantities.items()))
    if values[0] != totals.count or values[-3:] != [stated, totals.registers, totals.digest.hexdigest()]:
        raise ValueError("totals")
    return totals.count


class _Totals:
    """The trailer's totals, added up by hand."""

    def __init__(self) -> None:
        """Start from nothing."""
        self.count = 0
        self.digest = sha256()
        self.registers = Decimal(0)
        self.quantities: dict[tuple[str, str], Decimal] = {}

    def add(self, tag: str, values: list[Any]) -> None:
        """Add one record."""
        if tag == "SVC":
            self.count += 1
            self.digest.update(f"{values[0]}\n".encode())
        elif tag == "REG":
            self.registers += values[14]
        elif tag == "DET":
            key = (values[0], values[1])
            self.quantities[key] = self.quantities.get(key, Decimal(0)) + values[5]


def _grouped(item: list[tuple[str, int, list[Any]]], tag: str, values: list[Any]) -> list[tuple[str, int, list[Any]]]:
    """Return the open item with one more record; a finished one becomes its determinant."""
    if tag in ("SVC", "TRL") and item:
        determinant_of(item[0][2], item[1:], HEADER.zone)
        item = []
    return item if tag in ("HDR", "TRL") else [*item, (tag, 0, values)]


_CONVERT: dict[str, Callable[[str], Any]] = {
    "decimal": Decimal,
    "int": int,
    "bool": "Y".__eq__,
    "instant": datetime.fromisoformat,
    "date": date.fromisoformat,
}


def cpu(work: Callable[[], object]) -> float:
    """Return the CPU seconds of one call."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def ratio(ours: Callable[[], object], theirs: Callable[[], object]) -> float:
    """Return how many times as much CPU theirs takes, the median over rounds."""
    return statistics.median(cpu(theirs) / cpu(ours) for _ in range(ROUNDS))


def peak_mb(job: str, path: Path) -> float:
    """Return the peak memory in MB of a fresh process that does one job on a million lines."""
    command = [sys.executable, "-m", "benchmarks.billing_drop", job, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout)


def run() -> dict[str, dict[str, float]]:
    """Return the figures of both keys."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # First, while this process is small: a child's ru_maxrss starts from its parent's memory.
        write_peak = peak_mb("write", folder / "million")
        parse_peak = peak_mb("parse", folder / "million")
        rows = list(rendered(MEASURED))
        write = ratio(lambda: write_ours(rows, folder / "a"), lambda: write_csv(rows, folder / "b"))
        if (folder / "a").read_bytes() != (folder / "b").read_bytes():
            raise ValueError("both sides must write the same bytes")
        whole = ratio(lambda: write_all_ours(folder / "drop"), lambda: write_all_csv(folder / "b"))
        drop = folder / "drop"
        parse = ratio(lambda: parse_ours(drop), lambda: parse_csv(drop, objects=True))
        typed = ratio(lambda: parse_our_rows(drop), lambda: parse_csv(drop, objects=False))
        uneven = ratio(lambda: parse_ours(drop), lambda: parse_csv(drop, objects=False))
    return {
        "billing_drop_write": {
            "x_csv": round(write, 2),
            "x_csv_rendered": round(whole, 2),
            "peak_mb": round(write_peak, 1),
        },
        "billing_drop_parse": {
            "x_csv_checked": round(parse, 2),
            "x_csv_rows": round(typed, 2),
            "x_csv_rows_to_objects": round(uneven, 2),
            "peak_mb": round(parse_peak, 1),
        },
    }


def job(name: str, path: Path) -> None:
    """Write or read a million lines and print the peak memory in MB."""
    if name == "write":
        with path.open("wb") as stream:
            stream.writelines(billing_drop.write(HEADER, determinants(MILLION)))
    else:
        parse_ours(path)
    sys.stdout.write(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.1f}\n")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        job(sys.argv[1], Path(sys.argv[2]))
    else:
        sys.stdout.write(json.dumps(run()) + "\n")
