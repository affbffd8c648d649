"""Attacks on a running hub, at the address of one service and at that of all: coded, archived, harmless, bounded."""

import base64
import gzip
import http.client
import select
import socket
import time
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path

import pytest
from cim_hub import CimHub, cim_hub
from security_tiers import basic
from soap_certificates import certificate

pytestmark = pytest.mark.servers

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
MESSAGE, ENVELOPE = "http://iec.ch/TC57/2011/MeterReadingsMessage", "http://iec.ch/TC57/2011/schema/message"
PAYLOAD = "http://iec.ch/TC57/2011/MeterReadings#"
MB = 1024 * 1024
TYPED, ANY = "/cim/ReceiveMeterReadings", "/cim/message"
SITE = """
[serve.clients.cis]
password = "right"
[serve.clients.other]
password = "right"
[serve.replies.cis]
address = "https://127.0.0.1:1/reply"
clients = ["cis"]
"""
SECONDS, GROWTH_MB = 20, 300
"""What an attack may cost: seconds until its answer, megabytes that it adds to the most that the process held."""

NUMBERS = iter(range(1, 1000))


def typed(inner: str, *, attributes: str = "", head: str = "", soap: str = "", prolog: str = "") -> bytes:
    """Return a typed event; `inner` stands in its Payload."""
    number = f"11111111-2222-3333-4444-{next(NUMBERS):012}"
    return (
        f'{prolog}<s:Envelope xmlns:s="{SOAP}"{attributes}>{soap}<s:Body><CreatedMeterReadings xmlns="{MESSAGE}" '
        f'xmlns:e="{ENVELOPE}"><Header><e:Verb>created</e:Verb><e:Noun>MeterReadings</e:Noun>'
        f"<e:Timestamp>2026-03-02T12:00:00Z</e:Timestamp>{head}<e:MessageID>{number}</e:MessageID>"
        f"<e:CorrelationID>{number}</e:CorrelationID></Header><Payload>{inner}</Payload></CreatedMeterReadings></s:Body>"
        "</s:Envelope>"
    ).encode()


def generic(inner: str, *, verb: str = "created", head: str = "", root: str = "EventMessage") -> bytes:
    """Return a bare generic message."""
    number = f"11111111-2222-3333-4444-{next(NUMBERS):012}"
    return (
        f'<{root} xmlns="{ENVELOPE}"><Header><Verb>{verb}</Verb><Noun>MeterReadings</Noun>'
        f"<Timestamp>2026-03-02T12:00:00Z</Timestamp>{head}<MessageID>{number}</MessageID>"
        f"<CorrelationID>{number}</CorrelationID></Header>{inner}</{root}>"
    ).encode()


def readings(inner: str = "", attributes: str = "") -> str:
    """Return a payload."""
    return f'<MeterReadings xmlns="{PAYLOAD}"{attributes}>{inner}</MeterReadings>'


def packed(data: bytes, times: int = 1) -> str:
    """Return data as Compressed."""
    for _ in range(times):
        data = gzip.compress(data)
    return f"<Compressed>{base64.b64encode(data).decode()}</Compressed>"


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
ENTITIES = f'<!DOCTYPE a [<!ENTITY l0 "ha">{LAUGHS}]>'
EXTERNAL = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
MILLION = " ".join(f'a{n}="1"' for n in range(1_000_000))
DEEP = "<x>" * 100_000 + "</x>" * 100_000
QUERY = (
    '<Request><GetMeterReadings xmlns="http://iec.ch/TC57/2011/GetMeterReadings#"><Reading><timePeriod>'
    "<end>2026-03-02T00:00:00Z</end><start>2026-03-01T00:00:00Z</start></timePeriod></Reading><UsagePoint>"
    "<mRID>up-1</mRID></UsagePoint></GetMeterReadings></Request>"
)
FOREIGN = "<AsyncReplyFlag>true</AsyncReplyFlag><ReplyAddress>https://127.0.0.1:2/evil</ReplyAddress>"
OTHERS = "<AsyncReplyFlag>true</AsyncReplyFlag><ReplyAddress>https://127.0.0.1:1/reply</ReplyAddress>"

ATTACKS: dict[str, tuple[Callable[[], bytes], str]] = {
    "entity expansion": (lambda: typed(readings("&l9;"), prolog=ENTITIES), "1102"),
    "entity expansion, bare": (lambda: ENTITIES.encode() + generic("&l9;"), "1102"),
    "external entity": (lambda: typed(readings("&x;"), prolog=EXTERNAL), "1102"),
    "external entity, bare": (lambda: EXTERNAL.encode() + generic("&x;"), "1102"),
    "a million attributes": (lambda: typed(readings(attributes=f" {MILLION}")), "1104"),
    "a million attributes, bare": (lambda: f'<EventMessage xmlns="{ENVELOPE}" {MILLION}/>'.encode(), "1104"),
    "a hundred thousand deep": (lambda: typed(readings(DEEP)), "1104"),
    "a hundred thousand deep, bare": (lambda: generic(f"<Payload>{DEEP}</Payload>"), "1104"),
    "bomb in Compressed": (lambda: typed(readings() + packed(bytes(200 * MB))), "1130"),
    "bomb in Compressed, bare": (lambda: generic(f"<Payload>{packed(bytes(200 * MB))}</Payload>"), "1130"),
    "bomb in a bomb": (lambda: generic(f"<Payload>{packed(bytes(400 * MB), 2)}</Payload>"), "1130"),
    "deep in Compressed": (lambda: generic(f"<Payload>{packed(DEEP.encode())}</Payload>"), "11"),
    "entities in Compressed": (
        lambda: generic(f"<Payload>{packed((ENTITIES + '<a>&l9;</a>').encode())}</Payload>"),
        "1102",
    ),
    "foreign reply address": (lambda: generic(QUERY, verb="get", head=FOREIGN, root="RequestMessage"), "1133"),
    "text in a text in a text": (
        lambda: (
            f'<s:Envelope xmlns:s="{SOAP}"><s:Body><c xmlns="urn:c"><x>&lt;s:Envelope xmlns:s="{SOAP}"/></x></c>'
            "</s:Body></s:Envelope>"
        ).encode(),
        "1107",
    ),
}
"""How each is made, and the beginning of its code; those that are not typed go to the address of all services."""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CimHub]:
    folder = tmp_path_factory.mktemp("attacks")
    with cim_hub(folder / "site", certificate(folder), SITE) as running:
        call(running, TYPED, typed(readings()))
        yield running


def call(hub: CimHub, path: str, body: bytes, user: str = "cis") -> str:
    """Return the text of the answer."""
    line = http.client.HTTPSConnection("127.0.0.1", hub.port, timeout=120, context=hub.tls())
    try:
        headers = {"Content-Type": "text/xml; charset=utf-8", "Authorization": basic(user, "right")}
        line.request("POST", path, body, headers)
        return line.getresponse().read().decode()
    finally:
        line.close()


def refused(hub: CimHub, path: str, body: bytes, code: str, *, user: str = "cis") -> None:
    """Check that a call is refused by its code, archived under it, and without any other effect."""
    archived, before = hub.archive(), hub.effects()
    began = time.monotonic()
    text = call(hub, path, body, user)
    took = time.monotonic() - began
    assert f">{code}" in unescape(text), text[:2000]
    (new,) = [row for entry, row in hub.archive().items() if entry not in archived]
    assert (new[0], new[1], new[2][: len(code)]) == (user, "parked", code)
    assert hub.effects() == before
    assert took < SECONDS


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_by_its_code_archived_and_harmless(hub: CimHub, attack: str) -> None:
    make, code = ATTACKS[attack]
    body, before = make(), hub.memory_mb()

    refused(hub, TYPED if b":Body><Created" in body[:100_000] + body[-100:] else ANY, body, code)

    assert hub.memory_mb() - before < GROWTH_MB
    assert hub.process.poll() is None


def test_the_reply_address_of_another_caller_is_foreign_too(hub: CimHub) -> None:
    body = generic(QUERY, verb="get", head=OTHERS, root="RequestMessage")

    refused(hub, ANY, body, "1133", user="other")


def test_nothing_that_a_message_names_is_ever_fetched(hub: CimHub) -> None:
    """Every way in which a document can name another one: taken or refused, the address hears nothing."""
    with socket.create_server(("127.0.0.1", 0)) as bait:
        url = f"http://127.0.0.1:{bait.getsockname()[1]}/x"
        instance = ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        located = (
            f'{instance} xsi:schemaLocation="{PAYLOAD} {url} {MESSAGE} {url}" xsi:noNamespaceSchemaLocation="{url}"'
        )
        include = f'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="{url}"/>'
        addressing = f'<s:Header><a:ReplyTo xmlns:a="http://www.w3.org/2005/08/addressing">{url}</a:ReplyTo></s:Header>'
        bodies = [
            typed(readings(), attributes=located),
            typed(readings(attributes=located)),
            typed(readings("<Zap/>", attributes=located)),
            typed(readings(), prolog=f'<?xml-stylesheet href="{url}"?>'),
            typed(readings(), prolog=f'<!DOCTYPE a SYSTEM "{url}">'),
            typed(readings(), prolog=f'<!DOCTYPE a [<!ENTITY % x SYSTEM "{url}"> %x;]>'),
            typed(readings(include)),
            typed(readings(), soap=addressing),
            typed(readings(), head=f"<e:ReplyAddress>{url}</e:ReplyAddress>"),
            generic(f"<Payload>{packed(readings(include, located).encode())}</Payload>"),
            generic(QUERY, verb="get", head=f"<ReplyAddress>{url}</ReplyAddress>", root="RequestMessage"),
        ]
        for body in bodies:
            for path in (TYPED, ANY):
                assert "<" in call(hub, path, body)
        time.sleep(1)

        assert select.select([bait], [], [], 0)[0] == []
    assert "Traceback" not in hub.log


def test_what_is_packed_in_a_typed_message_is_taken_as_if_it_were_not(hub: CimHub) -> None:
    inside = readings(
        "<MeterReading><Readings><timeStamp>2026-03-01T00:00:00Z</timeStamp><value>1.5</value><ReadingType "
        'ref="0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"/></Readings><UsagePoint><mRID>up-9</mRID></UsagePoint></MeterReading>'
    )

    plain, hidden = (
        call(hub, TYPED, typed(inner))
        for inner in (inside, readings() + packed(inside.encode()) + "<Format>XML</Format>")
    )

    assert "up-9" in plain
    assert "up-9" in hidden
    assert "OK<" not in plain + hidden


def test_after_all_that_a_good_message_is_taken(hub: CimHub) -> None:
    assert "Result>OK<" in call(hub, TYPED, typed(readings()))
    assert "Traceback" not in hub.log
    assert not any(Path(hub.folder, "var").rglob("*.tmp"))
