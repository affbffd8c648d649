"""Requests for readings over the wire: every binding and edition, answered at once or at the reply address."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import etree
from sqlmodel import SQLModel, select

import store.tables  # noqa: F401
from canonical.metering import MeterReadings, ReadingQuestion, RegisterReading, UsagePoint
from canonical.periods import Period
from canonical.quality import Quality
from flows import reference
from iec61968.bindings import BindingName, unwrap, wrap
from iec61968.editions import EDITIONS
from iec61968.message_codec import message_from_xml
from iec61968.message_writer import message_to_xml
from iec61968.nouns import get_meter_readings
from iec61968.nouns.get_meter_readings import GetMeterReadings
from iec61968.wire import Operation, OperationSet, WireHeader, WireMessage, WirePayload, WireRequest
from services.cim_site import requests_pass, site_app
from services.hub import Hub
from services.site_file import load_site
from store.deliveries import Delivery, DeliveryPayload

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SITE = """
[site]
name = "Test"
zone = "UTC"
env = "TEST"
sender = "AMIHUB"
[roles.mdms]
adapter = "mdms_cim"
kind = "meter_data_system"
clock = "UTC"
multiplier = "raw"
[serve]
certificate = "unused.pem"
private_key = "unused.pem"
[serve.clients.cis]
password = "right"
[serve.clients.careful]
password = "right"
replay_detection = true
[serve.replies.cis]
address = "https://cis.example/reply"
clients = ["cis"]
binding = "generic"
[on_demand_read]
meter_data = "mdms"
sync_limit = 2
"""


@dataclass
class Mdms:
    """Knows every usage point but `unknown`."""

    asked: list[str] = field(default_factory=list)

    def readings(self, questions: Sequence[ReadingQuestion], *, timeout_s: float) -> Iterator[MeterReadings]:
        from decimal import Decimal

        for question in questions:
            self.asked.append(question.usage_point)
            if question.usage_point != "unknown":
                code = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
                one = RegisterReading(
                    question.usage_point, "m-1", code, NOW, Decimal("7.250"), next(iter(Quality)), "3.0.0", "mdms"
                )
                yield MeterReadings(question.usage_point, "m-1", (one,))


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    file = tmp_path / "site.toml"
    file.write_text(SITE)
    hub = Hub(load_site(file))
    with hub.transaction() as session:
        SQLModel.metadata.create_all(session.get_bind())
    hub._ports["mdms"] = Mdms()
    yield hub
    hub.close()


def post(hub: Hub, body: bytes, path: str = "/cim/message", user: str = "cis") -> httpx.Response:
    section = hub.site.model.serve
    assert section is not None
    app = site_app(hub, section)

    async def go() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="https://hub") as client:
            return await client.post(path, content=body, auth=(user, "right"))

    return asyncio.run(go())


def uuid(n: int) -> str:
    return f"11111111-2222-3333-4444-{n:012}"


def question(*points: str, number: int = 1, edition: str = "2011", **header: Any) -> WireMessage:
    asked = GetMeterReadings(points, Period(NOW.replace(day=1), NOW), "inquiry")
    part = get_meter_readings.to_xml(asked, edition=EDITIONS[edition])
    head = WireHeader("get", "MeterReadings", uuid(number), uuid(99), NOW, source="CIS")
    return WireMessage("request", replace(head, **header), "GetMeterReadings", WireRequest(parts=(part,)))


def said(response: httpx.Response) -> tuple[str, list[str], str]:
    message = message_from_xml(unwrap(response.content).message)
    assert message.reply is not None
    values = [e.text for part in message.payload.parts for e in part.iter() if str(e.tag).endswith("}value")]
    return message.reply.result, [error.code for error in message.reply.errors], ",".join(map(str, values))


@pytest.mark.slow
@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("binding", ["typed", "generic", "string", "bare"])
def test_a_question_is_answered_in_the_binding_in_which_it_came_whatever_its_edition(
    hub: Hub, binding: BindingName, edition: str
) -> None:
    typed = "GetMeterReadings" if binding == "typed" else ""
    root = message_to_xml(question("up-1", "unknown", edition=edition), edition=EDITIONS[edition], typed=typed)
    path = "/cim/GetMeterReadings" if typed else "/cim/message"

    response = post(hub, wrap(root, binding), path)

    assert response.status_code == 200
    assert unwrap(response.content).binding == binding
    assert said(response) == ("PARTIAL", ["2.12"], "7.250")


def ask(hub: Hub, *points: str, **header: Any) -> httpx.Response:
    return post(hub, wrap(message_to_xml(question(*points, **header), edition=EDITIONS["2011"]), "bare"))


def test_a_repeat_gets_the_first_answer_and_the_mdms_is_asked_once(hub: Hub) -> None:
    first, second = ask(hub, "up-1"), ask(hub, "up-1")

    assert said(first) == said(second) == ("OK", ["0.0"], "7.250")
    assert hub.port("mdms").asked == ["up-1"]


def test_bulk_is_refused_to_who_waits(hub: Hub) -> None:
    response = ask(hub, "a", "b", "c")

    assert said(response)[:2] == ("FAILED", ["3.1"])
    assert b"1135 BULK_NEEDS_ASYNC" in response.content


def test_an_asynchronous_answer_goes_to_the_reply_address_under_the_same_correlation(hub: Hub) -> None:
    with hub.transaction() as session:
        known = UsagePoint("unknown", "known to its master", "UTC", "ELECTRICITY", "AMI", NOW)
        reference.record(session, [known], now=NOW)
    response = ask(hub, "a", "b", "unknown", async_reply=True, reply_address="https://cis.example/reply")
    assert said(response) == ("OK", ["0.3"], "")

    assert requests_pass(hub)

    with hub.transaction() as session:
        sent = session.exec(select(Delivery)).one()
        body = session.exec(select(DeliveryPayload.body)).one()
    message = message_from_xml(etree.fromstring(body))
    assert message.header is not None
    assert message.reply is not None
    assert (sent.destination, message.header.correlation_id) == ("reply:cis", uuid(99))
    assert [(error.code, error.object_id) for error in message.reply.errors] == [("5.7", "unknown")]


@pytest.mark.parametrize("flag", [True, False])
def test_a_foreign_reply_address_is_refused_and_nothing_goes_there(hub: Hub, flag: bool) -> None:
    response = ask(hub, "a", async_reply=flag, reply_address="https://evil.example/")

    assert b"1133 REPLY_ADDRESS_REFUSED" in response.content
    assert not requests_pass(hub)


def test_an_asynchronous_question_without_an_address_is_refused(hub: Hub) -> None:
    assert b"1134 REPLY_ADDRESS_MISSING" in ask(hub, "a", async_reply=True).content


def test_a_pending_request_is_cancelled_by_its_correlation(hub: Hub) -> None:
    ask(hub, "a", async_reply=True, reply_address="https://cis.example/reply")

    response = ask(hub, "a", number=2, verb="cancel")
    again = ask(hub, "a", number=3, verb="cancel")

    assert said(response)[0] == "OK"
    assert b"1138 REQUEST_FINAL" in again.content
    assert not requests_pass(hub)


def test_what_nothing_takes_is_refused_by_code(hub: Hub) -> None:
    assert b"1113 NOT_SUPPORTED_HERE" in ask(hub, "a", verb="delete").content
    assert b"1110 UNKNOWN_NOUN" in ask(hub, "a", noun="Teapots").content


def test_a_caller_that_must_detect_replays_is_taken_once_per_nonce(hub: Hub) -> None:
    def call(number: int, **header: Any) -> bytes:
        root = message_to_xml(question("up-1", number=number, **header), edition=EDITIONS["2011"])
        return post(hub, wrap(root, "bare"), user="careful").content

    fresh = {"nonce": "n-1", "nonce_created": hub.machine_now()}

    assert b"1143 MESSAGE_REPLAYED" in call(1)
    assert b"7.250" in call(2, **fresh)


def operations(*operations: Operation, whole: bool, number: int = 1) -> bytes:
    payload = WirePayload(operation_set=OperationSet(operations, True, whole))
    head = WireHeader("execute", "OperationSet", uuid(number), uuid(99), NOW, source="CIS")
    return wrap(message_to_xml(WireMessage("request", head, payload=payload), edition=EDITIONS["2011"]), "generic")


@pytest.mark.parametrize(("whole", "result"), [(False, "PARTIAL"), (True, "FAULT")])
def test_a_set_is_done_operation_by_operation_or_not_at_all(hub: Hub, whole: bool, result: str) -> None:
    ask(hub, "a", number=7, async_reply=True, reply_address="https://cis.example/reply")
    cancel, teapot = Operation(1, "MeterReadings", "cancel"), Operation(2, "Teapots", "create")

    response = post(hub, operations(cancel, teapot, whole=whole))

    if whole:
        assert b"1145 OPERATIONS_ROLLED_BACK" in response.content
    else:
        assert said(response)[0] == result
    assert requests_pass(hub) is whole


def test_a_part_that_does_not_say_which_one_it_is_is_refused(hub: Hub) -> None:
    assert b"1131 BAD_SPLIT" in ask(hub, "a", properties=(("MessageIndex", "3/2"),)).content
    assert said(ask(hub, "a", number=2, properties=(("MessageIndex", "1/2"),)))[0] == "OK"
