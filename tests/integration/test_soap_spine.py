"""A SOAP call all the way into the store: archived, taken once, parked when it is wrong."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import etree
from sqlmodel import SQLModel, text
from starlette.types import ASGIApp
from test_soap_endpoint_served import MESSAGE_ID, READING, event

import store.tables  # noqa: F401
from canonical.messages import Message, Reply
from flows.billing_exchange import readings_arrived
from services.cim_endpoint import EventReceiver, cim_app
from store.session import Session, Transaction, open_engine, transactions

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
RIGHT, WRONG = ("mdms", "right"), ("mdms", "wrong")


@dataclass
class Hub:
    """An endpoint over a real store, and what the flow's handler was given."""

    app: ASGIApp
    transaction: Transaction
    handled: list[Message[Any]] = field(default_factory=list)

    def post(self, body: bytes, credentials: tuple[str, str] = RIGHT) -> Any:
        async def post() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="https://hub") as client:
                return await client.post("/cim/ReceiveMeterReadings", content=body, auth=credentials)

        return asyncio.run(post())

    def count(self, table: str) -> int:
        with self.transaction() as session:
            return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    engine = open_engine(f"sqlite:///{tmp_path / 'hub.db'}")
    SQLModel.metadata.create_all(engine)
    transaction = transactions(engine)
    handled: list[Message[Any]] = []

    def handle(_session: Session, message: Message[Any], *, now: datetime) -> Reply:
        handled.append(message)
        return Reply("OK", message.header.correlation_id)

    receive = EventReceiver(handle=handle, transaction=transaction, now=lambda: NOW, machine_now=lambda: NOW)
    app = cim_app(receive_event=receive, clients={"mdms": "right"}, now=lambda: NOW, limit_bytes=100_000)
    yield Hub(app, transaction, handled)
    engine.dispose()


def result(answer: Any) -> str:
    return str(etree.fromstring(answer.content).findtext(".//{http://iec.ch/TC57/2011/schema/message}Result"))


def test_the_same_message_again_gets_the_first_answer_and_is_handled_once(hub: Hub) -> None:
    first, second = hub.post(event(READING)), hub.post(event(READING))

    assert (first.status_code, result(first)) == (200, "OK")
    assert second.content == first.content
    assert len(hub.handled) == 1
    assert hub.handled[0].header.message_id == MESSAGE_ID
    assert str(hub.handled[0].payload[0].registers[0].value) == "1.5"


def test_the_same_id_with_other_bytes_is_refused(hub: Hub) -> None:
    hub.post(event(READING))

    answer = hub.post(event(READING.replace("1.5", "1.6")))

    assert answer.status_code == 500
    assert b"1001 MSG_ID_REUSED" in answer.content
    assert len(hub.handled) == 1


@pytest.mark.parametrize(
    ("body", "credentials", "code"),
    [
        (b"hello", RIGHT, b"1101 NOT_XML"),
        (b"<!DOCTYPE a [<!ENTITY b 'x'>]><a>&b;</a>", RIGHT, b"1102 DTD_REFUSED"),
        (b"<a>" + b"x" * 200_000 + b"</a>", RIGHT, b"1103 MESSAGE_TOO_LARGE"),
        (event("<MeterReading><Nope/></MeterReading>"), RIGHT, b"1108 SCHEMA_INVALID"),
        (event(READING), WRONG, b"1112 WRONG_CREDENTIALS"),
        (event(READING.replace("1.5", "one")), RIGHT, b"1117 BAD_XML_VALUE"),
    ],
)
def test_a_malformed_call_is_archived_in_the_store_and_handled_by_nobody(
    hub: Hub, body: bytes, credentials: tuple[str, str], code: bytes
) -> None:
    before = hub.count("message")

    answer = hub.post(body, credentials)

    assert code in answer.content
    assert hub.count("message") == before + 1
    assert hub.handled == []


def test_refused_messages_of_a_known_caller_are_one_counted_work_item(hub: Hub) -> None:
    hub.post(b"hello")
    hub.post(b"hello again")

    with hub.transaction() as session:
        rows = session.execute(text("SELECT code, key, queue, seen, state FROM work_item")).all()
    assert [tuple(row) for row in rows] == [("1101 NOT_XML", "mdms", "integration", 2, "OPEN")]


def test_a_caller_who_did_not_prove_who_it_is_makes_no_work(hub: Hub) -> None:
    hub.post(event(READING), WRONG)

    assert hub.count("work_item") == 0


def test_readings_that_nobody_owns_are_refused_and_become_work_for_metering(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'hub.db'}")
    SQLModel.metadata.create_all(engine)
    transaction = transactions(engine)
    receive = EventReceiver(handle=readings_arrived, transaction=transaction, now=lambda: NOW, machine_now=lambda: NOW)
    app = cim_app(receive_event=receive, clients={"mdms": "right"}, now=lambda: NOW, limit_bytes=100_000)

    answer = Hub(app, transaction).post(event(READING))

    with transaction() as session:
        rows = session.execute(text("SELECT code, queue, state FROM work_item")).all()
    engine.dispose()
    assert result(answer) == "FAILED"
    assert [tuple(row) for row in rows] == [("2006 READINGS_UNRESOLVED", "metering", "OPEN")]
