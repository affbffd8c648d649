"""The web services of a small site without a network, and messages for them written by hand."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
from sqlmodel import SQLModel

import store.tables  # noqa: F401
from canonical.metering import MeterReadings, ReadingQuestion, RegisterReading
from canonical.quality import Quality
from services.cim_site import site_app
from services.hub import Hub
from services.site_file import load_site

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
YEAR = "http://iec.ch/TC57/2011"
ENVELOPE = f"{YEAR}/schema/message"
KWH = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
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
[serve.clients.hes]
password = "right"
event_dialect = "mesh"
event_codes = { "3.77.7.7" = "TAMPER" }
[serve.clients.loose]
password = "right"
policy = "report"
[serve.replies.cis]
address = "https://cis.example/reply"
clients = ["cis"]
binding = "generic"
[on_demand_read]
meter_data = "mdms"
sync_limit = 3
"""


@dataclass
class Mdms:
    """Knows every usage point but those whose name begins with `unknown`."""

    asked: list[ReadingQuestion] = field(default_factory=list)

    def readings(self, questions: Sequence[ReadingQuestion], *, timeout_s: float) -> Iterator[MeterReadings]:
        for question in questions:
            self.asked.append(question)
            if not question.usage_point.startswith("unknown"):
                yield MeterReadings(question.usage_point, "m-1", (register(question.usage_point),))


def register(usage_point: str, code: str = KWH, value: str = "7.250") -> RegisterReading:
    """Return one register reading."""
    return RegisterReading(usage_point, "m-1", code, NOW, Decimal(value), Quality.VALIDATED, "3.0.0", "mdms")


@contextmanager
def hub_of(folder: Path, site: str = SITE) -> Iterator[Hub]:
    """Open a hub of a site with an empty database and an MDMS of its own."""
    file = folder / "site.toml"
    file.write_text(site)
    hub = Hub(load_site(file))
    with hub.transaction() as session:
        SQLModel.metadata.create_all(session.get_bind())
    hub._ports["mdms"] = Mdms()
    try:
        yield hub
    finally:
        hub.close()


def post(hub: Hub, body: bytes, path: str = "/cim/message", user: str = "cis") -> httpx.Response:
    """Send one message and return the answer."""
    section = hub.site.model.serve
    assert section is not None
    app = site_app(hub, section)

    async def go() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="https://hub") as client:
            return await client.post(path, content=body, auth=(user, "right"))

    return asyncio.run(go())


def uuid(number: int) -> str:
    """Return a message id."""
    return f"11111111-2222-3333-4444-{number:012}"


def message(
    operation: str,
    payload: str,
    *,
    number: int = 1,
    verb: str = "",
    noun: str = "",
    header: str = "",
    after: str = "",
    correlation: int = 99,
) -> bytes:
    """Return a typed SOAP message; `payload` is what its Payload holds, `header` follows CorrelationID."""
    own = noun or re.sub(r"^(Created|Changed|Closed|Create|Change|Cancel)", "", operation)
    said = verb or operation.removesuffix(own).lower()
    inner = f"<Payload>{payload}</Payload>" if payload else ""
    return (
        f'<s:Envelope xmlns:s="{SOAP}"><s:Body><{operation} xmlns="{YEAR}/{own}Message" xmlns:e="{ENVELOPE}">'
        f"<Header><e:Verb>{said}</e:Verb><e:Noun>{own}</e:Noun><e:Timestamp>2026-03-02T12:00:00Z</e:Timestamp>"
        f"<e:MessageID>{uuid(number)}</e:MessageID><e:CorrelationID>{uuid(correlation)}</e:CorrelationID>{header}"
        f"</Header>{inner}{after}</{operation}></s:Body></s:Envelope>"
    ).encode()


def errors(answer: bytes) -> list[dict[str, str]]:
    """Return the Errors of an answer: code, reason, ID, objectType, operationId, as far as they stand."""
    from lxml import etree

    found = []
    for node in etree.fromstring(answer).iter("{*}Error"):
        said: dict[str, Any] = {etree.QName(child).localname: child.text for child in node}
        identity = next(node.iter("{*}ID"), None)
        if identity is not None:
            said["objectType"] = identity.get("objectType")
        found.append(said)
    return found


def result(answer: bytes) -> str:
    """Return the Result of an answer, or `FAULT`."""
    if b"Fault>" in answer:
        return "FAULT"
    found = re.search(rb"Result>(\w+)<", answer)
    return found[1].decode() if found else ""
