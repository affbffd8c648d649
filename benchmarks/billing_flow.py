"""What one account of a billing night costs the flow and its store in CPU, for 5,000 and for 50,000 accounts.

A mixed city: 92 % register accounts (four registers and a demand, read at both ends), 8 % interval accounts (30
minutes, 31 days), 1 % exchanges, 2 % without a stop read. The whole pass is the product's: request and reference files
taken in from a folder, the MDMS asked, determinants calculated, checked and kept, parts written, carried, acknowledged,
bills taken back. What the MDMS spends on making its answers is measured apart and taken off.
"""

import json
import sys
import tempfile
import time
from array import array
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from billing_world import BookMdms, FolderCis, Night

from canonical.billing import BilledRow, BillingRequestItem
from canonical.customers import CustomerAgreement
from canonical.ids import meter_mrid
from canonical.metering import Installation, IntervalBlock, MeterReadings, Register, RegisterReading, UsagePoint
from canonical.periods import Period, expected_intervals
from canonical.quality import Quality
from canonical.reading_types import demand_code, interval_code, register_code
from flows.billing_exchange import Interface
from flows.billing_exchange.policy import Policy
from store.session import open_engine, transactions
from store.tables import METADATA

ZONE = ZoneInfo("America/Toronto")
DAY = date(2026, 8, 1)
JULY = Period(datetime(2026, 7, 1, tzinfo=ZONE), datetime(2026, 8, 1, tzinfo=ZONE))
SWAP = datetime(2026, 7, 15, 10, tzinfo=ZONE)
NOW = datetime(2026, 8, 1, 6, tzinfo=ZONE).astimezone(UTC)
SINCE = datetime(2025, 1, 1, tzinfo=UTC)
TIERS = (("T", 0, ""), ("T1", 1, "ON"), ("T2", 2, "MID"), ("T3", 3, "OFF"))
SMALL, LARGE = 5_000, 50_000


class MeasuredMdms(BookMdms):
    """An MDMS whose own time is kept apart from the hub's."""

    spent_s = 0.0

    def readings(self, questions: Sequence[Any], *, timeout_s: float) -> Iterator[MeterReadings]:
        """Yield what the meters of the questions say."""
        started = time.process_time()
        found = [one for question in questions for one in readings_of(question.usage_point)]
        self.spent_s += time.process_time() - started
        yield from found


def number_of(usage_point: str) -> int:
    """Return the number of an account from the name of its usage point."""
    return int(usage_point[2:])


def meters_of(n: int) -> list[tuple[str, datetime, datetime | None]]:
    """Return serial, installation and removal of each meter of an account."""
    if n % 100 == 50:
        return [(f"A{n}", SINCE, SWAP), (f"B{n}", SWAP, None)]
    return [(f"A{n}", SINCE, None)]


def is_interval(n: int) -> bool:
    """Return whether an account has an interval meter."""
    return n % 100 < 8


def readings_of(up: str) -> list[MeterReadings]:
    """Return what the MDMS holds of one usage point."""
    n = number_of(up)
    found = []
    for serial, installed, removed in meters_of(n):
        meter = meter_mrid("ACM", serial)
        if is_interval(n):
            count = expected_intervals(JULY, 30)
            values = array("q", [200 + (n + k) % 300 for k in range(count)])
            runs = ((count, Quality.VALIDATED, ""),)
            block = IntervalBlock(up, meter, interval_code(30), JULY.start, 30, -3, values, runs, "mdms")
            found.append(MeterReadings(up, meter, blocks=(block,)))
            continue
        start, stop = max(JULY.start, installed), min(JULY.end, removed or JULY.end)
        missing = n % 50 == 49
        registers = []
        for _, tier, _ in TIERS:
            code = register_code("ELECTRICITY", tou=tier)
            step = 300 if tier == 0 else 100
            for at, value in ((start, 1000), (stop, 1000 + step)):
                if not (missing and at == JULY.end):
                    registers.append(
                        RegisterReading(up, meter, code, at, Decimal(value), Quality.VALIDATED, "", "mdms")
                    )
        peak = RegisterReading(
            up, meter, demand_code(), start + timedelta(days=3), Decimal("4.5"), Quality.VALIDATED, "", "mdms", JULY
        )
        found.append(MeterReadings(up, meter, (*registers, peak)))
    return found


def masters(n: int) -> list[Any]:
    """Return the reference data of one account."""
    up = f"UP{n:07d}"
    if is_interval(n):
        registers: tuple[Register, ...] = (Register("E1", interval_code(30), "kWh", "DELIVERED", 0, 3, "", 30),)
    else:
        tiers = (
            Register(name, register_code("ELECTRICITY", tou=tier), "kWh", "DELIVERED", 5, 0, bucket)
            for name, tier, bucket in TIERS
        )
        registers = (*tiers, Register("D", demand_code(), "kW", "DELIVERED", 3, 1, is_demand=True))
    return [
        UsagePoint(up, f"NMI{n:07d}", ZONE.key, "ELECTRICITY", "AMI", SINCE),
        CustomerAgreement(f"G{n}", f"A{n}", up, "RESIDENTIAL", "R1", "07", "", False, SINCE, None),
        *(
            Installation(up, meter_mrid("ACM", s), "ACM", s, "ELECTRICITY", on, off, Decimal(1), registers)
            for s, on, off in meters_of(n)
        ),
    ]


def night(accounts: int, folder: Path) -> Mapping[str, float]:
    """Run one billing night and return CPU and wall seconds, the partners' CPU taken off."""
    engine = open_engine(f"sqlite:///{folder}/hub.db")
    METADATA.create_all(engine)
    policy = Policy(interface="mass", partner="CISMASS", inboxes=("cis",), zone=ZONE.key, determinants="hub")
    interface = Interface("mass", policy, "AMIHUB", "TEST", roles=frozenset({"cis", "mdms"}))
    mdms = MeasuredMdms(dict)
    this = Night(interface, FolderCis(folder / "cis"), mdms, transactions(engine), folder / "spool")
    this.reference([thing for n in range(accounts) for thing in masters(n)], day=DAY)
    this.pass_at(NOW - timedelta(hours=5))
    this.requests(
        [BillingRequestItem(f"R{n}", "CYCLE", "ELECTRICITY", JULY, usage_point=f"UP{n:07d}") for n in range(accounts)],
        day=DAY,
    )
    cpu, wall = time.process_time(), time.monotonic()
    this.pass_at(NOW)
    for hours in (0.25, 1.25, 4.25, 10.75):
        this.pass_at(NOW + timedelta(hours=hours))
    cpu, wall = time.process_time() - cpu, time.monotonic() - wall
    loading = time.process_time()
    rows = []
    for name, part in this.parts().items():
        this.acknowledge(name)
        rows += [_bill(d) for d in part.determinants if d.quantities]
    loading = time.process_time() - loading
    again, again_wall = time.process_time(), time.monotonic()
    this.pass_at(NOW + timedelta(hours=11))
    this.bill(rows, day=DAY)
    this.pass_at(NOW + timedelta(hours=12))
    cpu += time.process_time() - again - mdms.spent_s
    wall += time.monotonic() - again_wall
    verdict = this.pass_at(NOW + timedelta(hours=13))
    if not verdict.ok or verdict.unanswered or len(rows) < accounts * 0.97:
        raise SystemExit(f"the night did not end well: {verdict}, {len(rows)} of {accounts} billed")
    engine.dispose()
    return {"cpu_s": round(cpu, 2), "wall_s": round(wall, 1), "ms": cpu / accounts * 1000}


def _bill(determinant: Any) -> BilledRow:
    """Return the bill of one determinant."""
    total = next(q.quantity for q in determinant.quantities if q.code == "KWH_TOTAL")
    return BilledRow(
        determinant.determinant_id, determinant.version, f"B{determinant.request_id}", determinant.period, total,
        "BILLED", NOW + timedelta(hours=12), unit="kWh",
    )  # fmt: skip


def run(small: int = SMALL, large: int = LARGE) -> dict[str, dict[str, float]]:
    """Return CPU seconds at both sizes and the growth of the cost of one account."""
    found = {}
    for accounts in (small, large):
        with tempfile.TemporaryDirectory() as folder:
            found[accounts] = night(accounts, Path(folder))
        print(f"{accounts} accounts: {found[accounts]}", file=sys.stderr)
    return {
        "billing_flow": {
            f"ms_per_account_{small}": round(found[small]["ms"], 3),
            f"ms_per_account_{large}": round(found[large]["ms"], 3),
            "growth": round(found[large]["ms"] / found[small]["ms"], 3),
        }
    }


if __name__ == "__main__":
    sizes = [int(word) for word in sys.argv[1:]] or [SMALL, LARGE]
    print(json.dumps(run(*sizes)))
