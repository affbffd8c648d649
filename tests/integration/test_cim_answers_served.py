"""Answers to requests for readings over the wire: repeated, in parts, packed, from the spool, from the store."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import unescape

import pytest
from lxml import etree
from served_cim import KWH, NOW, SITE, YEAR, Mdms, errors, hub_of, message, post, register, result, uuid
from served_questions import ask, codes_of, gone, points_of, question
from soap_certificates import certificate
from soap_partner import Partner, correlation_of, http
from sqlmodel import select

from canonical.codes.message import PARTNER_AWAY
from canonical.errors import UnavailableError
from canonical.messages import Parcel
from canonical.metering import MeterReadings, ReadingQuestion
from flows import reference
from iec61968.bindings import BINDINGS, BindingName, unwrap
from iec61968.editions import EDITIONS
from iec61968.message_client import Peer
from iec61968.message_codec import message_from_xml
from iec61968.validation import findings
from services import cim_answers
from services.cim_replies import AnswerEncoder, ReplyAddress
from services.cim_reply_addresses import reply_peers
from services.cim_site import requests_pass
from services.hub import Hub
from store import readings
from store.deliveries import Delivery, DeliveryPayload

pytestmark = pytest.mark.slow

RECEIVED = "0.0.0.1.19.1.12.0.0.0.0.0.0.0.0.3.72.0"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with hub_of(tmp_path) as hub:
        yield hub


def test_a_repeat_gets_the_first_answer_byte_for_byte_however_late_it_comes(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ask(hub, "up-1", "unknown-2")
    monkeypatch.setattr(hub, "now", lambda: datetime.now(UTC) + timedelta(days=3))

    assert ask(hub, "up-1", "unknown-2") == first
    assert result(first) == "PARTIAL"
    assert [(one["code"], one["ID"], one["objectType"]) for one in errors(first)] == [
        ("2.12", "unknown-2", "UsagePoint")
    ]


def test_while_a_question_is_being_answered_its_repeat_is_told_so(hub: Hub) -> None:
    begun, go_on = threading.Event(), threading.Event()

    class Slow(Mdms):
        def readings(self, questions: list[ReadingQuestion], *, timeout_s: float) -> Iterator[MeterReadings]:  # type: ignore[override]
            begun.set()
            go_on.wait(20)
            return super().readings(questions, timeout_s=timeout_s)

    hub._ports["mdms"] = Slow()
    first: list[bytes] = []
    asking = threading.Thread(target=lambda: first.append(ask(hub, "up-1")))
    asking.start()
    assert begun.wait(20)
    repeat = post(hub, question("up-1"), "/cim/GetMeterReadings")
    go_on.set()
    asking.join(20)

    assert (repeat.status_code, b"1002 BEING_PROCESSED" in repeat.content) == (503, True)
    assert result(first[0]) == "OK"


def test_the_reading_types_that_are_asked_for_reach_the_mdms_and_nothing_else_comes_back(hub: Hub) -> None:
    class Both(Mdms):
        def readings(self, questions: list[ReadingQuestion], *, timeout_s: float) -> Iterator[MeterReadings]:  # type: ignore[override]
            self.asked += questions
            for one in questions:
                point = one.usage_point
                yield MeterReadings(point, "m-1", (register(point), register(point, RECEIVED, "1.5")))

    hub._ports["mdms"] = Both()

    answer = ask(hub, "up-1", types=(RECEIVED,))

    assert hub.port("mdms").asked[0].reading_types == (RECEIVED,)
    assert (RECEIVED.encode() in answer, KWH.encode() in answer) == (True, False)
    assert [one["code"] for one in errors(ask(hub, "up-1", number=2, types=("teapots",)))] == ["2.6"]


def test_several_purposes_in_one_request_are_asked_each_for_itself(hub: Hub) -> None:
    answer = ask(hub, "up-1", reasons=("moveOut", "moveIn"))

    assert result(answer) == "OK"
    assert [one.reason for one in hub.port("mdms").asked] == ["moveOut", "moveIn"]


def test_while_the_mdms_is_away_the_store_answers_with_source_and_time_where_the_site_allows(tmp_path: Path) -> None:
    class Away(Mdms):
        def readings(self, questions: list[ReadingQuestion], *, timeout_s: float) -> Iterator[MeterReadings]:  # type: ignore[override]
            raise UnavailableError("away", code=PARTNER_AWAY)

    for allowed in (False, True):
        folder = tmp_path / str(allowed)
        folder.mkdir()
        with hub_of(folder, SITE + f"from_store = {str(allowed).lower()}\n") as hub:
            hub._ports["mdms"] = Away()
            with hub.transaction() as session:
                held = MeterReadings("up-1", "m-1", (register("up-1"),))
                readings.keep(session, [held], now=NOW, origin="test")
            answer = ask(hub, "up-1")
            if not allowed:
                assert (result(answer), errors(answer)[0]["code"]) == ("FAILED", "5.1")
                continue
            told = message_from_xml(unwrap(answer).message).header
            assert told is not None
            assert (result(answer), b"7.250" in answer) == ("OK", True)
            assert told.property("AnswerSource") == "store"
            assert datetime.fromisoformat(told.property("AsOf")).tzinfo is not None


def test_a_large_answer_goes_in_parts_that_say_which_they_are_and_what_follows(tmp_path: Path) -> None:
    site = SITE.replace('binding = "generic"', 'binding = "typed"\npart_objects = 2')
    with hub_of(tmp_path, site) as hub:
        ask(hub, *(f"up-{n}" for n in range(5)), asynchronous=True)
        assert requests_pass(hub)
        parts = gone(hub)

    assert [points_of(one) for one in parts] == [["up-0", "up-1"], ["up-2", "up-3"], ["up-4"]]
    assert [one.header.property("MessageIndex") for one in parts if one.header] == ["1/3", "2/3", "3/3"]
    assert [(one.reply.result, codes_of(one)) for one in parts if one.reply] == [
        ("PARTIAL", ["0.1"]),
        ("PARTIAL", ["0.1"]),
        ("OK", ["0.0"]),
    ]
    assert {one.header.correlation_id for one in parts if one.header} == {uuid(99)}
    assert len({one.header.message_id for one in parts if one.header}) == 3


def test_the_last_part_says_that_nothing_more_follows_where_something_is_missing(tmp_path: Path) -> None:
    with hub_of(tmp_path, SITE.replace('binding = "generic"', 'binding = "generic"\npart_objects = 2')) as hub:
        with hub.transaction() as session:
            from canonical.metering import UsagePoint

            known = UsagePoint("unknown-1", "known", "UTC", "ELECTRICITY", "AMI", NOW)
            reference.record(session, [known], now=NOW)
        ask(hub, "up-0", "up-1", "up-2", "unknown-1", asynchronous=True)
        requests_pass(hub)
        parts = gone(hub)

    assert [(one.reply.result, codes_of(one)) for one in parts if one.reply] == [
        ("PARTIAL", ["0.1"]),
        ("PARTIAL", ["0.2", "5.7"]),
    ]


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("binding", ["typed", "generic"])
def test_payloads_go_compressed_where_the_site_says_so_and_are_valid(
    tmp_path: Path, binding: str, edition: str
) -> None:
    own = f'binding = "{binding}"\nedition = "{edition}"\ncompressed = true'
    with hub_of(tmp_path, SITE.replace('binding = "generic"', own)) as hub:
        ask(hub, "up-1", asynchronous=True)
        requests_pass(hub)
        with hub.transaction() as session:
            raw = session.exec(select(DeliveryPayload.body)).one()
        found = gone(hub)[0]

    assert b"Compressed>" in raw
    assert b"Format>XML<" in raw
    assert findings(etree.fromstring(raw), EDITIONS[edition]) == ()
    assert points_of(found) == ["up-1"]


@pytest.mark.parametrize("binding", BINDINGS)
def test_an_answer_that_is_too_large_to_be_held_goes_from_the_spool_in_every_binding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, binding: BindingName
) -> None:
    monkeypatch.setattr(cim_answers, "HELD_BYTES", 1000)
    with hub_of(tmp_path, SITE.replace('binding = "generic"', f'binding = "{binding}"')) as hub:
        ask(hub, *(f"up-{n}" for n in range(50)), asynchronous=True)
        requests_pass(hub)
        found = gone(hub)[0]
        with hub.transaction() as session:
            row = session.exec(select(Delivery)).one()
        key, ca_file = certificate(tmp_path)
        heard: list[bytes] = []

        def answer(asked: bytes) -> bytes:
            heard.append(asked)
            return http(
                f'<ResponseMessage xmlns="{YEAR}/schema/message"><Header><Verb>reply</Verb><Noun>MeterReadings</Noun>'
                f"<Timestamp>2026-03-02T12:00:00Z</Timestamp><MessageID>{uuid(5)}</MessageID><CorrelationID>"
                f"{correlation_of(unescape(asked.decode()).encode())}</CorrelationID></Header><Reply><Result>OK</Result></Reply></ResponseMessage>".encode()
            )

        with Partner(key, ca_file, answer) as partner:
            peer = Peer(f"https://127.0.0.1:{partner.port}/", EDITIONS["2011"], binding, ca_file=ca_file)
            parcel = Parcel(row.name, row.content_type, row.sha256, row.size, None, row.path, row.key, row.confirm_name)
            (outcome,) = ReplyAddress(peer).carry([parcel], spool=hub.spool, timeout_s=20)
        left = [one.name for one in (hub.spool / "answers").iterdir() if one.name.startswith(".")]

    assert row.path.startswith("answers/")
    assert outcome.state == "confirmed", outcome
    carried = unwrap(heard[0])
    assert (carried.binding, len(points_of(message_from_xml(carried.message)))) == (binding, 50)
    assert points_of(found) == [f"up-{n}" for n in range(50)]
    assert left == []


def test_cancelling_says_how_many_of_how_many(hub: Hub) -> None:
    for number in (1, 2):
        ask(hub, "up-1", f"up-{number}", number=number, asynchronous=True, correlation=90 + number)
    named = "".join(f"<e:ID>{uuid(n)}</e:ID>" for n in (1, 2, 7))
    body = message(
        "CancelMeterReadings", f'<MeterReadings xmlns="{YEAR}/MeterReadings#"/>', number=9, correlation=98
    ).decode()
    body = body.replace("</Header>", f"</Header><Request>{named}</Request>")

    answer = post(hub, body.encode(), "/cim/ExecuteMeterReadings").content

    assert result(answer) == "PARTIAL"
    assert [(one["code"], one["ID"], one["objectType"]) for one in errors(answer)] == [("2.15", uuid(7), "Request")]
    told = message_from_xml(unwrap(answer).message).header
    assert told is not None
    assert (told.property("Cancelled"), told.property("CancelledObjects")) == ("2/3", "3/3")
    assert not requests_pass(hub)


def test_a_request_may_say_when_it_begins_and_when_it_has_no_meaning_any_more(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = datetime.now(UTC) + timedelta(hours=2)
    options = "".join(
        f"<Option><e:name>{name}</e:name><e:value>{at:%Y-%m-%dT%H:%M:%SZ}</e:value></Option>"
        for name, at in (("ScheduleTime", later), ("MaxScheduleTime", later + timedelta(hours=1)))
    )

    assert result(ask(hub, "up-1", asynchronous=True, options=options)) == "OK"
    assert b"1157 SCHEDULE_REFUSED" in ask(hub, "up-1", number=2, options=options)
    assert not requests_pass(hub)
    monkeypatch.setattr(hub, "now", lambda: later + timedelta(minutes=1))
    assert requests_pass(hub)
    assert [points_of(one) for one in gone(hub)] == [["up-1"]]


def test_the_answer_is_streamed_reading_by_reading(hub: Hub) -> None:
    answers = cim_answers.SiteAnswers(AnswerEncoder(reply_peers(hub.site), "AMIHUB"), hub.spool)
    writer = answers.open("reply:cis")

    for n in range(3):
        writer.add(MeterReadings(f"up-{n}", "m", (register(f"up-{n}", value=str(Decimal(n))),)))

    assert [one.usage_point for one in writer.told()] == ["up-0", "up-1", "up-2"]
    writer.close()
