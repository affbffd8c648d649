"""How fast many rows reach the store: COPY and merge beside raw COPY, and beside `session.merge`, on PostgreSQL.

As performance.md 3: a 7-column `meter` table with a text key, half of the rows new, half changed; each upsert commits.
The floor is a raw COPY of text rendered beforehand into an empty table with the key.
"""

import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, text
from sqlmodel import Field, Session, SQLModel

from servers.postgres import private_postgres
from store import bulk
from store.session import open_engine, transactions

ROWS, MERGE_ROWS, ROUNDS, BATCH = 100_000, 2_000, 5, 10_000
Row = tuple[str, str, str, str, str, int, str]


class BenchmarkMeter(SQLModel, table=True):
    """The table of performance.md 3."""

    __tablename__ = "benchmark_meter"

    meter_id: str = Field(primary_key=True)
    serial: str
    model: str
    usage_point: str
    status: str
    multiplier: int
    updated: str


def rows(start: int, count: int, *, status: str) -> list[Row]:
    """Return meters whose ids do not come in order."""
    numbers = list(range(start, start + count))
    random.Random(start).shuffle(numbers)
    return [
        (f"M{n:09d}", f"SN{n * 7919 % 10**9:09d}", "AX-200", f"UP{n:09d}", status, 1 + n % 80, "2026-03-02T06:00:00Z")
        for n in numbers
    ]


def run() -> dict[str, dict[str, float]]:
    """Return the medians over the rounds of one run.

    `ratio_to_copy`: rows a second of the upsert over those of raw COPY; `x_session_merge`: over those of
    `session.merge`; `unchanged_ratio_to_copy`: the same upsert again, when every row is there already.
    """
    taken: dict[str, list[float]] = {"copy": [], "upsert": [], "again": [], "merge": []}
    with private_postgres() as url:
        engine = open_engine(url)
        BenchmarkMeter.__table__.create(engine)  # type: ignore[attr-defined]
        known, given = rows(0, ROWS, status="old"), rows(ROWS // 2, ROWS, status="new")
        for _ in range(ROUNDS):
            taken["copy"].append(_copy(engine, given) / ROWS)
            taken["upsert"].append(_upsert(engine, known, given) / ROWS)
            taken["again"].append(_upsert(engine, given, given) / ROWS)
            taken["merge"].append(_session_merge(engine, known, given[:MERGE_ROWS]) / MERGE_ROWS)
        engine.dispose()

    def ratio(above: str, below: str) -> float:
        return round(statistics.median(a / b for a, b in zip(taken[above], taken[below], strict=True)), 3)

    return {
        "store_upsert": {
            "ratio_to_copy": ratio("copy", "upsert"),
            "unchanged_ratio_to_copy": ratio("copy", "again"),
            "x_session_merge": round(ratio("merge", "upsert"), 1),
            "rows_per_s": round(1 / statistics.median(taken["upsert"])),
        }
    }


@contextmanager
def _timed(taken: list[float]) -> Iterator[None]:
    """Add the seconds that the block takes."""
    start = time.perf_counter()
    yield
    taken.append(time.perf_counter() - start)


def _fill(engine: Engine, known: list[Row]) -> None:
    """Leave exactly the known rows in the table, settled."""
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE benchmark_meter"))
    if known:
        with transactions(engine)() as session:
            bulk.insert(session, BenchmarkMeter, known)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE benchmark_meter"))
        connection.execute(text("CHECKPOINT"))


def _copy(engine: Engine, given: list[Row]) -> float:
    """Return the seconds of the floor."""
    _fill(engine, [])
    blocks = ["".join("\t".join(map(str, row)) + "\n" for row in given[at : at + BATCH]) for at in _batches(given)]
    taken: list[float] = []
    with _timed(taken):
        for block in blocks:
            with transactions(engine)() as session:
                cursor: Any = session.connection().connection.cursor()
                with cursor.copy("COPY benchmark_meter FROM STDIN") as copy:
                    copy.write(block)
    return taken[0]


def _upsert(engine: Engine, known: list[Row], given: list[Row]) -> float:
    """Return the seconds of our upsert."""

    def write(session: Session, batch: list[Row]) -> None:
        bulk.upsert(session, BenchmarkMeter, batch, key=("meter_id",))

    return _committed(engine, known, given, write)


def _session_merge(engine: Engine, known: list[Row], given: list[Row]) -> float:
    """Return the seconds of the ORM's own way."""

    def write(session: Session, batch: list[Row]) -> None:
        for row in batch:
            values: dict[str, Any] = dict(zip(BenchmarkMeter.model_fields, row, strict=True))
            session.merge(BenchmarkMeter(**values))

    return _committed(engine, known, given, write)


def _committed(
    engine: Engine, known: list[Row], given: list[Row], write: Callable[[Session, list[Row]], None]
) -> float:
    """Return the seconds that it takes to write what is given, one commit a batch."""
    _fill(engine, known)
    taken: list[float] = []
    with _timed(taken):
        for at in _batches(given):
            with transactions(engine)() as session:
                write(session, given[at : at + BATCH])
    return taken[0]


def _batches(given: list[Row]) -> range:
    """Return where each batch starts."""
    return range(0, len(given), BATCH)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run()) + "\n")
