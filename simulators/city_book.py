"""The city as a file: usage points, agreements, meters, cycles, troubles; written once, read by every simulator."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, fields
from datetime import date, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Point:
    """One usage point with its agreement."""

    usage_point: str
    """mRID."""

    name: str
    """What the trade calls it (NMI of NEM files): ten characters."""

    commodity: str
    kind: str
    """`REGISTER` or `INTERVAL`."""

    feed: str
    """`SOAP` or `NEM`: how its readings leave the MDMS."""

    stream: str
    """Name of the physical consumption."""

    size: str
    """Size class of the stream."""

    export_stream: str
    """Stream of what flows back into the grid, or empty."""

    account: str
    agreement: str
    customer_class: str
    tariff: str
    cycle: str
    trouble: str
    """What goes wrong with it, or empty; see `simulators.script`."""

    @property
    def interface(self) -> str:
        """The CIS's billing interface: `CISMASS` for registers, `CISINT` for intervals."""
        return "CISMASS" if self.kind == "REGISTER" else "CISINT"


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter at a usage point; instants are ISO text in UTC."""

    usage_point: str
    manufacturer: str
    serial: str
    installed_at: str
    removed_at: str
    """Empty while it hangs."""

    multiplier: int
    dials: int
    start_count: int
    """What its total register showed at `base_at`, in thousandths."""

    base_at: str
    """Instant from which it counts."""


@dataclass(frozen=True, slots=True)
class CycleDay:
    """A bill cycle's date; instants are ISO text in UTC."""

    cycle: str
    business_date: str
    period_start: str
    period_end: str

    @property
    def day(self) -> date:
        """The business date."""
        return date.fromisoformat(self.business_date)

    @property
    def period(self) -> tuple[datetime, datetime]:
        """Start and end of the bill period, in UTC."""
        return datetime.fromisoformat(self.period_start), datetime.fromisoformat(self.period_end)


class CityBook:
    """The city's file, open for reading."""

    def __init__(self, path: Path) -> None:
        """Open an existing city."""
        self._db = sqlite3.connect(path, check_same_thread=False)
        self.facts: dict[str, object] = {k: json.loads(v) for k, v in self._db.execute("SELECT * FROM fact")}

    @property
    def seed(self) -> int:
        """The seed from which all consumption derives."""
        return int(str(self.facts["seed"]))

    def points(self) -> dict[str, Point]:
        """Return all usage points by mRID, in the order of their creation."""
        rows = self._db.execute("SELECT * FROM point ORDER BY rowid")
        return {row[0]: Point(*row) for row in rows}

    def meters(self) -> dict[str, list[Meter]]:
        """Return the meters of every usage point by mRID, oldest first."""
        found: dict[str, list[Meter]] = {}
        for row in self._db.execute("SELECT * FROM meter ORDER BY rowid"):
            found.setdefault(row[0], []).append(Meter(*row))
        return found

    def cycles(self) -> list[CycleDay]:
        """Return the bill-cycle calendar by business date."""
        return [CycleDay(*row) for row in self._db.execute("SELECT * FROM cycle_day ORDER BY business_date")]

    def close(self) -> None:
        """Close the file."""
        self._db.close()


def write_city(
    path: Path,
    *,
    facts: dict[str, object],
    points: Iterable[Point],
    meters: Iterable[Meter],
    cycles: Iterable[CycleDay],
) -> None:
    """Write a city to a new file."""
    db = sqlite3.connect(path)
    with db:
        db.execute("CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT)")
        db.executemany("INSERT INTO fact VALUES (?, ?)", [(k, json.dumps(v)) for k, v in facts.items()])
        for table, kind, rows in (
            ("point", Point, points),
            ("meter", Meter, meters),
            ("cycle_day", CycleDay, cycles),
        ):
            names = [field.name for field in fields(kind)]
            db.execute(f"CREATE TABLE {table} ({', '.join(names)})")
            marks = ", ".join("?" * len(names))
            db.executemany(f"INSERT INTO {table} VALUES ({marks})", _tuples(rows))  # noqa: S608 - names are our own
    db.close()


def _tuples(rows: Iterable[Point] | Iterable[Meter] | Iterable[CycleDay]) -> Iterator[tuple[object, ...]]:
    for row in rows:
        yield astuple(row)
