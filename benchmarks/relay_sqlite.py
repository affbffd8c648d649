"""The relay on SQLite: deliveries that it leases, carries and records, beside one row updated and committed for each.

The port answers at once, so that what is left is the hub's own cost: leases, attempts, lanes, outcomes, three short
transactions a batch. Each delivery has 1 kB and a lane of its own. The floor is `sqlite3` alone with the same pragmas:
one UPDATE and one COMMIT a row, the least that a relay without batches would do.
"""

import json
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from canonical.messages import Header, Message, Outcome, Parcel
from flows.delivery import DeliveryPolicy, relay_once
from store import deliveries
from store.session import Transaction, open_engine, transactions
from store.tables import METADATA

FEW, MANY = 500, 2_000
NOW = datetime(2026, 3, 1, tzinfo=UTC)
BATCHES = (20, 200)
"""The policy's own size, and one for a carrier that takes many at once."""


class AtOnce:
    """A destination that confirms whatever it is given, at once."""

    def encode(self, message: Message[Any], *, spool: Path) -> Parcel:
        """Refuse: what is measured was encoded before."""
        raise NotImplementedError

    def carry(self, parcels: Sequence[Parcel], *, spool: Path, timeout_s: float) -> Sequence[Outcome]:
        """Return that every parcel is confirmed."""
        return [Outcome("confirmed")] * len(parcels)


def fill(transaction: Transaction, count: int) -> None:
    """Enqueue that many deliveries."""
    for first in range(0, count, 500):
        with transaction() as session:
            for n in range(first, min(first + 500, count)):
                body = f"{n:08d}".encode().ljust(1000, b"x")
                header = Header(f"message-{n}", "hub", "created", "MeterReadings", lane=f"lane-{n}")
                parcel = Parcel(f"part-{n}", "text/plain", sha256(body).hexdigest(), len(body), body, key=f"key-{n}")
                deliveries.enqueue(session, header=header, parcel=parcel, destination="cis", now=NOW)


def relayed(folder: Path, count: int, batch: int) -> tuple[float, float]:
    """Return wall and CPU seconds of carrying that many deliveries."""
    engine = open_engine(f"sqlite:///{folder}/hub-{count}-{batch}.db")
    METADATA.create_all(engine)
    transaction, port = transactions(engine), AtOnce()
    fill(transaction, count)
    policy = DeliveryPolicy(batch=batch, in_flight=10 * batch, timeout_s=2)
    wall, cpu, confirmed = time.monotonic(), time.process_time(), 0
    while confirmed < count:
        report = relay_once(
            {"cis": port}, transaction=transaction, spool=folder, now=NOW, machine_now=NOW, policies={"cis": policy}
        )
        if not report.confirmed:
            raise SystemExit(f"{confirmed} of {count} carried: {report}")
        confirmed += report.confirmed
    taken = time.monotonic() - wall, time.process_time() - cpu
    engine.dispose()
    return taken


def updated(folder: Path, count: int) -> tuple[float, float]:
    """Return wall and CPU seconds of updating and committing that many rows one by one."""
    connection = sqlite3.connect(folder / "floor.db", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("CREATE TABLE delivery (delivery_id TEXT PRIMARY KEY, state TEXT, body BLOB)")
    rows = [(f"part-{n}", "pending", b"x" * 1000) for n in range(count)]
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO delivery VALUES (?, ?, ?)", rows)
    connection.execute("COMMIT")
    wall, cpu = time.monotonic(), time.process_time()
    for identity, _, _ in rows:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE delivery SET state = 'confirmed' WHERE delivery_id = ?", (identity,))
        connection.execute("COMMIT")
    taken = time.monotonic() - wall, time.process_time() - cpu
    connection.close()
    return taken


def run() -> dict[str, dict[str, Any]]:
    """Return the figures of `relay_sqlite`."""
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        floor_wall, floor_cpu = updated(folder, MANY)
        for batch in BATCHES:
            few, many = relayed(folder, FEW, batch), relayed(folder, MANY, batch)
            figures[f"per_s_{batch}"] = round(MANY / many[0])
            figures[f"us_cpu_{batch}"] = round(many[1] / MANY * 1e6)
            figures[f"ratio_to_row_commits_{batch}"] = round(floor_wall / many[0], 2)
            figures[f"growth_{batch}"] = round(many[1] / MANY / (few[1] / FEW), 2)
        figures["row_commits_per_s"] = round(MANY / floor_wall)
        figures["row_commit_us_cpu"] = round(floor_cpu / MANY * 1e6)
    return {"relay_sqlite": figures}


if __name__ == "__main__":
    print(json.dumps(run()))
