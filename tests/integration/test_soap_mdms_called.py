"""The MDMS adapter against a partner that answers well, badly, late, wrongly and not at all."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree
from soap_certificates import certificate
from soap_partner import Partner, fault, http, response

from adapters.mdms_cim.adapter import CimMeterData, build
from canonical.billing import BilledNotice
from canonical.errors import HubError, MisconfiguredError, RejectedError, UnavailableError
from canonical.ids import meter_mrid
from canonical.messages import Header, Message
from canonical.metering import ReadingQuestion
from canonical.periods import Period
from iec61968 import validation
from iec61968.editions import EDITIONS

pytestmark = pytest.mark.slow

PERIOD = Period(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
REGISTER = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"


def meter_reading(usage_point: str = "up-1", value: str = "12.5") -> str:
    return (
        "<MeterReading><Meter><Names><name>007</name><NameType><name>serial</name><NameTypeAuthority>"
        "<name>ACME</name></NameTypeAuthority></NameType></Names></Meter><Readings>"
        f'<timeStamp>2026-03-01T00:00:00Z</timeStamp><value>{value}</value><ReadingType ref="{REGISTER}"/></Readings>'
        f"<UsagePoint><mRID>{usage_point}</mRID></UsagePoint></MeterReading>"
    )


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    return certificate(tmp_path_factory.mktemp("tls"))


def port(partner: Partner, ca_file: str, batch: int = 200) -> CimMeterData:
    url = f"https://127.0.0.1:{partner.port}/cim"
    return build(
        {
            "url": f"{url}/GetMeterReadings",
            "events_url": f"{url}/ReceiveMeterReadings",
            "user": "amihub",
            "password": "secret",
            "ca_file": ca_file,
            "batch": batch,
        }
    )


def question(usage_point: str = "up-1", *, fresh: bool = False) -> ReadingQuestion:
    return ReadingQuestion(usage_point, PERIOD, fresh=fresh)


def test_a_question_is_answered_with_canonical_readings_and_is_the_same_bytes_each_time(tls: tuple[str, str]) -> None:
    with Partner(*tls, lambda asked: http(response(asked, meter_reading()))) as partner:
        mdms = port(partner, tls[1])

        first = list(mdms.readings([question()], timeout_s=5))
        second = list(mdms.readings([question()], timeout_s=5))

    assert first == second
    assert partner.asked[0] == partner.asked[1]
    (read,) = first
    assert (read.usage_point, read.meter, read.serial) == ("up-1", meter_mrid("ACME", "007"), "007")
    assert [(r.value, r.taken_at, r.period) for r in read.registers] == [(Decimal("12.5"), PERIOD.start, None)]
    assert validation.findings(etree.fromstring(partner.asked[0]), EDITIONS["2011"]) == ()
    assert b'SOAPAction: "http://iec.ch/TC57/2011/GetMeterReadings/GetMeterReadings"' in partner.heads[0]
    assert b"Authorization: Basic" in partner.heads[0]


def test_questions_are_grouped_by_span_and_freshness_and_batched(tls: tuple[str, str]) -> None:
    with Partner(*tls, lambda asked: http(response(asked))) as partner:
        questions = [question(f"up-{n}") for n in range(5)] + [question("up-1", fresh=True), question("up-0")]

        assert list(port(partner, tls[1], batch=2).readings(questions, timeout_s=5)) == []

    assert [asked.count(b"UsagePoint>") // 2 for asked in partner.asked] == [2, 2, 1, 1]
    assert [b">METER<" in asked for asked in partner.asked] == [False, False, False, True]


def test_usage_points_with_an_error_are_left_out_and_the_others_come(tls: tuple[str, str]) -> None:
    errors = '<e:Error><e:code>5.7</e:code><e:ID kind="uuid" objectType="UsagePoint">up-2</e:ID></e:Error>'
    with Partner(
        *tls, lambda asked: http(response(asked, meter_reading(), result="PARTIAL", errors=errors))
    ) as partner:
        found = list(port(partner, tls[1]).readings([question(), question("up-2")], timeout_s=5))

    assert [read.usage_point for read in found] == ["up-1"]


Answer = Callable[[bytes], bytes | None]
TROUBLES: dict[str, tuple[Answer, type[HubError], str]] = {
    "server fault": (lambda _: http(fault("Server"), "500 Oh"), UnavailableError, "1116"),
    "client fault": (lambda _: http(fault("Client", "2.6"), "500 Oh"), RejectedError, "1115"),
    "client fault that may pass": (lambda _: http(fault("Client", "5.1"), "500 Oh"), UnavailableError, "1116"),
    "no soap in a 500": (lambda _: http(b"<html/>", "500 Oh"), UnavailableError, "1116"),
    "bad gateway": (lambda _: http(b"gone", "502 Bad"), UnavailableError, "1116"),
    "not found": (lambda _: http(fault("Client", "2.6"), "404 No"), RejectedError, "1115"),
    "moved": (lambda _: http(response(_), "302 Found"), RejectedError, "1115"),
    "credentials refused": (lambda _: http(b"", "401 No"), MisconfiguredError, "1112"),
    "silent": (lambda _: None, UnavailableError, "1116"),
    "hang up in the answer": (lambda a: http(response(a, meter_reading() * 50), cut=60), UnavailableError, "1116"),
    "hang up before the answer": (lambda _: b"Connection: close", UnavailableError, "1116"),
    "another conversation": (
        lambda a: http(response(a, meter_reading(), correlation="00000000-1111-2222-3333-444444444444")),
        RejectedError,
        "1114",
    ),
    "invalid answer": (lambda a: http(response(a, "<MeterReading><Nope/></MeterReading>")), RejectedError, "1108"),
    "not xml": (lambda _: http(b"hello"), RejectedError, "1101"),
    "document type": (lambda _: http(b'<!DOCTYPE a SYSTEM "http://x/"><a/>'), RejectedError, "1102"),
    "failed whole": (
        lambda a: http(response(a, result="FAILED", errors="<e:Error><e:code>2.6</e:code></e:Error>")),
        RejectedError,
        "1115",
    ),
    "failed for now": (
        lambda a: http(response(a, result="FAILED", errors="<e:Error><e:code>5.1</e:code></e:Error>")),
        UnavailableError,
        "1116",
    ),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_each_trouble_says_what_to_do_next(tls: tuple[str, str], name: str) -> None:
    answer, error, number = TROUBLES[name]

    with Partner(*tls, answer) as partner, pytest.raises(error) as caught:
        list(port(partner, tls[1]).readings([question()], timeout_s=0.6 if name == "silent" else 5))

    assert caught.value.code.number == number


def test_a_certificate_that_is_not_the_pinned_one_stops_the_flow(tls: tuple[str, str], tmp_path: Path) -> None:
    _, other = certificate(tmp_path)

    with Partner(*tls, lambda a: http(response(a))) as partner, pytest.raises(MisconfiguredError) as caught:
        list(port(partner, other).readings([question()], timeout_s=5))

    assert caught.value.code.number == "1119"


def test_nobody_there_is_unavailable(tls: tuple[str, str]) -> None:
    with Partner(*tls, lambda a: http(response(a))) as partner:
        mdms = port(partner, tls[1])

    with pytest.raises(UnavailableError):
        list(mdms.readings([question()], timeout_s=2))


NOTICE = BilledNotice(
    "up-1", "meter-1", REGISTER, "det-1", 2, PERIOD, Decimal("410.250"), "ESTIMATED", datetime(2026, 4, 2, tzinfo=UTC)
)
HEADER = Header("billed-1", "AMIHUB", "created", "BilledNotice", "run-1", created_at=datetime(2026, 4, 2, tzinfo=UTC))


def test_a_billed_notice_is_valid_on_the_wire_and_confirmed_by_result_ok(tls: tuple[str, str], tmp_path: Path) -> None:
    with Partner(*tls, lambda a: http(response(a, noun="MeterReadings"))) as partner:
        mdms = port(partner, tls[1])
        parcel = mdms.encode(Message(HEADER, NOTICE), spool=tmp_path)

        (outcome,) = mdms.carry([parcel], spool=tmp_path, timeout_s=5)

    assert outcome.state == "confirmed"
    assert parcel == mdms.encode(Message(HEADER, (NOTICE,)), spool=tmp_path)
    assert b"BILLED det-1 v2" in partner.asked[0]
    assert b"8.0.0.4.1.1.12" in partner.asked[0]
    assert b'SOAPAction: "http://iec.ch/TC57/2011/MeterReadings/CreatedMeterReadings"' in partner.heads[0]


@pytest.mark.parametrize(
    ("code", "state"), [("2.6", "rejected"), ("5.1", "unavailable"), ("4.1", "unavailable"), ("1.8", "rejected")]
)
def test_a_refused_notice_is_an_outcome_never_raised(
    tls: tuple[str, str], tmp_path: Path, code: str, state: str
) -> None:
    errors = f"<e:Error><e:code>{code}</e:code></e:Error>"

    def answer(asked: bytes) -> bytes:
        return http(response(asked, noun="MeterReadings", result="FAILED", errors=errors))

    with Partner(*tls, answer) as partner:
        mdms = port(partner, tls[1])
        (outcome,) = mdms.carry([mdms.encode(Message(HEADER, NOTICE), spool=tmp_path)], spool=tmp_path, timeout_s=5)

    assert outcome.state == state


def test_an_absent_mdms_leaves_every_notice_to_be_tried_again(tls: tuple[str, str], tmp_path: Path) -> None:
    with Partner(*tls, lambda a: http(response(a))) as partner:
        mdms = port(partner, tls[1])
    parcel = mdms.encode(Message(HEADER, NOTICE), spool=tmp_path)

    outcomes = mdms.carry([parcel, parcel], spool=tmp_path, timeout_s=1)

    assert [outcome.state for outcome in outcomes] == ["unavailable", "unavailable"]
