"""Killed anywhere while subscribers are told of changes, and run again: each told once, in files and in messages."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from kill_harness import Boundaries, Place, survive_every_kill
from masters_folder import MastersFolder
from sqlmodel import select

from adapters.masters_flatfile.adapter import build
from canonical.billing import FileAcknowledgement, ItemVerdict
from canonical.holdings import Holding
from canonical.ids import meter_mrid
from canonical.messages import FileFacts, FileIdentity, Message, Outcome, Parcel
from flows.delivery import relay_once
from flows.file_intake import take_in
from flows.master_data_feed import AnswersHandler, Subscriber, feed, looking
from flows.reference_rows import configurations_of, rows_of
from flows.routing import Routes, Sending
from sftp.manifest import acknowledgement_to_json
from store import reference
from store.deliveries import Delivery
from store.files import IntakeFile
from store.master_changes import Provenance
from store.master_statements import MasterStatement
from store.master_subscribers import MasterCursor, MasterTold
from store.session import Session, Transaction, open_engine, transactions
from store.work import WorkItemRow

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

NOW = datetime(2026, 11, 2, 6, tzinfo=UTC)
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGrCVbPqlj0KFTDQqYXDGF7dJrDtcD5lmyQ0r7HFUg6m"
SUBSCRIBERS = (
    Subscriber("mdms", "mdms", frozenset({"usage_point", "meter", "topology"})),
    Subscriber("maps", "maps", frozenset({"usage_point", "topology"}), mode="batch", interval=timedelta(hours=1),
               limit=3),
    Subscriber("crm", "crm", frozenset({"usage_point", "meter"}), mode="batch", begins_full=True),
)  # fmt: skip
"""One by messages; one by files of changes, three lines each; one that begins with everything."""

SHARES = 8
"""Tests among which the boundaries are shared out."""


def held(kind: Any, object_id: str, **facts: str) -> Holding:
    return Holding(kind, object_id, SINCE, None, facts)


def point(name: str, **facts: str) -> Holding:
    return held("usage_point", name, **{"name": name, "zone": "UTC", "commodity": "ELECTRICITY", **facts})


def meter(serial: str) -> Holding:
    facts = {"manufacturer": "ACME", "serial": serial, "commodity": "ELECTRICITY", "multiplier": "1"}
    return held("meter", meter_mrid("ACME", serial), **facts)


def supply(name: str) -> Holding:
    return held("topology", name, transformer=f"T{name}", feeder="F1")


BEFORE = (point("U1"), point("U2"), meter("1"))
CHANGES = (point("U3"), meter("2"), supply("U1"), supply("U2"), point("U1", route="9"), supply("U3"))


class Told(MastersFolder):
    """A system that is told by files into its inbox, keeps what it is told under its name, and answers once."""

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(folder / name)
        given = {"host": "none", "user": "none", "host_keys": [KEY], "password": "none", "receiver": name.upper()}
        self._wire, self.inbox = build(given), self.folder / "inbox"

    def identify(self, name: str) -> FileIdentity:
        return self._wire.identify(name)

    def examine(self, stream: Any, *, identity: FileIdentity, where: str) -> FileFacts:
        return self._wire.examine(stream, identity=identity, where=where)

    def items(self, stream: Any, *, identity: FileIdentity, where: str) -> Any:
        return self._wire.items(stream, identity=identity, where=where)

    def encode(self, message: Message[Any], *, spool: Path) -> Parcel:
        return self._wire.encode(message, spool=spool)

    def carry(self, parcels: Sequence[Parcel], *, spool: Path, timeout_s: float) -> Sequence[Outcome]:
        return [self._keep(one, one.body if one.body is not None else (spool / one.path).read_bytes())
                for one in parcels]  # fmt: skip

    def _keep(self, parcel: Parcel, content: bytes) -> Outcome:
        """A name that comes twice must come with the same bytes."""
        assert hashlib.sha256(content).hexdigest() == parcel.sha256
        self.inbox.mkdir(parents=True, exist_ok=True)
        path = self.inbox / parcel.name
        if path.exists() and path.read_bytes() != content:
            return Outcome("rejected", "7041 NAME_TAKEN", parcel.name)
        path.write_bytes(content)
        return Outcome("sent")

    def answer(self, refused: dict[str, str]) -> None:
        """Acknowledge every file once; `refused` names the items that are not taken, by the file's sequence."""
        for path in sorted(self.inbox.glob("MX_*")) if self.inbox.exists() else ():
            name = f"{path.name.removesuffix('.dat')}.ack"
            if name in (*self.left(), *self.left("archive")):
                continue
            items = tuple(ItemVerdict(key, "REJECTED", "E17", "unknown feeder") for sequence, key in refused.items()
                          if f"_{sequence:0>6}_" in name)  # fmt: skip
            verdict: Any = "ACCEPTED_WITH_ERRORS" if items else "ACCEPTED"
            said = FileAcknowledgement(path.name, "0" * 64, verdict, "", "", items, NOW)
            self.offer((name, acknowledgement_to_json(said)))

    def left(self, folder: str = "outbox") -> list[str]:
        return super().left(folder) if (self.folder / folder).exists() else []


class Messages(Told):
    """A system that is told by messages; it refuses the second meter until a person has looked at it."""

    def encode(self, message: Message[Any], *, spool: Path) -> Parcel:
        body = f"{message.header.message_id} {message.payload!r}".encode()
        return Parcel("x", "text/plain", hashlib.sha256(body).hexdigest(), len(body), body)

    def _keep(self, parcel: Parcel, content: bytes) -> Outcome:
        if b"serial='2'" in content and not (self.folder / "looked").exists():
            return Outcome("rejected", "E2", "no such model")
        outcome = super()._keep(replace(parcel, name=parcel.key), content)
        return replace(outcome, state="confirmed") if outcome.state == "sent" else outcome


class Feeding:
    """Four passes: everything is told, a part is refused, a person has that told again, and it is taken."""

    def prepare(self, place: Place) -> None:
        """Two feeds begin, then masters change; the third begins when the story does."""
        engine = open_engine(place.url)
        transaction = transactions(engine)
        believe(transaction, BEFORE)
        sending = Sending(Routes(), Messages(place.folder, "mdms").encode, NOW - timedelta(days=1))  # type: ignore[arg-type]
        feed(SUBSCRIBERS[:2], sending=sending, transaction=transaction)
        believe(transaction, CHANGES)
        engine.dispose()

    def run(self, place: Place, boundaries: Boundaries, start: int) -> None:
        engine = open_engine(place.url)
        transaction = boundaries.transaction(transactions(engine))
        systems = {name: Told(place.folder, name) for name in ("maps", "crm")}
        systems["mdms"] = Messages(place.folder, "mdms")
        ports = {name: boundaries.port(system) for name, system in systems.items()}
        clock = place.folder / "clock"
        done = int(clock.read_text()) if clock.exists() else 0
        with boundaries.renames():
            for step in range(done, 4):
                # Business time never goes back: what starts again starts in the pass that was cut.
                clock.write_text(str(step))
                now = NOW + timedelta(hours=2 * step)
                if step == 2:
                    (systems["mdms"].folder / "looked").touch()
                    for name in ("maps", "mdms"):
                        for row in looking.told(name, state="error", limit=9, transaction=transaction):
                            looking.resend(name, row["object_id"], transaction=transaction)
                one_pass(place, ports, transaction, step=step, now=now, machine_now=now + timedelta(days=1 + start))
                for system in (systems["maps"], systems["crm"]):
                    system.answer({"1": "TOP U2"} if system is systems["maps"] else {})
        engine.dispose()

    def observe(self, place: Place) -> Any:
        engine = open_engine(place.url)
        with transactions(engine)() as session:
            seen = {str(one.__tablename__): rows(session, one) for one in KEPT}
            work = sorted((row.code, row.key, row.state, row.seen) for row in session.exec(select(WorkItemRow)).all())
        engine.dispose()
        return seen | {"work": work, "files": files_of(place.folder)}


KEPT = (Delivery, MasterCursor, MasterTold, MasterStatement, IntakeFile)


def one_pass(
    place: Place, ports: dict[str, Any], transaction: Transaction, *, step: int, now: datetime, machine_now: datetime
) -> None:
    """Take answers in, feed, and carry, as the site's pass does."""
    spool = place.folder / "spool"
    for name in ("maps", "crm") if step % 2 else ():
        take_in(
            name, ports[name], handlers={"acknowledgement": AnswersHandler({name: [name]})}, transaction=transaction,
            spool=spool, now=now, machine_now=machine_now,
        )  # fmt: skip
    sending = Sending(Routes(), lambda role, message: ports[role].encode(message, spool=spool), now)
    feed(SUBSCRIBERS, sending=sending, transaction=transaction)
    while relay_once(ports, transaction=transaction, spool=spool, now=now, machine_now=machine_now).carried:
        pass
    feed(SUBSCRIBERS, sending=sending, transaction=transaction)


def believe(transaction: Transaction, holdings: Sequence[Holding]) -> None:
    """Let the hub's masters hold versions of things, line by line in the log."""
    with transaction() as session:
        for one in holdings:
            meters = configurations_of(session, {one.facts.get("meter", "")})
            for table, row in rows_of(one, configurations=meters):
                reference.record(session, table, [row], now=NOW - timedelta(hours=1), by=Provenance("cis", "m-1"))


def rows(session: Session, table: Any) -> list[Any]:
    # Machine times differ by nature, and numbers that a database counts up are not given back by a rollback.
    incidental = {"leased_until", "due_at", "token", "attempts", "entry", "row", "first_machine_at", "stable_since"}
    incidental |= {"polls", "number"} | ({"sequence"} if table is Delivery else set())
    found = [row.model_dump(mode="json", exclude=incidental) for row in session.exec(select(table)).all()]
    return sorted(found, key=str)


def files_of(folder: Path) -> dict[str, str]:
    """Return what lies where outside the hub, and in its spool; parts that grew when the process died are nobody's."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".") and path.name != "clock"
    }


@pytest.mark.parametrize("first", range(1, SHARES + 1))
def test_a_killed_feed_tells_each_subscriber_as_one_that_nobody_disturbed(
    databases: Callable[[], str], tmp_path: Path, first: int
) -> None:
    boundaries = survive_every_kill(
        Feeding(), databases=databases, folder=tmp_path, first=first, stride=SHARES, at_least=80
    )

    assert {"before encode", "after carry", "within fetch", "before replace", "after replace"} <= set(boundaries)
    assert boundaries.count("before commit") == boundaries.count("after commit")


def test_the_feed_that_is_killed_is_one_that_ends_well(sqlite_databases: Callable[[], str], tmp_path: Path) -> None:
    place, story = Place(tmp_path, sqlite_databases()), Feeding()
    story.prepare(place)
    story.run(place, Boundaries(), 0)

    seen = story.observe(place)

    told = {(row["subscriber"], row["kind"], row["object_id"]): row for row in seen["master_told"]}
    assert {row["state"] for row in told.values()} == {"synchronized"}
    assert {key[2] for key, row in told.items() if row["times"] == 2} == {"U2", meter_mrid("ACME", "2")}
    assert [row["state"] for row in seen["delivery"]].count("parked") == 1
    assert len([name for name in seen["files"] if name.startswith("maps/inbox/MX_")]) == 3
    assert len([name for name in seen["files"] if name.startswith("crm/inbox/MX_")]) == 1
