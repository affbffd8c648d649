"""How long it takes to compare what two systems hold of a million objects, on PostgreSQL, and in how much memory.

One system is the hub, the other wrote an extract: 100,000 usage points, 300,000 meters, installations and agreements
each. First both are equal, then one in a hundred of the other's objects differs.
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice

from sqlalchemy import Engine, text

from canonical.holdings import Holding, Kind
from canonical.messages import FileFacts, FileIdentity, Item
from flows.file_handling import FileContext
from flows.reconciliation import merging
from flows.reconciliation.policy import HUB, Policy
from flows.reconciliation.run import run as reconcile
from flows.reconciliation.snapshot import SnapshotHandler
from servers.postgres import private_postgres
from store import recon_digests
from store.session import Transaction, open_engine, transactions
from store.tables import METADATA

OBJECTS = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 1_000_000
SINCE = datetime(2024, 5, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
KINDS: Mapping[Kind, int] = {"usage_point": 1, "meter": 3, "installation": 3, "agreement": 3}
"""Tenths of the objects that are of a kind."""


def run() -> dict[str, dict[str, float]]:
    """Return seconds and megabytes.

    `s_1m`: both extracts taken in from holdings, brought in force and compared, one in a hundred objects differing;
    `s_1m_equal`: comparing equal holdings by the digests that were kept when they came in; `s_1m_equal_cold`: the same
    with all digests made anew; `peak_mb`: of the process that does it all.
    """
    with private_postgres() as url:
        engine = open_engine(url)
        METADATA.create_all(engine)
        figures = measured(engine, transactions(engine))
        engine.dispose()
    return {"reconcile": figures}


def measured(engine: Engine, transaction: Transaction) -> dict[str, float]:
    """Return the figures of one run on an empty database."""
    policy = Policy()
    took: dict[str, float] = {}
    took["take"] = timed(lambda: take(HUB, 1, transaction)) + timed(lambda: take("mdms", 2, transaction))
    settle(engine)
    took["merge"] = timed(lambda: merging.merge_all(policy, transaction=transaction, now=NOW))
    settle(engine)
    took["equal"] = timed(lambda: compare(policy, transaction, NOW, 0))
    with transaction() as session:
        recon_digests.drop_other(session, [])
    took["cold"] = timed(lambda: compare(policy, transaction, NOW + timedelta(hours=1), 0))
    took["take"] += timed(lambda: take("mdms", 3, transaction, wrong=100))
    settle(engine)
    later = NOW + timedelta(hours=4)
    took["differ"] = timed(lambda: compare(policy, transaction, later, OBJECTS // 100))
    return {
        "s_1m": round(took["take"] + took["merge"] + took["differ"], 1),
        "s_1m_equal": round(took["equal"], 2),
        "s_1m_equal_cold": round(took["cold"], 1),
        "s_take": round(took["take"], 1),
        "s_merge": round(took["merge"], 1),
        "s_differ": round(took["differ"], 1),
        "objects": OBJECTS,
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def compare(policy: Policy, transaction: Transaction, now: datetime, expected: int) -> None:
    """Compare everything.

    Raises:
        SystemExit: not as many differences are found as there are.
    """
    found = reconcile(policy, transaction=transaction, now=now, whole=True).found
    if found != expected:
        raise SystemExit(f"{found} differences found, {expected} are there")


def take(system: str, number: int, transaction: Transaction, *, wrong: int = 0) -> None:
    """Take in an extract; of every `wrong` objects one differs."""
    handler = SnapshotHandler()
    at = NOW + timedelta(hours=number)
    facts = FileFacts({"watermark": at.isoformat(), "mode": "FULL"}, {}, {}, 0, 0)
    identity = FileIdentity("masters", system.upper(), run_type="FULL", sequence=number)
    file = FileContext(f"file-{number}", system, f"MX_{number}.dat", identity, facts, "0" * 64, at)
    with transaction() as session:
        handler.begin(session, file)
    items = holdings(wrong)
    while batch := [Item(0, one.object_id, one) for one in islice(items, 5000)]:
        with transaction() as session:
            handler.handle(session, file, batch, now=at)
    with transaction() as session:
        handler.finish(session, file, now=at)


def holdings(wrong: int) -> Iterator[Holding]:
    """Yield what a system holds."""
    for kind, tenths in KINDS.items():
        for number in range(OBJECTS * tenths // 10):
            is_wrong = wrong and number % wrong == 0
            yield Holding(
                kind, f"{kind[:2]}-{number:036d}", SINCE, None, facts_of(kind, number, "X" if is_wrong else "")
            )


def facts_of(kind: Kind, number: int, mark: str) -> dict[str, str]:
    """Return what is held of one object."""
    match kind:
        case "usage_point":
            return {"name": f"QB{number:08d}", "zone": "America/Toronto", "commodity": "ELECTRICITY",
                    "read_source": "AMI", "route": f"R{number % 400}{mark}"}  # fmt: skip
        case "meter":
            return {"manufacturer": "NORTHMETER", "serial": f"NM{number:08d}", "commodity": "ELECTRICITY",
                    "multiplier": "40" if mark else "1", "registers": '[["1","0.0.0.1","kWh"]]'}  # fmt: skip
        case "installation":
            return {"usage_point": f"us-{number:036d}", "meter": f"me-{number:036d}{mark}", "serial": f"NM{number:08d}"}
        case _:
            return {"account": f"A{number:08d}", "usage_point": f"us-{number:036d}", "customer_class": "RESIDENTIAL",
                    "tariff": f"T1{mark}", "cycle": f"{number % 21:02d}"}  # fmt: skip


def settle(engine: Engine) -> None:
    """Let the database know how large its tables are, as it would by itself."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run()) + "\n")
