"""Two workers at once: one handles, one carries, on both databases."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from threading import Barrier, Lock, Thread
from typing import Any

import pytest
from sqlmodel import func, select

from canonical.billing import ItemVerdict
from canonical.errors import UnavailableError
from canonical.messages import Header, Item, Message, Outcome, Parcel, Reply
from flows.delivery import DeliveryPolicy, relay_once
from flows.spine import receive, receive_file
from store import acts, deliveries
from store.deliveries import Delivery
from store.session import Session, Transaction

WORKERS = 4
pytestmark = pytest.mark.timeout(120)


def at_once(work: Callable[[int], None]) -> None:
    """Run the work in several threads that start together; the first error is raised."""
    barrier, errors = Barrier(WORKERS), []

    def worker(number: int) -> None:
        barrier.wait()
        try:
            work(number)
        except BaseException as error:  # noqa: BLE001 - raised below, in the test's own thread
            errors.append(error)

    threads = [Thread(target=worker, args=(number,)) for number in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


class Partner:
    """A destination that counts what it is brought, from any thread."""

    def __init__(self) -> None:
        self.brought: Counter[str] = Counter()
        self.lanes: list[str] = []
        self.lock = Lock()

    def encode(self, message: Message[Any], *, spool: Path) -> Parcel:
        name = message.header.message_id
        return Parcel(name, "text/plain", sha256(b"x").hexdigest(), 1, b"x", key=name)

    def carry(self, parcels: Sequence[Parcel], *, spool: Path, timeout_s: float) -> Sequence[Outcome]:
        with self.lock:
            self.brought.update(parcel.name for parcel in parcels)
            self.lanes += [parcel.name for parcel in parcels]
        return [Outcome("sent") for _ in parcels]


def test_relays_that_run_at_once_carry_each_delivery_once_and_each_lane_in_order(
    transaction: Transaction, now: datetime, tmp_path: Path
) -> None:
    partner = Partner()
    with transaction() as session:
        for number in range(60):
            header = Header(f"{number:03}", "hub", "created", "Bill", lane=f"lane-{number % 3}" if number < 30 else "")
            parcel = partner.encode(Message(header, None), spool=tmp_path)
            deliveries.enqueue(session, header=header, parcel=parcel, destination="cis", now=now)

    def relay(_number: int) -> None:
        for _ in range(25):
            relay_once(
                {"cis": partner},
                transaction=transaction,
                spool=tmp_path,
                now=now,
                machine_now=now,
                policies={"cis": DeliveryPolicy(batch=5)},
            )

    at_once(relay)

    assert partner.brought == Counter(f"{number:03}" for number in range(60))
    for lane in range(3):
        gone = [name for name in partner.lanes if int(name) < 30 and int(name) % 3 == lane]
        assert gone == sorted(gone)


def test_of_receivers_of_one_message_at_once_one_handles_it(transaction: Transaction, now: datetime) -> None:
    replies: list[str] = []

    def handle(session: Session, message: Message[str]) -> Reply:
        acts.note(session, message.header.message_id, "handled", by="desk", reason="", at=now)
        return Reply("OK")

    def take(_number: int) -> None:
        reply = receive(
            b"42 kWh",
            source="mdms",
            translate=lambda raw: Message(Header("m1", "mdms", "created", "MeterReadings"), raw.decode()),
            handle=handle,
            transaction=transaction,
            now=now,
        )
        replies.append(reply.result)

    at_once(take)

    assert set(replies) <= {"OK", "BUSY"}
    assert "OK" in replies
    with transaction() as session:
        assert len(acts_of(session)) == 1


def test_of_workers_on_one_file_one_applies_each_line_even_when_all_take_it_over(
    transaction: Transaction, now: datetime, tmp_path: Path
) -> None:
    path = tmp_path / "request.txt"
    path.write_text("".join(f"item-{n}\n" for n in range(40)))

    def handle_batch(session: Session, batch: Sequence[Any]) -> Sequence[ItemVerdict]:
        for item in batch:
            acts.note(session, item.key, "taken", by="intake", reason="", at=now)
        return [ItemVerdict(item.key, "ACCEPTED", line=item.line) for item in batch]

    def take(number: int) -> None:
        try:
            receive_file(
                path,
                header=Header("request-1", "cis", "created", "request"),
                translate=lambda s: (Item(n, line.decode().strip(), None) for n, line in enumerate(s, 1)),
                handle_batch=handle_batch,
                transaction=transaction,
                now=now,
                machine_now=now + timedelta(hours=number),
                batch_size=3,
            )
        except UnavailableError as lost:
            assert lost.code.name == "CLAIM_LOST"  # noqa: PT017 - the others end well

    at_once(take)

    with transaction() as session:
        assert sorted(acts_of(session)) == sorted(f"item-{n}" for n in range(40))


def test_enqueued_at_once_under_one_key_is_one_delivery(transaction: Transaction, now: datetime) -> None:
    partner = Partner()
    header = Header("part-1", "hub", "created", "Bill")
    parcel = partner.encode(Message(header, None), spool=Path())

    def enqueue(_number: int) -> None:
        with transaction() as session:
            deliveries.enqueue(session, header=header, parcel=parcel, destination="cis", now=now)

    at_once(enqueue)

    with transaction() as session:
        assert session.exec(select(func.count()).select_from(Delivery)).one() == 1


def acts_of(session: Session) -> list[str]:
    """Return the subjects of all acts."""
    return [act.subject for act in session.exec(select(acts.Act)).all()]
