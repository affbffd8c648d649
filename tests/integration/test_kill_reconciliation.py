"""Killed anywhere while systems are compared and repaired, and run again: the same differences, each told once."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from kill_harness import Boundaries, Place, survive_every_kill
from masters_folder import MastersFolder, masters_file
from sqlmodel import select

from canonical.billing import FileAcknowledgement
from canonical.holdings import Holding
from canonical.messages import Message, Outcome, Parcel
from flows.delivery import relay_once
from flows.file_intake import take_in
from flows.master_data_feed import Subscriber, feed
from flows.master_data_sync import Policy as MasterPolicy
from flows.reconciliation import person, repair
from flows.reconciliation.person import Wanted
from flows.reconciliation.policy import Allowed, Policy
from flows.reconciliation.repair import Roads
from flows.reconciliation.run import run
from flows.reconciliation.snapshot import SnapshotHandler
from flows.reference_rows import rows_of
from flows.routing import Routes, Sending
from store import reference
from store.deliveries import Delivery
from store.files import IntakeFile
from store.master_changes import Provenance
from store.master_statements import MasterStatement
from store.master_subscribers import MasterTold
from store.recon_differences import ReconAct, ReconDifference
from store.recon_holdings import ReconHolding, ReconStaged
from store.recon_runs import ReconRun
from store.recon_snapshots import ReconSnapshot
from store.reference import UsagePointRow
from store.session import Session, Transaction, open_engine, transactions
from store.work import WorkItemRow

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

NOW = datetime(2026, 11, 2, 6, tzinfo=UTC)
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
MAPS = Subscriber("maps", "maps", frozenset({"topology"}), mode="batch", interval=timedelta(hours=1))
POLICY = Policy(
    owners={"usage_point": "cis"}, feeds={"maps": ("maps",)}, feed_kinds={"maps": frozenset({"topology"})},
    reached=frozenset({"mdms"}), portion=512, repairs=(Allowed(),),
)  # fmt: skip
SYSTEMS = ("cis", "mdms", "maps")
ROUNDS = 2
SHARES = 10
"""Tests among which the boundaries are shared out."""


class Book(MastersFolder):
    """A system that drops what it holds: at first something wrong, later what it was told to hold."""

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(folder / name)
        self.name, self.inbox = name, self.folder / "inbox"

    def encode(self, message: Message[Any], *, spool: Path) -> Parcel:
        if isinstance(message.payload, FileAcknowledgement):
            return super().encode(message, spool=spool)
        said = getattr(message.payload, "holdings", message.payload)
        body = f"{message.header.message_id} {message.header.verb} {said!r}".encode()
        name = message.header.message_id
        return Parcel(name, "text/plain", hashlib.sha256(body).hexdigest(), len(body), body, key=name)

    def carry(self, parcels: Sequence[Parcel], *, spool: Path, timeout_s: float) -> Sequence[Outcome]:
        for parcel in parcels:
            # Answers to extracts are for the mailbox, not for the book.
            folder = self.folder / "answers" if parcel.name.endswith(".ack") else self.inbox
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / parcel.key
            assert not path.exists() or path.read_bytes() == parcel.body, "one id says two things"
            path.write_bytes(parcel.body or b"")
        return [Outcome("confirmed") for _ in parcels]

    def drop(self, number: int, at: datetime) -> None:
        """Offer the extract of a day, once."""
        file = masters_file(self._lines(), sender=self.name.upper(), watermark=at.isoformat(), sequence=number)
        if file[0] not in {path.name for path in self.folder.rglob("MX_*")}:
            self.offer(file)

    def _lines(self) -> list[str]:
        told = b"".join(path.read_bytes() for path in self.inbox.glob("*")) if self.inbox.exists() else b""
        if self.name == "maps":
            return [_supply("U1", "F1" if b"'U1'" in told else "F9")]
        if self.name == "cis":
            return [_point("U1", "1"), _point("U2", "2"), _point("U3", "1")]
        lines = [_point("U1", "1" if b"'U1'" in told else "9"), _point("U2", "2")]
        return [*lines, _point("U3", "1")] if b"'U3'" in told else lines


def _point(name: str, route: str) -> str:
    return f"UPT|{name}|NMI-{name}|UTC|ELECTRICITY|AMI|N|{route}||{SINCE.isoformat()}|"


def _supply(name: str, feeder: str) -> str:
    return f"TOP|{name}|T1|{feeder}|{SINCE.isoformat()}|"


class Reconciling:
    """Round after round: the MDMS is told by messages, the maps by their feed, the hub takes its own from the CIS."""

    def prepare(self, place: Place) -> None:
        """The hub believes something, of which it told nobody."""
        engine = open_engine(place.url)
        transaction = transactions(engine)
        facts = {"zone": "UTC", "commodity": "ELECTRICITY", "read_source": "AMI", "district": "N", "route": "1"}
        held = [Holding("usage_point", one, SINCE, None, {"name": f"NMI-{one}", **facts}) for one in ("U1", "U2", "U3")]
        held.append(Holding("topology", "U1", SINCE, None, {"transformer": "T1", "feeder": "F1"}))
        with transaction() as session:
            for one in held:
                for table, row in rows_of(one):
                    by = Provenance(is_load=True)
                    reference.record(session, table, [row], now=NOW - timedelta(days=1), by=by)
        feed([MAPS], sending=_sending({}, place, NOW - timedelta(days=1)), transaction=transaction)
        engine.dispose()

    def run(self, place: Place, boundaries: Boundaries, start: int) -> None:
        engine = open_engine(place.url)
        transaction = boundaries.transaction(transactions(engine))
        books = {name: Book(place.folder, name) for name in SYSTEMS}
        ports = {name: boundaries.port(book) for name, book in books.items()}
        clock = place.folder / "clock"
        done = int(clock.read_text()) if clock.exists() else 0
        with boundaries.renames():
            for number in range(done, ROUNDS * len(TURNS)):
                # Time never goes back, and a round that has ended is not gone again because a later turn was cut.
                clock.write_text(str(number))
                turn, now = TURNS[number % len(TURNS)], NOW + timedelta(hours=12 * (number // len(TURNS)))
                for book in books.values():
                    book.drop(number // len(TURNS) + 1, now)
                turn(place, ports, transaction, now, now + timedelta(days=1 + start))
        engine.dispose()

    def observe(self, place: Place) -> Any:
        engine = open_engine(place.url)
        with transactions(engine)() as session:
            seen = {str(one.__tablename__): rows(session, one) for one in KEPT}
            work = sorted((row.code, row.key, row.state) for row in session.exec(select(WorkItemRow)).all())
            rounds = sorted({(str(one.started_at), one.state) for one in session.exec(select(ReconRun)).all()})
        engine.dispose()
        told = {name: sorted(path.name for path in (place.folder / name / "inbox").glob("*")) for name in SYSTEMS}
        return seen | {"work": work, "rounds": [list(one) for one in rounds], "told": told}


KEPT = (
    Delivery, IntakeFile, MasterStatement, MasterTold, ReconAct, ReconDifference, ReconHolding, ReconSnapshot,
    ReconStaged, UsagePointRow,
)  # fmt: skip


def compare(place: Place, ports: dict[str, Any], transaction: Transaction, now: datetime, machine: datetime) -> None:
    """Take extracts in, and compare to the end of a round in portions."""
    for name in SYSTEMS:
        take_in(
            name, ports[name], handlers={"masters": SnapshotHandler()}, transaction=transaction,
            spool=place.folder / "spool", now=now, machine_now=machine,
        )  # fmt: skip
    while not run(POLICY, transaction=transaction, now=now).is_round:
        pass


def mend(place: Place, ports: dict[str, Any], transaction: Transaction, now: datetime, machine: datetime) -> None:
    """Repair what is allowed."""
    proposals = repair.propose(person.chosen(Wanted(), transaction=transaction), POLICY)
    chosen = [one.difference for one in proposals if one.is_allowed and one.way[0]]
    roads = Roads(_sending(ports, place, now), MasterPolicy())
    repair.repair(chosen, POLICY, roads=roads, transaction=transaction, now=now)


def tell(place: Place, ports: dict[str, Any], transaction: Transaction, now: datetime, machine: datetime) -> None:
    """Feed, carry, and follow what was told."""
    feed([MAPS], sending=_sending(ports, place, now), transaction=transaction)
    spool = place.folder / "spool"
    while relay_once(ports, transaction=transaction, spool=spool, now=now, machine_now=machine).carried:
        pass
    feed([MAPS], sending=_sending(ports, place, now), transaction=transaction)


TURNS = (compare, mend, tell)


def _sending(ports: dict[str, Any], place: Place, now: datetime) -> Sending:
    return Sending(Routes(), lambda role, message: ports[role].encode(message, spool=place.folder / "spool"), now)


def rows(session: Session, table: Any) -> list[Any]:
    # Machine times differ by nature, and so do numbers that a database counts up, and how often a round that died
    # behind its last commit was gone again.
    incidental = {"leased_until", "due_at", "token", "attempts", "entry", "row", "first_machine_at", "stable_since"}
    incidental |= {"polls", "number", "log_position", "seen", "sequence"}
    found = [row.model_dump(mode="json", exclude=incidental) for row in session.exec(select(table)).all()]
    return sorted(found, key=str)


@pytest.mark.parametrize("first", range(1, SHARES + 1))
def test_a_killed_reconciliation_ends_as_one_that_nobody_disturbed(
    databases: Callable[[], str], tmp_path: Path, first: int
) -> None:
    boundaries = survive_every_kill(
        Reconciling(), databases=databases, folder=tmp_path, first=first, stride=SHARES, at_least=80
    )

    assert {"before encode", "after carry", "within fetch", "within items", "after replace"} <= set(boundaries)
    assert boundaries.count("before commit") == boundaries.count("after commit")


def test_the_reconciliation_that_is_killed_is_one_that_ends_well(
    sqlite_databases: Callable[[], str], tmp_path: Path
) -> None:
    place, story = Place(tmp_path, sqlite_databases()), Reconciling()
    story.prepare(place)
    story.run(place, Boundaries(), 0)

    seen = story.observe(place)

    found = {(row["system"], row["object_id"], row["klass"]): row for row in seen["recon_difference"]}
    assert set(found) == {
        ("hub", "U2", "FIELD_DIFF"), ("mdms", "U1", "FIELD_DIFF"), ("mdms", "U3", "MISSING_IN_X"),
        ("maps", "U1", "FIELD_DIFF"),
    }  # fmt: skip
    assert {(row["state"], row["disposition"]) for row in found.values()} == {("closed", "repaired")}
    assert sorted(row["act"] for row in seen["recon_act"]) == ["closed"] * 4 + ["found"] * 4 + ["repairing"] * 4
    assert {name: len(told) for name, told in seen["told"].items()} == {"cis": 0, "mdms": 2, "maps": 1}
    assert [row["state"] for row in seen["delivery"]] == ["confirmed"] * 9, "three repairs, six answers to extracts"
    assert [one for one in seen["work"] if one[2] == "OPEN"] == []
