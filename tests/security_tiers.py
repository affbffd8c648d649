"""A hub with a caller of every tier, and what each call of a test checks."""

import base64
import http.client
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from cim_hub import CimHub, cim_hub
from lxml import etree
from ws_security import SOAP, Pair

MESSAGE, ENVELOPE = "http://iec.ch/TC57/2011/MeterReadingsMessage", "http://iec.ch/TC57/2011/schema/message"
SITE = """
[serve.clients.plain]
password = "right"
[serve.clients.tokens]
password = "env:TOKEN_WORD"
tier = "token"
[serve.clients.signer]
tier = "signature"
certificate = "{certificate}"
[serve.clients.careful]
password = "careful-word"
replay_detection = true
[serve.clients.loose]
password = "right"
policy = "report"
"""
NUMBERS = count(1)
REFUSED = {"credentials": "1112 WRONG_CREDENTIALS", "replay": "1143 MESSAGE_REPLAYED", "signature": "1144 SIGNATURE"}


def now() -> datetime:
    """Return the machine's time."""
    return datetime.now(UTC)


def message(*, header: str = "", verb: str = "created") -> bytes:
    """Return an envelope with an empty MeterReadings under a new id."""
    number = f"11111111-2222-3333-4444-{next(NUMBERS):012}"
    return (
        f'<s:Envelope xmlns:s="{SOAP}"><s:Body><{verb.capitalize()}MeterReadings xmlns="{MESSAGE}" '
        f'xmlns:e="{ENVELOPE}"><Header><e:Verb>{verb}</e:Verb><e:Noun>MeterReadings</e:Noun>{header}'
        f"<e:Timestamp>2026-03-02T12:00:00Z</e:Timestamp><e:MessageID>{number}</e:MessageID>"
        f"<e:CorrelationID>{number}</e:CorrelationID></Header><Payload>"
        '<MeterReadings xmlns="http://iec.ch/TC57/2011/MeterReadings#"/></Payload>'
        f"</{verb.capitalize()}MeterReadings></s:Body></s:Envelope>"
    ).encode()


def basic(user: str, password: str) -> str:
    """Return an Authorization header."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@dataclass
class Tiers:
    """A running hub and who calls it."""

    hub: CimHub
    signer: Pair

    def call(self, body: bytes | Any, authorization: str = "", *, tls: ssl.SSLContext | None = None) -> tuple[int, str]:
        """Return status and text of the answer."""
        raw = body if isinstance(body, bytes) else etree.tostring(body)
        headers = {"Content-Type": "text/xml; charset=utf-8"} | (
            {"Authorization": authorization} if authorization else {}
        )
        line = http.client.HTTPSConnection("127.0.0.1", self.hub.port, timeout=60, context=tls or self.hub.tls())
        try:
            line.request("POST", "/cim/ReceiveMeterReadings", raw, headers)
            answer = line.getresponse()
            return answer.status, answer.read().decode()
        finally:
            line.close()

    def taken(self, body: bytes | Any, authorization: str = "") -> None:
        """Check that a message is taken."""
        status, text = self.call(body, authorization)
        assert (status, "Result>OK<" in text) == (200, True), text

    def refused(self, why: str, body: bytes | Any, authorization: str = "") -> None:
        """Check that a message is refused by its code, archived and without effect."""
        archived, before = self.hub.archive(), self.hub.effects()
        status, text = self.call(body, authorization)
        assert (status, REFUSED[why] in text) == (401, True), text
        (new,) = [row for entry, row in self.hub.archive().items() if entry not in archived]
        assert (new[1], new[2][: len(REFUSED[why])]) == ("parked", REFUSED[why])
        assert self.hub.effects() == before


@contextmanager
def running_tiers(folder: Path) -> Iterator[Tiers]:
    """Run a hub with all of them until the end of the block."""
    signer = Pair("signer")
    _, file = signer.files(folder, "signer")
    server = Pair("127.0.0.1").files(folder, "server")
    with cim_hub(folder / "site", server, SITE.format(certificate=file), TOKEN_WORD="token-word") as hub:
        yield Tiers(hub, signer)
