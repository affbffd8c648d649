"""Answers to our own questions that come in parts: put together whatever their order, missing ones named."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from served_cim import KWH, NOW, SITE, YEAR, Mdms, hub_of, message, post, result, uuid
from served_questions import codes_of, gone, points_of, question
from soap_certificates import certificate
from soap_partner import Partner, http, response
from sqlmodel import col, select

from adapters.mdms_cim.adapter import build
from canonical.metering import MeterReadings, ReadingQuestion
from canonical.periods import Period
from canonical.questions import AnswerFollowsError
from services.cim_site import requests_pass
from services.hub import Hub
from store.readings import RegisterReadingRow
from store.requests import ServiceRequest

pytestmark = pytest.mark.slow

TALK = 777
OWN = SITE.replace("[serve.clients.hes]", '[serve.clients.mdms]\npassword = "right"\n[serve.clients.hes]')


class Later(Mdms):
    """Answers the first usage point at once, the others in messages of its own."""

    def __init__(self, at_once: int = 1) -> None:
        super().__init__()
        self.at_once = at_once

    def readings(self, questions: list[ReadingQuestion], *, timeout_s: float) -> Iterator[MeterReadings]:  # type: ignore[override]
        yield from super().readings(questions[: self.at_once], timeout_s=timeout_s)
        points = [one.usage_point for one in questions[self.at_once :]]
        raise AnswerFollowsError({uuid(TALK): points}, begun=[uuid(TALK)] if self.at_once else [])


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with hub_of(tmp_path, OWN) as hub:
        hub._ports["mdms"] = Later()
        yield hub


def part(number: int, *points: str, index: str = "", user: str = "mdms", talk: int = TALK) -> tuple[bytes, str]:
    inner = "".join(
        f"<MeterReading><Meter><mRID>m-1</mRID></Meter><Readings><timeStamp>2026-03-02T00:00:00Z</timeStamp>"
        f'<value>{number}.5</value><ReadingType ref="{KWH}"/></Readings><UsagePoint><mRID>{point}</mRID></UsagePoint>'
        "</MeterReading>"
        for point in points
    )
    header = f"<e:Property><e:Name>MessageIndex</e:Name><e:Value>{index}</e:Value></e:Property>" if index else ""
    payload = f'<MeterReadings xmlns="{YEAR}/MeterReadings#">{inner}</MeterReadings>'
    return message("CreatedMeterReadings", payload, number=number, header=header, correlation=talk), user


def arrive(hub: Hub, told: tuple[bytes, str]) -> str:
    body, user = told
    return result(post(hub, body, "/cim/ReceiveMeterReadings", user).content)


def ask(hub: Hub, *points: str) -> None:
    post(hub, question(*points, asynchronous=True), "/cim/GetMeterReadings")
    assert requests_pass(hub)


def state(hub: Hub) -> str:
    with hub.transaction() as session:
        return session.exec(select(ServiceRequest.state).where(col(ServiceRequest.level) == "parent")).one()


def test_parts_are_put_together_out_of_order_and_repeated_ones_count_once(hub: Hub) -> None:
    ask(hub, "a", "b", "c")
    assert state(hub) == "WAITING"

    said = [arrive(hub, part(13, "c", index="3/3")), arrive(hub, part(13, "c", index="3/3"))]
    waiting = requests_pass(hub), state(hub)
    said += [arrive(hub, part(23, "c", index="3/3")), arrive(hub, part(12, "b", index="2/3"))]
    assert requests_pass(hub)

    assert (said, waiting) == (["OK"] * 4, (False, "WAITING"))
    assert [points_of(one) for one in gone(hub)] == [["a"], ["b", "c"]]
    assert [codes_of(one) for one in gone(hub)] == [["0.1"], ["0.0"]]
    assert state(hub) == "SUCCESSFUL"


def test_without_numbers_an_answer_is_whole_when_every_object_was_told_of(hub: Hub) -> None:
    ask(hub, "a", "b", "c")

    arrive(hub, part(1, "b"))
    assert not requests_pass(hub)
    arrive(hub, part(2, "c"))
    assert requests_pass(hub)

    assert state(hub) == "SUCCESSFUL"


def test_an_answer_that_comes_wholly_later_is_one_answer(hub: Hub) -> None:
    hub._ports["mdms"] = Later(at_once=0)
    ask(hub, "a", "b")

    arrive(hub, part(1, "a", "b", index="1/1"))
    requests_pass(hub)

    assert [(points_of(one), codes_of(one)) for one in gone(hub)] == [(["a", "b"], ["0.0"])]


def test_a_part_that_never_comes_is_named_at_the_deadline_and_what_came_is_told(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(
        hub,
        "a",
        "b",
        "c",
    )
    arrive(hub, part(1, "c", index="3/3"))
    late = hub.now() + timedelta(hours=2)
    monkeypatch.setattr(hub, "now", lambda: late)

    assert requests_pass(hub)

    last = gone(hub)[-1]
    assert last.reply is not None
    assert (last.reply.result, codes_of(last), points_of(last)) == ("PARTIAL", ["0.2", "5.7"], ["c"])
    assert last.reply.errors[1].object_id == "b"
    assert "1162 PARTS_MISSING: part 2 of 3 of the answer did not come" in last.reply.errors[1].reason
    assert state(hub) == "PARTIAL_SUCCESS"


def test_nobody_but_the_role_answers_our_questions_and_other_talks_are_readings_as_ever(hub: Hub) -> None:
    ask(hub, "a", "b")

    arrive(hub, part(1, "b", user="hes"))
    arrive(hub, part(2, "b", talk=5))

    assert not requests_pass(hub)
    assert state(hub) == "WAITING"
    with hub.transaction() as session:
        assert sorted(session.exec(select(RegisterReadingRow.source)).all()) == ["hes", "mdms"]


@pytest.mark.parametrize(
    ("code", "inner", "begun"), [("0.1", "<UsagePoint><mRID>a</mRID></UsagePoint>", True), ("0.3", "", False)]
)
def test_the_mdms_says_by_its_reply_code_that_more_follows(tmp_path: Path, code: str, inner: str, begun: bool) -> None:
    key, ca_file = certificate(tmp_path)
    error = f"<e:Error><e:code>{code}</e:code></e:Error>"
    readings = (
        f'<MeterReading><Readings><timeStamp>2026-03-01T00:00:00Z</timeStamp><value>1</value><ReadingType ref="{KWH}"/>'
        f"</Readings>{inner}</MeterReading>"
        if inner
        else ""
    )
    with Partner(key, ca_file, lambda asked: http(response(asked, readings, errors=error))) as partner:
        url = f"https://127.0.0.1:{partner.port}/"
        settings = {"url": url, "events_url": url, "ca_file": ca_file, "user": "u", "password": "p"}
        port = build({**settings, "reply_address": "https://hub.example/cim/message"})
        asked = [ReadingQuestion(point, Period(NOW - timedelta(days=1), NOW)) for point in ("a", "b")]
        told: list[str] = []
        with pytest.raises(AnswerFollowsError) as follows:
            told.extend(one.usage_point for one in port.readings(asked, timeout_s=10))

    assert told == (["a"] if begun else [])
    assert [*follows.value.awaited.values()] == [("b",) if begun else ("a", "b")]
    assert bool(follows.value.begun) is begun
    assert re.search(rb"AsyncReplyFlag[^>]*>true<", partner.asked[0])
    assert re.search(rb"ReplyAddress[^>]*>https://hub.example/cim/message<", partner.asked[0])


def test_an_answer_that_is_called_one_is_an_answer_typed_or_generic(hub: Hub) -> None:
    ask(hub, "a", "b", "c")
    typed = part(1, "b", index="2/3")[0].replace(b">created<", b">reply<")
    event = part(2, "c", index="3/3")[0].replace(b">created<", b">reply<").decode()
    answer = (
        event.replace("<CreatedMeterReadings", "<ResponseMessage")
        .replace("</CreatedMeterReadings", "</ResponseMessage")
        .replace(f"{YEAR}/MeterReadingsMessage", f"{YEAR}/schema/message")
        .replace("<Payload>", "<Reply><Result>OK</Result></Reply><Payload>")
    )

    said = [
        result(post(hub, typed, "/cim/ReceiveMeterReadings", "mdms").content),
        result(post(hub, answer.encode(), "/cim/message", "mdms").content),
    ]

    assert said == ["OK", "OK"]
    assert requests_pass(hub)
    assert state(hub) == "SUCCESSFUL"
