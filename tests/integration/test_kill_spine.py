"""Killed anywhere between the wire and the destination, and run again: the same end, one effective delivery."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from kill_harness import Boundaries, Place, survive_every_kill
from sqlmodel import select

from canonical.billing import ItemVerdict
from canonical.messages import Header, Item, Message, Outcome, Parcel, Reply
from flows.delivery import relay_once
from flows.spine import receive, receive_file
from store import deliveries
from store.claims import MessageClaim
from store.deliveries import Delivery
from store.message_items import MessageItem
from store.messages import StoredMessage
from store.session import Session, open_engine, transactions

NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


class Folder:
    """A destination that keeps each parcel as a file and never replaces one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(exist_ok=True)

    def encode(self, message: Message[Any], *, spool: Path) -> Parcel:
        body = f"{message.header.message_id}: {message.payload}".encode()
        name = f"{message.header.message_id}.txt"
        return Parcel(name, "text/plain", sha256(body).hexdigest(), len(body), body, key=name, confirm_name=name)

    def carry(self, parcels: Sequence[Parcel], *, spool: Path, timeout_s: float) -> Sequence[Outcome]:
        outcomes = []
        for parcel in parcels:
            target = self.folder / parcel.name
            with (self.folder / "journal").open("a") as journal:
                journal.write("" if target.exists() else f"{parcel.name} {parcel.sha256}\n")
            target.write_bytes(parcel.body or b"")
            outcomes.append(Outcome("sent"))
        return outcomes


def translate(raw: bytes) -> Message[str]:
    return Message(Header("message-1", "mdms", "created", "MeterReadings", lane="up-1"), raw.decode())


def lines(stream: BinaryIO) -> Iterator[Item[str]]:
    for number, line in enumerate(stream, 1):
        yield Item(number, line.decode().strip(), line.decode().strip())


def rows(session: Session, table: Any) -> list[Any]:
    # Machine times differ by nature, and numbers that PostgreSQL counts up are not given back by a rollback.
    incidental = {"leased_until", "due_at", "token", "attempts", "at", "entry", "sequence"}
    found = [row.model_dump(mode="json", exclude=incidental) for row in session.exec(select(table)).all()]
    return sorted(found, key=str)


class MessageAndFile:
    """One message that causes one delivery, and a file of seven lines that causes one for each."""

    def prepare(self, place: Place) -> None:
        (place.folder / "request.txt").write_text("".join(f"item-{n}\n" for n in range(1, 8)))

    def run(self, place: Place, boundaries: Boundaries, start: int) -> None:
        engine = open_engine(place.url)
        transaction = boundaries.transaction(transactions(engine))
        port = boundaries.port(Folder(place.folder / "destination"))
        machine_now = NOW + timedelta(hours=start)

        def tell(session: Session, message: Message[str]) -> None:
            parcel = Folder(place.folder / "destination").encode(message, spool=place.folder)
            deliveries.enqueue(session, header=message.header, parcel=parcel, destination="cis", now=NOW)

        def handle(session: Session, message: Message[str]) -> Reply:
            tell(session, message)
            return Reply("OK", details={"told": "cis"})

        def handle_batch(session: Session, batch: Sequence[Any]) -> Sequence[ItemVerdict]:
            for item in batch:
                tell(session, Message(Header(item.key, "cis", "created", "request"), item.payload))
            return [ItemVerdict(item.key, "ACCEPTED", line=item.line) for item in batch]

        receive(
            b"42 kWh", source="mdms", translate=translate, handle=handle,
            transaction=transaction, now=NOW, machine_now=machine_now,
        )  # fmt: skip
        receive_file(
            place.folder / "request.txt", header=Header("request-1", "cis", "created", "request"), translate=lines,
            handle_batch=handle_batch, transaction=transaction, now=NOW, machine_now=machine_now, batch_size=3,
            spool_path="request.txt",
        )  # fmt: skip
        while relay_once(
            {"cis": port}, transaction=transaction, spool=place.folder, now=NOW, machine_now=machine_now
        ).carried:
            pass
        engine.dispose()

    def observe(self, place: Place) -> Any:
        engine = open_engine(place.url)
        with transactions(engine)() as session:
            tables = {
                table.__tablename__: rows(session, table)
                for table in (StoredMessage, MessageClaim, MessageItem, Delivery)
            }
        engine.dispose()
        files = {f.name: f.read_text() for f in sorted((place.folder / "destination").iterdir())}
        return tables | {"files": files}


@pytest.mark.slow
def test_killed_at_any_boundary_and_run_again_each_parcel_arrives_once(
    databases: Callable[[], str], tmp_path: Path
) -> None:
    boundaries = survive_every_kill(MessageAndFile(), databases=databases, folder=tmp_path, at_least=20)

    assert "before carry" in boundaries
    assert boundaries.count("before commit") == boundaries.count("after commit")
