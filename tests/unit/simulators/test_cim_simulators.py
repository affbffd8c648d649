"""The CIM simulators: books that remember, order that matters, answers by rule and by script."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulators import cim_cis, cim_mdms
from simulators.cim_books import CimBooks
from simulators.cim_nouns import noun_text
from simulators.cim_system import System, answer_to
from simulators.cim_web import application
from simulators.cim_wire import event, result_of

AT = "2026-03-01T05:00:00Z"
METER = {"manufacturer": "Acme", "serial": "17", "at": AT}


@pytest.fixture
def mdms(tmp_path: Path) -> System:
    return System("MDMS", CimBooks(tmp_path), cim_mdms.take)


def told(system: System, verb: str, noun: str, *objects: dict[str, Any], message_id: str = "") -> tuple[str, list[str]]:
    """Return the result of a message, and the code of each error."""
    identity = message_id or f"m-{len(system.books.rows('heard'))}"
    body = event(verb, noun, noun_text(noun, objects), message_id=identity, correlation_id=identity, source="HUB")
    result, errors = result_of(answer_to(system, body))
    return result, [error["code"] for error in errors]


def link(verb: str = "create", at: str = AT) -> tuple[str, str, dict[str, Any]]:
    return verb, "MasterDataLinkageConfig", {"meters": [METER], "usage_points": ["u-1"], "at": at}


def test_an_mdms_links_only_what_it_has_and_once(mdms: System) -> None:
    before = told(mdms, *link())
    told(mdms, "create", "MeterConfig", METER)
    told(mdms, "create", "UsagePointConfig", {"id": "u-1", "at": AT})

    after = [told(mdms, *link()), told(mdms, *link()), told(mdms, *link("close")), told(mdms, *link("close"))]

    assert before == ("FAILED", ["2.12", "2.4"])
    assert after == [("OK", []), ("FAILED", ["SIM7007"]), ("OK", []), ("FAILED", ["SIM7008"])]


def test_an_mdms_takes_what_it_can_of_several_and_names_the_rest(mdms: System) -> None:
    told(mdms, "create", "UsagePointConfig", {"id": "u-1", "at": AT})

    found = told(
        mdms, "create", "CustomerAgreementConfig", {"id": "a", "usage_point": "u-1"}, {"id": "b", "usage_point": "u-2"}
    )

    assert found == ("PARTIAL", ["2.26"])
    assert [row["id"] for row in mdms.books.rows("object") if row["class"] == "CustomerAgreement"] == ["a"]


def test_a_repeated_message_gets_its_first_answer_and_changes_nothing(mdms: System) -> None:
    first = told(mdms, *link(), message_id="m")
    told(mdms, "create", "MeterConfig", METER)
    told(mdms, "create", "UsagePointConfig", {"id": "u-1", "at": AT})

    assert told(mdms, *link(), message_id="m") == first
    assert mdms.books.rows("link") == []


def test_a_cis_answers_by_script_and_then_by_rule_again(tmp_path: Path) -> None:
    system = System("CIS", CimBooks(tmp_path), cim_cis.take)
    system.scripted["MeterConfig"] = [{"result": "FAILED", "errors": [{"code": "5.1"}]}]

    assert told(system, "created", "MeterConfig", METER) == ("FAILED", ["5.1"])
    assert told(system, "created", "MeterConfig", METER) == ("OK", [])


def ask(system: System, method: str, path: str, body: bytes = b"", *, word: str = "right") -> httpx.Response:
    async def call() -> httpx.Response:
        transport = httpx.ASGITransport(app=application(system, user="amihub", password="right"))
        async with httpx.AsyncClient(transport=transport, base_url="https://sim", auth=("amihub", word)) as client:
            return await client.request(method, path, content=body)

    return asyncio.run(call())


def test_whoever_does_not_know_the_password_is_not_heard(mdms: System) -> None:
    assert ask(mdms, "POST", "/cim/ExecuteMeterConfig", b"<x/>", word="wrong").status_code == 401
    assert ask(mdms, "GET", "/control/books/heard", word="wrong").status_code == 401


def test_what_is_no_message_is_answered_by_a_fault_and_books_can_be_read(mdms: System) -> None:
    wrong = ask(mdms, "POST", "/cim/ExecuteMeterConfig", b"<x/>")
    told(mdms, "create", "MeterConfig", METER)

    assert (wrong.status_code, b"faultstring" in wrong.content) == (500, True)
    assert [row["noun"] for row in ask(mdms, "GET", "/control/books/heard").json()] == ["MeterConfig"]
    assert ask(mdms, "GET", "/control/books/secrets").status_code == 404
