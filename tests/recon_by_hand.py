"""Systems as a test writes them: what they hold, dropped as whole extracts, and a hub that believes something."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from canonical.holdings import Holding, Kind
from canonical.ids import meter_mrid
from canonical.messages import FileFacts, FileIdentity, Item, Rejection
from flows.file_handling import FileContext
from flows.reconciliation.policy import Policy
from flows.reconciliation.run import Ran, run
from flows.reconciliation.snapshot import SnapshotHandler
from flows.reference_rows import configurations_of, rows_of
from store import recon_differences, reference
from store.master_changes import NOBODY, Provenance
from store.session import Transaction

START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
OWNERS = {
    "customer": "cis", "account": "cis", "agreement": "cis", "usage_point": "cis", "bill_cycle_day": "cis",
    "location": "wams", "meter": "wams", "installation": "wams", "topology": "gis", "meter.multiplier": "mdms",
}  # fmt: skip
POLICY = Policy(owners=OWNERS)
METERS = {number: meter_mrid("ACME", str(number)) for number in range(100)}


def day(number: float) -> datetime:
    """Return an instant so many days into the year."""
    return START + timedelta(days=number)


def held(kind: Kind, object_id: str, since: float = 0, until: float | None = None, /, **facts: str) -> Holding:
    """Return one version from one day of the year to another."""
    return Holding(kind, object_id, day(since), day(until) if until is not None else None, facts)


def point(name: str, since: float = 0, until: float | None = None, **facts: str) -> Holding:
    """Return a usage point."""
    given = {"name": f"NMI-{name}", "zone": "UTC", "commodity": "ELECTRICITY", "read_source": "AMI", "route": "R1"}
    return held("usage_point", name, since, until, **{**given, **facts})


def meter(number: int, since: float = 0, until: float | None = None, **facts: str) -> Holding:
    """Return a meter of ACME."""
    given = {"manufacturer": "ACME", "serial": str(number), "commodity": "ELECTRICITY", "multiplier": "1"}
    return held("meter", METERS[number], since, until, **{**given, **facts})


def hung(name: str, number: int, since: float = 1, until: float | None = None) -> Holding:
    """Return a meter of ACME at a usage point."""
    facts = {"usage_point": name, "meter": METERS[number], "manufacturer": "ACME", "serial": str(number)}
    return held("installation", f"{name}/{METERS[number]}", since, until, **facts)


def agreement(name: str, at: str, since: float = 0, until: float | None = None, **facts: str) -> Holding:
    """Return an agreement for a usage point."""
    given = {"account": f"A-{name}", "usage_point": at, "customer_class": "RESIDENTIAL", "tariff": "T1", "cycle": "05"}
    return held("agreement", name, since, until, **{**given, **facts})


def supply(name: str, since: float = 0, until: float | None = None, **facts: str) -> Holding:
    """Return by what a usage point is supplied."""
    return held("topology", name, since, until, **{"transformer": "TX1", "feeder": "F1", **facts})


@dataclass
class World:
    """A hub and the systems around it."""

    transaction: Transaction
    policy: Policy = POLICY
    files: int = 0
    books: dict[str, dict[tuple[str, str], Sequence[Holding]]] = field(default_factory=dict)

    def believes(self, *holdings: Holding, at: datetime = NOW - timedelta(days=1), by: Provenance = NOBODY) -> None:
        """Let the hub's masters hold versions of things, known from `at` on."""
        with self.transaction() as session:
            for holding in holdings:
                meters = configurations_of(session, {holding.facts.get("meter", "")})
                for table, row in rows_of(holding, configurations=meters):
                    reference.record(session, table, [row], now=at, by=by)

    def drops(
        self, system: str, holdings: Iterable[Holding], *, at: datetime = NOW, unread: int = 0, cut: bool = False
    ) -> FileContext:
        """Let a system drop all that it holds; of a cut file the end never comes."""
        self.files += 1
        facts = FileFacts({"watermark": at.isoformat(), "mode": "FULL"}, {}, {}, 0, 0)
        identity = FileIdentity("masters", system.upper(), run_type="FULL", sequence=self.files)
        file = FileContext(f"file-{self.files}", system, f"MX_{self.files}.dat", identity, facts, "0" * 64, at)
        items: list[Item[Any] | Rejection] = [
            Item(line, f"{one.kind} {one.object_id}", one) for line, one in enumerate(holdings, 2)
        ]
        items += [Rejection(900 + number, "7011 BAD_FIELD", "bad", "x") for number in range(unread)]
        handler = SnapshotHandler()
        with self.transaction() as session:
            handler.begin(session, file)
        for start in range(0, len(items), 7):
            with self.transaction() as session:
                handler.handle(session, file, items[start : start + 7], now=at)
        if not cut:
            with self.transaction() as session:
                handler.finish(session, file, now=at)
        return file

    def runs(self, *, now: datetime = NOW, whole: bool = True) -> Ran:
        """Compare everything, or the next portion."""
        return run(self.policy, transaction=self.transaction, now=now, whole=whole)

    def rows(self, *states: str) -> Sequence[Mapping[str, Any]]:
        """Return what differs."""
        with self.transaction() as session:
            return recon_differences.selected(session, states=states or recon_differences.LIVE, limit=5000)

    def named(self, *states: str) -> set[tuple[str, str, str, str]]:
        """Return system, class, object and field of what differs."""
        return {(row["system"], row["klass"], row["object_id"], row["field"]) for row in self.rows(*states)}
