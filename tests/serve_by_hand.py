"""A real `amihub serve` behind TLS, and callers that write their HTTP and XML by hand."""

import base64
import http.client
import json
import socket
import sqlite3
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub_by_hand import AMIHUB, SITE, HubByHand

LISTENING = """
[serve]
host = "127.0.0.1"
port = {https}
certificate = "{certificate}"
private_key = "{certificate_key}"
[serve.clients.mdms]
password = "right"
"""
PATH = "/cim/ReceiveMeterReadings"
MESSAGE = "http://iec.ch/TC57/2011/MeterReadingsMessage"
PAYLOAD = "http://iec.ch/TC57/2011/MeterReadings#"
ENVELOPE = "http://iec.ch/TC57/2011/schema/message"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
KWH = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"


def uuid(number: int) -> str:
    """Return a message id."""
    return f"11111111-2222-3333-4444-{number:012}"


def reading(value: str = "1.5", *, at: str = "2026-03-01T00:00:00Z") -> str:
    """Return one reading of the register of meter ACME 00000001."""
    return (
        "<MeterReading><Meter><Names><name>00000001</name><NameType><name>serial</name></NameType></Names></Meter>"
        f'<Readings><timeStamp>{at}</timeStamp><value>{value}</value><ReadingType ref="{KWH}"/></Readings>'
        "<UsagePoint><mRID>up-1</mRID></UsagePoint></MeterReading>"
    )


def event(
    number: int,
    inner: str,
    *,
    operation: str = "CreatedMeterReadings",
    verb: str = "created",
    noun: str = "MeterReadings",
    namespace: str = MESSAGE,
    payload: str = PAYLOAD,
    stamp: str = "2026-03-02T12:00:00Z",
) -> bytes:
    """Return a message of the MDMS; `inner` is what its MeterReadings holds."""
    return (
        f'<s:Envelope xmlns:s="{SOAP}"><s:Body><{operation} xmlns="{namespace}" xmlns:e="{ENVELOPE}">'
        f"<Header><e:Verb>{verb}</e:Verb><e:Noun>{noun}</e:Noun><e:Timestamp>{stamp}</e:Timestamp>"
        f"<e:MessageID>{uuid(number)}</e:MessageID><e:CorrelationID>{uuid(number)}</e:CorrelationID></Header>"
        f'<Payload><MeterReadings xmlns="{payload}">{inner}</MeterReadings></Payload></{operation}>'
        "</s:Body></s:Envelope>"
    ).encode()


def basic(user: str, password: str) -> str:
    """Return an Authorization header."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


@dataclass
class ServedByHand:
    """A running server, and its hub."""

    hub: HubByHand
    port: int
    ca_file: str
    process: subprocess.Popen[bytes]
    log: Path

    def call(
        self,
        body: bytes | None,
        *,
        method: str = "POST",
        path: str = PATH,
        authorization: str = basic("mdms", "right"),
        chunked: bool = False,
        **headers: str,
    ) -> Answer:
        """Send one request and return the answer; `_` in the names of headers stands for `-`."""
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        if authorization:
            told["Authorization"] = authorization
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=60, context=ssl.create_default_context(cafile=self.ca_file)
        )
        try:
            blocks = (body[at : at + 65_536] for at in range(0, len(body or b""), 65_536)) if chunked and body else body
            # A server that refuses a long body stops reading it: the answer is there all the same.
            with suppress(ConnectionError, ssl.SSLError):
                connection.request(method, path, blocks, told, encode_chunked=chunked)
            response = connection.getresponse()
            return Answer(response.status, response.read(), dict(response.getheaders()))
        finally:
            connection.close()

    @contextmanager
    def raw(self) -> Iterator[ssl.SSLSocket]:
        """Open a TLS connection on which any bytes can be sent."""
        context = ssl.create_default_context(cafile=self.ca_file)
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=60) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as tls,
        ):
            yield tls

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the hub's database from outside."""
        with sqlite3.connect(self.hub.folder / "var" / "hub.db", timeout=30) as connection:
            return connection.execute(sql, values).fetchall()

    def archive(self) -> dict[int, tuple[str, str, str, int]]:
        """Return source, state, code and bytes kept of every message of web services, by entry number."""
        rows = self.query(
            "SELECT entry, source, state, code, length(body) FROM message JOIN message_body USING (entry)"
        )
        return {row[0]: row[1:] for row in rows}

    def effects(self) -> dict[str, int]:
        """Return how much the hub holds of what a message could change."""
        tables = ("register_reading", "interval_block", "delivery", "billing_item", "usage_point", "installation")
        known = {row[0] for row in self.query("SELECT name FROM sqlite_master WHERE type = 'table'")}
        return {name: self.query(f"SELECT count(*) FROM {name}")[0][0] for name in tables if name in known}  # noqa: S608

    def searched(self, *arguments: str) -> list[dict[str, Any]]:
        """Return what `amihub messages search --json` finds."""
        found: list[dict[str, Any]] = json.loads(self.hub.amihub("messages", "search", "--json", *arguments).out)
        return found


@contextmanager
def serving(hub: HubByHand, certificate: tuple[str, str], *, site: str = SITE + LISTENING) -> Iterator[ServedByHand]:
    """Write the site file with web services and run `amihub serve --only cim` until the end of the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    key_file, cert_file = certificate
    hub.write_site(site, https=str(port), certificate=cert_file, certificate_key=key_file)
    log = hub.folder / "serve.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(AMIHUB), "serve", "--only", "cim"], env=hub.variables(), stdout=out, stderr=out, cwd=hub.folder
        )
        try:
            _wait(port, process, log)
            yield ServedByHand(hub, port, cert_file, process, log)
        finally:
            process.terminate()
            process.wait(30)


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until somebody listens."""
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise AssertionError(log.read_text())
