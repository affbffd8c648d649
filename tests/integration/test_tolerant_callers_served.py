"""Callers who break the standard at a running hub: taken where the site says so, refused by code where it does not."""

import http.client
import re
from collections.abc import Iterator
from html import escape, unescape

import pytest
from cim_hub import CimHub, cim_hub
from security_tiers import basic
from soap_certificates import certificate

pytestmark = pytest.mark.servers

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
ENVELOPE, TYPED = "http://iec.ch/TC57/2011/schema/message", "http://iec.ch/TC57/2011/MeterReadingsMessage"
SITE = """
[serve.clients.strict]
password = "right"
[serve.clients.loose]
password = "right"
policy = "report"
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CimHub]:
    folder = tmp_path_factory.mktemp("tolerant")
    with cim_hub(folder / "site", certificate(folder), SITE) as running:
        yield running


def call(hub: CimHub, body: str, user: str = "loose") -> str:
    """Return result and first reason of the answer."""
    line = http.client.HTTPSConnection("127.0.0.1", hub.port, timeout=60, context=hub.tls())
    try:
        line.request("POST", "/cim/message", body.encode(), {"Authorization": basic(user, "right")})
        text = unescape(line.getresponse().read().decode())
    finally:
        line.close()
    result = re.search(r"Result>(\w+)<", text)
    reason = re.search(r"reason>(\d{4} \w+)", text)
    return f"{result[1] if result else text} {reason[1] if reason else ''}".strip()


def readings(namespace: str = "http://iec.ch/TC57/2011/MeterReadings#", more: str = "") -> str:
    """Return a payload without a reading."""
    return f'<MeterReadings xmlns="{namespace}">{more}</MeterReadings>'


def bare(payload: str, *, ids: str, stamp: str = "2026-03-01T00:00:00Z", verb: str = "created") -> str:
    """Return a bare event."""
    return (
        f'<EventMessage xmlns="{ENVELOPE}"><Header><Verb>{verb}</Verb><Noun>MeterReadings</Noun>'
        f"<Timestamp>{stamp}</Timestamp>{ids}</Header><Payload>{payload}</Payload></EventMessage>"
    )


def typed(payload: str, *, number: int, verb: str = "created", operation: str = "CreatedMeterReadings") -> str:
    """Return a typed event in a SOAP envelope."""
    one = f"11111111-2222-3333-4444-{number:012}"
    return (
        f'<s:Envelope xmlns:s="{SOAP}"><s:Body><{operation} xmlns="{TYPED}" xmlns:e="{ENVELOPE}"><Header>'
        f"<e:Verb>{verb}</e:Verb><e:Noun>MeterReadings</e:Noun><e:Timestamp>2026-03-01T00:00:00Z</e:Timestamp>"
        f"<e:MessageID>{one}</e:MessageID><e:CorrelationID>{one}</e:CorrelationID></Header><Payload>{payload}</Payload>"
        f"</{operation}></s:Body></s:Envelope>"
    )


def ids(number: int) -> str:
    """Return MessageID and CorrelationID."""
    one = f"11111111-2222-3333-4444-{number:012}"
    return f"<MessageID>{one}</MessageID><CorrelationID>{one}</CorrelationID>"


LOOSE = {
    "ids that are no UUIDs": (
        bare(readings(), ids="<MessageID>7</MessageID><CorrelationID>1001</CorrelationID>"),
        "1108",
    ),
    "a time without an offset": (bare(readings(), ids=ids(1), stamp="2026-03-01T00:00:00"), "1117"),
    "a vendor's element": (bare(readings(more="<LoadProfile><name>7</name></LoadProfile>"), ids=ids(2)), "1108"),
    "a vendor's element, typed": (typed(readings(more="<LoadProfile><name>7</name></LoadProfile>"), number=3), "1108"),
    "a payload of another host": (
        bare(readings(namespace="http://www.iec.ch/TC57/2011/MeterReadings#"), ids=ids(4)),
        "1107",
    ),
    "a text that was declared UTF-16": (
        f'<s:Envelope xmlns:s="{SOAP}"><s:Body><doCommand xmlns="urn:mdm"><xml>'
        + escape('<?xml version="1.0" encoding="utf-16"?>' + bare(readings(), ids="<MessageID>8</MessageID>"))
        + "</xml></doCommand></s:Body></s:Envelope>",
        "1108",
    ),
}
"""What breaks the standard, and the beginning of the code that a strict endpoint refuses it with."""


@pytest.mark.parametrize("case", LOOSE)
def test_what_breaks_the_standard_is_taken_where_the_site_says_so_and_only_there(hub: CimHub, case: str) -> None:
    body, code = LOOSE[case]

    refused, taken = call(hub, body, "strict"), call(hub, body)

    assert refused.startswith(f"FAILED {code}"), refused
    assert taken == "OK"
    assert "Traceback" not in hub.log


def test_messages_without_an_id_are_told_apart_by_what_they_say(hub: CimHub) -> None:
    first, other = (bare(readings(), ids="", stamp=f"2026-03-0{day}T00:00:00Z") for day in (3, 4))
    before = len(hub.query("SELECT entry FROM message WHERE state = 'done'"))

    assert [call(hub, body) for body in (first, other, first)] == ["OK", "OK", "OK"]
    assert len(hub.query("SELECT entry FROM message WHERE state = 'done'")) == before + 2


def test_a_late_answer_told_as_an_event_is_taken_everywhere(hub: CimHub) -> None:
    assert [call(hub, typed(readings(), number=5, verb="reply"), user) for user in ("strict", "loose")] == ["OK", "OK"]


def test_a_name_and_a_verb_that_contradict_each_other_are_refused_everywhere(hub: CimHub) -> None:
    for user in ("strict", "loose"):
        assert call(hub, typed(readings(), number=9, verb="deleted"), user) == "FAILED 1109 UNKNOWN_VERB"


def test_what_cannot_be_understood_is_refused_even_there(hub: CimHub) -> None:
    wrong = readings(more="<MeterReading><Readings><value>many</value></Readings></MeterReading>")

    assert call(hub, bare(wrong, ids=ids(10))).startswith("FAILED 11")
    assert call(hub, bare(readings(), ids=ids(11), verb="zapped")) == "FAILED 1109 UNKNOWN_VERB"
