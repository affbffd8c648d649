"""How fast a first-time load brings whole files of masters into PostgreSQL, and whether its cost per object grows.

One file of layout `masters/1` with customers, accounts, premises, usage points, meters of two registers, installations,
agreements and topology, an eighth of each; the whole road: examined, read, loaded in chunks with checkpoints, verdicts
kept, acknowledged, the run closed. One process and the database's, on two cores.
"""

import hashlib
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from benchmarks.database_cpu import DatabaseCpu
from canonical.holdings import Holding, Kind, registers_text
from canonical.ids import meter_mrid
from canonical.messages import FetchedFile, FileFacts, FileIdentity, Item, Message, OfferedFile, Parcel, Rejection
from canonical.metering import Register
from flows import master_load
from flows.file_handling import IntakePolicy
from flows.file_intake import take_in
from flows.master_data_sync import Policy
from flows.master_load import Ending, LoadHandler, LoadPolicy
from flows.routing import Routes, Sending
from servers.postgres import private_postgres
from sftp.formats import masters
from store.session import Transaction, open_engine, transactions
from store.tables import METADATA

SIZES = (10_000, 100_000, 1_000_000)
CHUNK = 5_000
NOW = datetime(2026, 11, 2, 6, tzinfo=UTC)
BEGIN = datetime(2025, 11, 1, tzinfo=UTC)
NAME = "MX_CIS_AMIHUB_TEST_FULL_20261102_{:06}_r0.dat"
REGISTERS = registers_text(
    [
        Register("T1", "0.0.0.4.1.1.12.0.0.0.0.1.0.0.0.3.72.0", "kWh", "DELIVERED", 6, 0, "ON"),
        Register("T2", "0.0.0.4.1.1.12.0.0.0.0.2.0.0.0.3.72.0", "kWh", "DELIVERED", 6, 0, "OFF"),
    ]
)


def holdings(objects: int) -> Iterator[Holding]:
    """Yield so many things in the order of a FULL file."""
    kinds: tuple[Kind, ...] = (
        *("customer", "account", "location", "usage_point"),
        *("meter", "installation", "agreement", "topology"),
    )
    for kind in kinds:
        for n in range(objects // len(kinds)):
            yield _holding(kind, n)


def _holding(kind: Kind, n: int) -> Holding:
    """Return one thing of the nth household."""
    point, serial = f"UP{n:08d}", f"{n * 7919 % 10**8:08d}X"
    meter = meter_mrid("ACME", serial)
    facts: dict[str, dict[str, str]] = {
        "customer": {"kind": "residential", "name": f"Name {n}", "telephone": "555 0100", "special_need": ""},
        "account": {"customer": f"C{n:08d}", "cycle": f"{n % 21:02d}"},
        "location": {
            "street": "Main Street", "number": str(n % 999), "suite": "", "town": "Town", "region": "North",
            "postal_code": "12345", "country": "Land", "access_method": "door", "needs_inspection": "false",
        },
        "usage_point": {
            "name": f"NMI{n:08d}", "zone": "America/Toronto", "commodity": "ELECTRICITY", "read_source": "AMI",
            "district": f"D{n % 50}", "route": f"R{n % 400}", "location": f"L{n:08d}",
        },
        "meter": {
            "manufacturer": "ACME", "serial": serial, "commodity": "ELECTRICITY", "multiplier": "1",
            "registers": REGISTERS, "model": "AX-200", "firmware": "7.2", "status": "Active",
        },
        "installation": {"usage_point": point, "meter": meter, "manufacturer": "ACME", "serial": serial},
        "agreement": {
            "account": f"A{n:08d}", "usage_point": point, "customer_class": "RESIDENTIAL", "tariff": "TOU",
            "cycle": f"{n % 21:02d}", "tou_calendar": "CAL", "net_metering": "false",
        },
        "topology": {"transformer": f"T{n // 12}", "feeder": f"F{n // 600}"},
    }  # fmt: skip
    names = {"customer": f"C{n:08d}", "account": f"A{n:08d}", "location": f"L{n:08d}", "agreement": f"G{n:08d}"}
    name = {"meter": meter, "installation": f"{point}/{meter}", **names}.get(kind, point)
    return Holding(kind, name, BEGIN + timedelta(hours=n % 999), None, facts[kind])


class FolderPort:
    """A partner whose server is a folder."""

    def __init__(self, folder: Path) -> None:
        """Keep the folder."""
        self._folder = folder

    def offered(self) -> Sequence[OfferedFile]:
        """Return the files of the folder."""
        return [OfferedFile(path.name, path.stat().st_size, 0.0, True) for path in sorted(self._folder.glob("*.dat"))]

    def fetch(self, files: Sequence[OfferedFile], into: Path) -> Iterator[FetchedFile]:
        """Move files into the spool."""
        into.mkdir(parents=True, exist_ok=True)
        for file in files:
            path = (self._folder / file.name).replace(into / file.name)
            with path.open("rb") as stream:
                yield FetchedFile(file, path, hashlib.file_digest(stream, "sha256").hexdigest(), None)

    def retire(self, files: Sequence[OfferedFile], *, accepted: bool) -> None:
        """Nothing is left to move."""

    def identify(self, name: str) -> FileIdentity:
        """Return what a name says."""
        return masters.identify(name)

    def examine(self, stream: BinaryIO, *, identity: FileIdentity, where: str) -> FileFacts:
        """Read a file whole."""
        return masters.examine(stream, where=where)

    def items(self, stream: BinaryIO, *, identity: FileIdentity, where: str) -> Iterator[Item[Any] | Rejection]:
        """Yield what it holds."""
        return masters.items(stream, where=where)

    def encode(self, message: Message[Any], *, spool: Path) -> Parcel:
        """Return an acknowledgement."""
        body = repr(message.payload.verdict).encode()
        return Parcel("ack", "text/plain", hashlib.sha256(body).hexdigest(), len(body), body, key="ack")

    def carry(self, parcels: Sequence[Parcel], *, spool: Path, timeout_s: float) -> Sequence[Any]:
        """Nothing is carried."""
        return ()


@dataclass(frozen=True, slots=True)
class Cost:
    """What one load took."""

    wall_s: float
    cpu_s: float
    """Of this process and the database's together."""

    peak_mb: float
    """Most memory that this process has had so far."""


def run(sizes: Sequence[int] = SIZES) -> dict[str, dict[str, float]]:
    """Return objects a second of the largest load, and its CPU per object over that of the smallest."""
    costs = {}
    with private_postgres() as url, tempfile.TemporaryDirectory() as folder:
        for number, size in enumerate(sizes):
            costs[size] = _load(url, Path(folder), number, size)
            print(f"  {size} objects: {costs[size]}", file=sys.stderr, flush=True)
    first, last = sizes[0], sizes[-1]
    each = {size: 1e6 * cost.cpu_s / size for size, cost in costs.items()}
    figures: dict[str, float] = {f"cpu_us_{size}": round(us) for size, us in each.items()}
    figures |= {f"objects_per_s_{size}": round(size / cost.wall_s) for size, cost in costs.items()}
    figures |= {"objects_per_s": round(last / costs[last].wall_s), "growth": round(each[last] / each[first], 3)}
    return {"master_load": {**figures, "peak_mb": round(costs[last].peak_mb)}}


def _load(url: str, folder: Path, number: int, size: int) -> Cost:
    """Return what a load of so many objects takes, into a database with nothing in it."""
    outbox = folder / f"outbox{number}"
    outbox.mkdir()
    _write(outbox / NAME.format(number + 1), size)
    engine = open_engine(url)
    METADATA.drop_all(engine)
    METADATA.create_all(engine)
    transaction = transactions(engine)
    database = DatabaseCpu(engine)
    started, busy = time.perf_counter(), time.process_time() + database.spent_s()
    state = _run(transaction, FolderPort(outbox), folder / "spool")
    cost = Cost(
        time.perf_counter() - started,
        time.process_time() + database.spent_s() - busy,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )
    counts = master_load.report("", transaction=transaction).counts
    applied = sum(own.get("APPLIED", 0) for own in counts.values())
    engine.dispose()
    if state != "done" or applied != size // 8 * 8:
        raise ValueError(f"the load is {state}, {applied} of {size} applied: {counts}")
    return cost


def _run(transaction: Transaction, port: FolderPort, spool: Path) -> str:
    """Play a whole load and return its end state."""
    policy = LoadPolicy(history="full")
    master_load.start(["cis"], policy=policy, person="bench", transaction=transaction, now=NOW)
    handler = LoadHandler(policy, lambda: datetime.now(UTC))
    intake = IntakePolicy(batch_size=CHUNK, receiver="AMIHUB", env="TEST")
    take_in(
        "cis", port, handlers={"masters": handler}, transaction=transaction, spool=spool, now=NOW, machine_now=NOW,
        policy=intake,
    )  # fmt: skip
    ending = Ending(policy, Policy(), Sending(Routes((), ()), _nobody, NOW), {}, {})
    return master_load.advance(ending, transaction=transaction)


def _nobody(role: str, message: Message[Any]) -> Parcel:
    raise ValueError(f"nobody is told of a load: {role}")


def _write(path: Path, size: int) -> None:
    """Write the file that is loaded."""
    header = {
        "file_id": path.stem, "sender": "CIS", "receiver": "AMIHUB", "env": "TEST", "created": NOW,
        "business_date": NOW.date(), "zone": "UTC", "sequence": 1, "mode": "FULL", "watermark": NOW,
    }  # fmt: skip
    with path.open("wb") as stream:
        for part in masters.write(header, holdings(size)):
            stream.write(part)


if __name__ == "__main__":
    chosen = tuple(int(one) for one in sys.argv[1:]) or SIZES
    sys.stdout.write(json.dumps(run(chosen)) + "\n")
