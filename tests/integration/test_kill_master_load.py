"""Killed anywhere while masters are loaded and changes come in between, and run again: the same end."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from kill_harness import Boundaries, Place, survive_every_kill
from masters_folder import MastersFolder, masters_file
from sqlmodel import select

from canonical.ids import meter_mrid
from canonical.master_data import Link, MasterData, MasterThing
from canonical.messages import Header, Message, Parcel, Reply
from canonical.metering import UsagePoint
from flows import master_data_sync, master_load
from flows.file_handling import IntakePolicy
from flows.file_intake import take_in
from flows.master_data_sync import Policy
from flows.master_data_sync.file_changes import ChangesHandler
from flows.master_load import Ending, LoadHandler, LoadPolicy
from flows.masters_intake import MastersHandler
from flows.reconciliation.snapshot import SnapshotHandler
from flows.routing import Route, Routes, Sending
from flows.spine import receive
from store.deliveries import Delivery
from store.files import IntakeFile
from store.master_changes import MasterChange
from store.master_load_held import MasterLoadHeld
from store.master_loads import MasterLoad, MasterLoadChunk, MasterLoadCount, MasterLoadFile
from store.master_waiting import MasterWaiting
from store.reference import AgreementRow, InstallationRow, UsagePointRow
from store.reference_masters import AccountRow, CustomerRow, MeterRow, TopologyRow
from store.session import Session, open_engine, transactions
from store.work import WorkItemRow

NOW = datetime(2026, 11, 2, 6, tzinfo=UTC)
WATERMARK = "2026-11-02T00:00:00+00:00"
SINCE = "2025-01-01T00:00:00+00:00"
METER = meter_mrid("ACME", "1")
ROUTES = Routes((Route(("mdms",)),), ())
CHANGES = Policy(search_interval=timedelta(hours=1), search_attempts=2)
LOAD = LoadPolicy(error_percent=Decimal(50))

CIS = (
    f"CUS|C1|residential|Ada|1|none|{SINCE}|",
    f"ACC|A1|C1|01|{SINCE}|",
    f"UPT|U1|NMI1|UTC|ELECTRICITY|AMI|N|1||{SINCE}|",
    f"UPT|U2|NMI2|UTC|ELECTRICITY|AMI|N|1||{SINCE}|",
    f"INS|U1|ACME|1|{SINCE}|",
    f"AGR|G1|A1|U1|RESIDENTIAL|T1|01|||{SINCE}|",
    f"AGR|G2|A9|U2|RESIDENTIAL|T1|01|||{SINCE}|",
)
"""An installation before its meter, and an agreement of an account that nobody has."""

WAMS = (f"MTR|ACME|1|ELECTRICITY|1|AX|7|Active|{SINCE}|", f"MTR|ACME|2|ELECTRICITY|1|AX|7|In stock|{SINCE}|")

SCRIPT: tuple[tuple[str, MasterThing, datetime, datetime], ...] = (
    ("change", UsagePoint("U1", "", "UTC", "ELECTRICITY", "", NOW, route="9"), NOW, NOW),
    ("create", Link("U2", meter_mrid("ACME", "2")), NOW - timedelta(hours=1), NOW),
    ("create", Link("U1", METER), datetime(2025, 1, 1, tzinfo=UTC), NOW - timedelta(days=1)),
)
"""Taken while the load is open: a change, a new link, and one that was said before the file was true and is in it."""


def encode(role: str, message: Message[Any]) -> Parcel:
    body = f"{role} {message.header.message_id} {message.payload!r}".encode()
    return Parcel("thing", "text/plain", sha256(body).hexdigest(), len(body), body)


def translate(raw: bytes) -> Message[MasterData]:
    verb, thing, at, said = SCRIPT[int(raw)]
    header = Header(f"m-{int(raw)}", "cis", verb, type(thing).__name__, created_at=said)
    return Message(header, MasterData(verb, type(thing).__name__, at, (thing,)))  # type: ignore[arg-type]


def handle(session: Session, message: Message[MasterData]) -> Reply:
    return master_data_sync.take(session, message, policy=CHANGES, routes=ROUTES, encode=encode, now=NOW)


def rows(session: Session, table: Any) -> list[Any]:
    # Machine times differ by nature, and numbers that a database counts up are not given back by a rollback.
    incidental = {"leased_until", "due_at", "token", "attempts", "entry", "sequence", "row", "began_at", "chunk_at"}
    incidental |= {"at", "stable_since", "polls", "first_machine_at"}
    return sorted(
        (row.model_dump(mode="json", exclude=incidental) for row in session.exec(select(table)).all()), key=str
    )


class Load:
    """Two systems are loaded in chunks of two; changes come by messages after the first file."""

    def prepare(self, place: Place) -> None:
        MastersFolder(place.folder / "cis").offer(masters_file(CIS, sender="CIS", watermark=WATERMARK))
        MastersFolder(place.folder / "wams").offer(masters_file(WAMS, sender="WAMS", watermark=WATERMARK))

    def run(self, place: Place, boundaries: Boundaries, start: int) -> None:
        engine = open_engine(place.url)
        transaction = boundaries.transaction(transactions(engine))
        machine_now = NOW + timedelta(hours=start)
        if not master_load.listed(transaction=transactions(engine)):
            master_load.start(["cis", "wams"], policy=LOAD, person="ann", transaction=transaction, now=NOW)
        handler = MastersHandler(
            LoadHandler(LOAD, lambda: machine_now), ChangesHandler(CHANGES, ROUTES, encode), SnapshotHandler()
        )
        for role in ("cis", "wams"):
            take_in(
                role, boundaries.port(MastersFolder(place.folder / role)), handlers={"masters": handler},
                transaction=transaction, spool=place.folder / "spool", now=NOW, machine_now=machine_now,
                policy=IntakePolicy(batch_size=2),
            )  # fmt: skip
            if role == "cis":
                for number in range(len(SCRIPT)):
                    receive(
                        str(number).encode(), source="cis", translate=translate, handle=handle,
                        transaction=transaction, now=NOW, machine_now=machine_now,
                    )  # fmt: skip
        ending = Ending(LOAD, CHANGES, Sending(ROUTES, encode, NOW), {}, {}, chunk_size=2)
        master_load.advance(ending, transaction=transaction)
        engine.dispose()

    def observe(self, place: Place) -> Any:
        engine = open_engine(place.url)
        kept = (
            CustomerRow, AccountRow, UsagePointRow, MeterRow, InstallationRow, AgreementRow, TopologyRow, Delivery,
            MasterWaiting, MasterLoad, MasterLoadFile, MasterLoadChunk, MasterLoadCount, MasterLoadHeld, MasterChange,
            IntakeFile,
        )  # fmt: skip
        with transactions(engine)() as session:
            seen = {str(table.__tablename__): rows(session, table) for table in kept}
            work = sorted((row.code, row.key, row.state, row.seen) for row in session.exec(select(WorkItemRow)).all())
        engine.dispose()
        left = [MastersFolder(place.folder / role).left("archive") for role in ("cis", "wams")]
        return seen | {"work": work, "left": left}


@pytest.mark.slow
def test_killed_at_any_boundary_and_run_again_a_load_ends_alike(databases: Callable[[], str], tmp_path: Path) -> None:
    boundaries = survive_every_kill(Load(), databases=databases, folder=tmp_path, at_least=60)

    assert boundaries.count("before commit") == boundaries.count("after commit")


def test_the_load_that_is_killed_is_one_that_ends_well(sqlite_databases: Callable[[], str], tmp_path: Path) -> None:
    place, story = Place(tmp_path, sqlite_databases()), Load()
    story.prepare(place)
    story.run(place, Boundaries(), 0)

    seen = story.observe(place)

    versions = ("installation", "usage_point", "agreement")
    current = {name: [row for row in seen[name] if not row["replaced_at"]] for name in versions}
    assert [row["state"] for row in seen["master_load"]] == ["done"]
    assert {(row["usage_point"], row["meter"]) for row in current["installation"]} == {
        ("U1", METER), ("U2", meter_mrid("ACME", "2")),
    }  # fmt: skip
    assert {(row["usage_point"], row["route"]) for row in current["usage_point"]} == {
        ("U1", "1"), ("U1", "9"), ("U2", "1"),
    }  # fmt: skip
    assert [row["agreement"] for row in current["agreement"]] == ["G1"]
    assert [(row["object_id"], row["state"]) for row in seen["master_load_held"] if row["state"] == "exception"] == [
        ("G2", "exception")
    ]
    told = sorted(row["noun"] for row in seen["delivery"] if row["destination"] == "mdms")
    assert len(told) == 2, "the change and the new link are told; what the file knew is not told again"
