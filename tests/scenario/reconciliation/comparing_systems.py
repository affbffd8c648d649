"""Systems with books of their own around a hub: they are told by its feed, lose, refuse or delay, and drop extracts."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from canonical.holdings import Holding, Kind, Withdrawn
from canonical.messages import FileFacts, FileIdentity, Item, Message, Outcome, Parcel
from flows.delivery import relay_once
from flows.file_handling import FileContext
from flows.master_data_feed import Subscriber, feed
from flows.master_data_sync import Policy as MasterPolicy
from flows.reconciliation import person, repair
from flows.reconciliation.person import Wanted
from flows.reconciliation.policy import Allowed, Policy
from flows.reconciliation.repair import Proposal, Roads
from flows.reconciliation.run import Ran, run
from flows.reconciliation.snapshot import SnapshotHandler
from flows.reference_rows import rows_of
from flows.routing import Routes, Sending
from store import reference
from store.master_changes import NOBODY, Provenance
from store.rows import Row
from store.session import Transaction

START = datetime(2026, 1, 1, tzinfo=UTC)
Thing = tuple[str, str]


@dataclass
class System:
    """One system: its book, and how it treats what it is told."""

    name: str
    book: dict[Thing, list[Holding]] = field(default_factory=dict)
    loses: set[Thing] = field(default_factory=set)
    is_slow: bool = False
    told: list[Thing] = field(default_factory=list)

    def holds(self, *holdings: Holding) -> None:
        """Hold these versions of their things, and no others of them."""
        for thing in {(one.kind, one.object_id) for one in holdings}:
            self.book[thing] = [one for one in holdings if (one.kind, one.object_id) == thing]

    def encode(self, message: Message[Any], *, spool: Path) -> Parcel:
        """Return what it is told as a file."""
        rows = [_row(one) for one in message.payload.holdings]
        body = json.dumps(rows).encode()
        name = message.header.message_id
        return Parcel(name, "text/plain", sha256(body).hexdigest(), len(body), body, key=name, confirm_name=name)

    def carry(self, parcels: Sequence[Parcel], *, spool: Path, timeout_s: float) -> Sequence[Outcome]:
        """Take files into the book; what is slow says nothing yet."""
        if self.is_slow:
            return [Outcome("sent") for _ in parcels]
        for parcel in parcels:
            self._take(json.loads(parcel.body or b"[]"))
        return [Outcome("confirmed") for _ in parcels]

    def _take(self, rows: list[list[Any]]) -> None:
        found: dict[Thing, list[Holding]] = {}
        for kind, object_id, begin, end, facts in rows:
            until = datetime.fromisoformat(end) if end else None
            versions = found.setdefault((kind, object_id), [])
            versions.append(Holding(kind, object_id, datetime.fromisoformat(begin), until, facts))
        for thing, versions in found.items():
            self.told.append(thing)
            if thing not in self.loses:
                self.book[thing] = versions


def _row(one: Holding | Withdrawn) -> list[Any]:
    if isinstance(one, Withdrawn):
        raise TypeError("nothing is withdrawn in these stories")
    end = one.valid_to.isoformat() if one.valid_to is not None else ""
    return [one.kind, one.object_id, one.valid_from.isoformat(), end, dict(one.facts)]


@dataclass
class Site:
    """A hub, its systems and a clock."""

    transaction: Transaction
    systems: dict[str, System]
    owners: dict[str, str]
    allowed: tuple[Allowed, ...]
    now: datetime = START + timedelta(days=60)
    files: int = 0

    def __post_init__(self) -> None:
        """Begin every feed at the end of the log."""
        self.feeds()

    @property
    def policy(self) -> Policy:
        """How the site reconciles."""
        kinds = frozenset(("usage_point", "topology", "location"))
        return Policy(
            owners=self.owners,
            feeds={name: (f"{name}_feed",) for name in self.systems},
            feed_kinds={f"{name}_feed": kinds for name in self.systems},
            repairs=self.allowed,
        )

    @property
    def sending(self) -> Sending:
        """How the hub tells."""
        return Sending(Routes(), self._encode, self.now)

    def _encode(self, role: str, message: Message[Any]) -> Parcel:
        return self.systems[role].encode(message, spool=Path())

    def passes(self, hours: float) -> None:
        """Let time go on."""
        self.now += timedelta(hours=hours)

    def load(self, *holdings: Holding) -> None:
        """Let hub and systems begin with the same."""
        self.believes(*holdings, by=Provenance(is_load=True))
        for system in self.systems.values():
            system.holds(*holdings)

    def believes(self, *holdings: Holding, by: Provenance = NOBODY) -> None:
        """Let the hub's masters hold versions of things."""
        with self.transaction() as session:
            for holding in holdings:
                for table, row in rows_of(holding):
                    reference.record(session, table, [row], now=self.now, by=by)

    def feeds(self) -> None:
        """Tell every system what is news to it, and carry it."""
        subscribers = [
            Subscriber(f"{name}_feed", name, frozenset(("usage_point", "topology")), mode="batch",
                       interval=timedelta(minutes=5))
            for name in self.systems
        ]  # fmt: skip
        feed(subscribers, sending=self.sending, transaction=self.transaction)
        relay_once(self.systems, transaction=self.transaction, spool=Path(), now=self.now, machine_now=self.now)
        feed(subscribers, sending=self.sending, transaction=self.transaction)

    def drops(self) -> None:
        """Let every system drop all that it holds."""
        for system in self.systems.values():
            self._drop(system, [one for versions in system.book.values() for one in versions])

    def _drop(self, system: System, holdings: Iterable[Holding]) -> None:
        self.files += 1
        handler, at = SnapshotHandler(), self.now
        facts = FileFacts({"watermark": at.isoformat(), "mode": "FULL"}, {}, {}, 0, 0)
        identity = FileIdentity("masters", system.name.upper(), run_type="FULL", sequence=self.files)
        name = f"MX_{self.files}.dat"
        file = FileContext(f"file-{self.files}", system.name, name, identity, facts, "0" * 64, at)
        items = [Item(line, one.object_id, one) for line, one in enumerate(holdings, 2)]
        with self.transaction() as session:
            handler.begin(session, file)
            handler.handle(session, file, items, now=at)
            handler.finish(session, file, now=at)

    def compares(self) -> Ran:
        """Let every system drop what it holds, and compare."""
        self.drops()
        return run(self.policy, transaction=self.transaction, now=self.now, whole=True)

    def named(self, *states: str) -> list[Row]:
        """Return what differs."""
        return person.chosen(Wanted(), transaction=self.transaction, states=states or ("open", "repairing", "waived"))

    def repairs(self) -> list[Proposal]:
        """Repair what the site allows, and return what was said of it before and done."""
        proposals = repair.propose(self.named("open"), self.policy)
        rows = [one.difference for one in proposals if one.is_allowed and one.way[0]]
        roads = Roads(self.sending, MasterPolicy())
        return repair.repair(rows, self.policy, roads=roads, transaction=self.transaction, now=self.now)


def held(kind: Kind, object_id: str, since: float = 0, until: float | None = None, /, **facts: str) -> Holding:
    """Return one version from one day of the year to another."""
    end = START + timedelta(days=until) if until is not None else None
    return Holding(kind, object_id, START + timedelta(days=since), end, facts)


def point(name: str, since: float = 0, until: float | None = None, /, **facts: str) -> Holding:
    """Return a usage point."""
    given = {"name": f"NMI-{name}", "zone": "UTC", "commodity": "ELECTRICITY", "read_source": "AMI", "route": "R1"}
    return held("usage_point", name, since, until, **{**given, **facts})


def supply(name: str, since: float = 0, until: float | None = None, /, **facts: str) -> Holding:
    """Return by what a usage point is supplied."""
    return held("topology", name, since, until, **{"transformer": "TX1", "feeder": "F1", **facts})
