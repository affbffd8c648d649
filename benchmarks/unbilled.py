"""What one agreement costs the register of unbilled revenue, and whether that grows from 10,000 agreements to 100,000.

A mixed city in PostgreSQL: nine in ten have a bill up to the first of the month and reads since, one in a hundred
never answers, has no meter or is billed but not on a bill; some meters hang where nobody has an agreement. What is
counted is a whole day by `flows.unbilled.run`: entries with quantity, worth, age, reason and evidence, and totals.
"""

import json
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Table, text
from unbilled_world import CODE, ZONE, City, at

from benchmarks.database_cpu import DatabaseCpu
from canonical.ids import meter_mrid
from canonical.metering import MeterReadings, RegisterReading
from canonical.quality import Quality
from flows import unbilled
from flows.unbilled import Average, Policy
from servers.postgres import private_postgres
from store import bulk, readings
from store.session import Transaction, open_engine, transactions
from store.tables import METADATA

SIZES = (10_000, 100_000)
DAY = date(2026, 7, 20)
NOW = at("2026-07-21", 1)
AT_ONCE = 5_000
"""Households that are told in one transaction."""


@dataclass
class Census(City):
    """A city that is told in bulk: rows and reads are gathered, and written together."""

    rows: dict[Table, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    reads: list[MeterReadings] = field(default_factory=list)

    def read(self, serial: str, point: str, when: datetime, value: Decimal, quality: str = "VALIDATED") -> None:
        """Gather a read of a meter."""
        meter = meter_mrid("ACM", serial)
        reading = RegisterReading(point, meter, CODE, when, value, Quality(quality), "", "mdms")
        self.reads.append(MeterReadings(point, meter, (reading,)))

    def _insert(self, table: Table, row: dict[str, Any]) -> None:
        self.rows[table].append(row)

    def tell(self) -> None:
        """Write what was gathered."""
        with self.transaction() as session:
            for table, rows in self.rows.items():
                bulk.insert(session, table, rows)
            readings.keep(session, self.reads, now=self.known_at)
        self.rows.clear()
        self.reads.clear()


def household(city: Census, n: int) -> None:
    """Tell of the nth usage point; what is special about it follows from its number."""
    point, serial, odd = f"UP{n:07d}", f"S{n:07d}", n % 100
    city.point(point)
    if odd != 97:  # there a meter hangs and nobody has an agreement
        city.agreement(f"G{n:07d}", point, "2026-06-01", cycle=f"{n % 21:02d}")
    if odd != 98:  # there an agreement has no meter
        city.meter(serial, point)
    if odd >= 96:
        return
    city.read(serial, point, at("2026-06-01"), Decimal(500))
    if odd == 95:  # it has never answered since
        return
    for day, value in (("2026-07-01", 800), ("2026-07-10", 890), ("2026-07-20", 990)):
        city.read(serial, point, at(day), Decimal(value + odd))
    if odd < 90:
        events = () if odd == 89 else ("BILLED",)
        city.bill(f"R{n}", point, "2026-06-01", "2026-07-01", Decimal(300 + odd), {serial: Decimal(800 + odd)},
                  events=events)  # fmt: skip


def run(sizes: Sequence[int] = SIZES) -> dict[str, dict[str, float]]:
    """Return CPU microseconds of one agreement at each size, and the largest's over the smallest's."""
    each, seconds = {}, {}
    with private_postgres() as url:
        for size in sizes:
            each[size], seconds[size] = _cost(url, size)
            print(f"  {size} agreements: {each[size]:.0f} us each, {seconds[size]:.1f} s", file=sys.stderr, flush=True)
    first, last = sizes[0], sizes[-1]
    figures: dict[str, float] = {f"cpu_us_{size}": round(us) for size, us in each.items()}
    figures |= {f"s_{size}": round(took, 1) for size, took in seconds.items()}
    return {"unbilled": {**figures, "growth": round(each[last] / each[first], 3)}}


def _cost(url: str, size: int) -> tuple[float, float]:
    """Return CPU microseconds of one agreement (this process and the database's), and seconds of the whole day."""
    engine = open_engine(url)
    METADATA.drop_all(engine)
    METADATA.create_all(engine)
    transaction = transactions(engine)
    _found(transaction, size)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    policy = Policy(
        zone=ZONE.key, since=date(2026, 6, 1),
        averages=(Average(commodity="ELECTRICITY", rate=Decimal("0.14"), daily_use=Decimal(20)),),
    )  # fmt: skip
    database = DatabaseCpu(engine)
    started, busy = time.perf_counter(), time.process_time() + database.spent_s()
    counted = unbilled.run(policy, transaction=transaction, now=NOW, day=DAY)
    spent, took = time.process_time() + database.spent_s() - busy, time.perf_counter() - started
    engine.dispose()
    if counted.entries != size:
        raise ValueError(f"{counted.entries} entries of {size} households")
    return 1e6 * spent / size, took


def _found(transaction: Transaction, size: int) -> None:
    """Tell of so many households."""
    city = Census(transaction)
    for begin in range(0, size, AT_ONCE):
        for n in range(begin, min(begin + AT_ONCE, size)):
            household(city, n)
        city.tell()


if __name__ == "__main__":
    chosen = tuple(int(one) for one in sys.argv[1:]) or SIZES
    sys.stdout.write(json.dumps(run(chosen)) + "\n")
