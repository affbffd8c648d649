"""Killed anywhere while master data is taken, woken and passed on, and run again: the same end, each delivery once."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from kill_harness import Boundaries, Place, survive_every_kill
from sqlmodel import select

from canonical.ids import meter_mrid
from canonical.master_data import Link, MasterData, MasterThing, Meter, MeterExchange
from canonical.messages import Header, Message, Parcel, Reply
from canonical.metering import UsagePoint
from flows import master_data_sync
from flows.master_data_sync import Policy
from flows.routing import Route, Routes, Sending, Territory
from flows.spine import receive
from store.deliveries import Delivery
from store.master_waiting import MasterWaiting
from store.messages import StoredMessage
from store.reference import InstallationRow, UsagePointRow
from store.reference_masters import MeterRow
from store.session import Session, open_engine, transactions
from store.work import WorkItemRow

NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
ROUTES = Routes((Route(("mdms",)), Route(("meter_data",))), (Territory("town", "cis", "mdms", frozenset({"N"})),))
POLICY = Policy(search_interval=timedelta(hours=1), search_attempts=2)


def meter(serial: str) -> Meter:
    return Meter(meter_mrid("ACME", serial), "ACME", serial, "ELECTRICITY", Decimal(1), valid_from=NOW)


def point(name: str, district: str = "N") -> UsagePoint:
    return UsagePoint(name, name, "UTC", "ELECTRICITY", "AMI", NOW, district=district)


SCRIPT: Sequence[tuple[str, MasterThing]] = (
    ("create", Link("U1", meter("1").meter)),
    ("create", point("U1")),
    ("create", point("U2", "nowhere")),
    ("create", meter("1")),
    ("create", meter("2")),
    ("create", MeterExchange("U1", meter("1"), meter("2"), NOW + timedelta(days=1), NOW + timedelta(days=1))),
    ("create", Link("U1", meter("9").meter)),
)
"""A link before its meter, a stranger, an exchange, and a link that waits in vain."""


def encode(role: str, message: Message[Any]) -> Parcel:
    body = f"{role} {message.header.message_id} {message.payload!r}".encode()
    return Parcel("thing", "text/plain", sha256(body).hexdigest(), len(body), body)


def translate(raw: bytes) -> Message[MasterData]:
    verb, thing = SCRIPT[int(raw)]
    at = thing.removed_at if isinstance(thing, MeterExchange) else NOW
    header = Header(f"m-{int(raw)}", "cis", verb, type(thing).__name__, created_at=NOW + timedelta(seconds=int(raw)))
    return Message(header, MasterData("create", type(thing).__name__, at, (thing,)))


def handle(session: Session, message: Message[MasterData]) -> Reply:
    return master_data_sync.take(session, message, policy=POLICY, routes=ROUTES, encode=encode, now=NOW)


def rows(session: Session, table: Any) -> list[Any]:
    # Machine times differ by nature, and numbers that a database counts up are not given back by a rollback.
    incidental = {"leased_until", "due_at", "token", "attempts", "entry", "sequence", "row"}
    return sorted(
        (row.model_dump(mode="json", exclude=incidental) for row in session.exec(select(table)).all()), key=str
    )


class Script:
    """Messages through the spine, then time; what the relay does at its boundaries is told by the spine's test."""

    def prepare(self, place: Place) -> None:
        """Nothing is outside: what would be carried is seen in the deliveries."""

    def run(self, place: Place, boundaries: Boundaries, start: int) -> None:
        engine = open_engine(place.url)
        transaction = boundaries.transaction(transactions(engine))
        machine_now = NOW + timedelta(hours=start)
        for number in range(len(SCRIPT)):
            receive(
                str(number).encode(), source="cis", translate=translate, handle=handle,
                transaction=transaction, now=NOW, machine_now=machine_now,
            )  # fmt: skip
        for hours in (2, 4):
            sending = Sending(ROUTES, encode, NOW + timedelta(hours=hours))
            master_data_sync.advance(policy=POLICY, sending=sending, transaction=transaction)
        engine.dispose()

    def observe(self, place: Place) -> Any:
        engine = open_engine(place.url)
        kept = (StoredMessage, Delivery, MasterWaiting, UsagePointRow, MeterRow, InstallationRow)
        with transactions(engine)() as session:
            tables = {str(table.__tablename__): rows(session, table) for table in kept}
            work = sorted((row.code, row.key, row.state) for row in session.exec(select(WorkItemRow)).all())
        engine.dispose()
        return tables | {"work": work}


@pytest.mark.slow
def test_killed_at_any_boundary_and_run_again_master_data_ends_alike(
    databases: Callable[[], str], tmp_path: Path
) -> None:
    boundaries = survive_every_kill(Script(), databases=databases, folder=tmp_path, at_least=40)

    assert boundaries.count("before commit") == boundaries.count("after commit")
