"""A hub and a partner whose messages are files on a real OpenSSH server; messages and control files by hand."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lxml import etree
from serve_by_hand import ENVELOPE, uuid
from sqlmodel import SQLModel

import store.tables  # noqa: F401
from flows.delivery import relay_once
from flows.file_handling import IntakeReport
from servers.openssh import SshServer, private_sshd
from services.hub import Hub
from services.message_files import take_messages
from services.site_file import load_site
from store.session import open_engine

NOUNS = "http://iec.ch/TC57/2011"

SITE = """
[site]
name = "Files"
zone = "UTC"
env = "TEST"
sender = "AMIHUB"
data = "var"
[roles.wams]
adapter = "partner_files"
kind = "partner"
clock = "UTC"
multiplier = "raw"
stable_seconds = 0
settings = {{ host = "127.0.0.1", port = {port}, user = "{user}", private_key = "{key}", host_keys = {host_keys}, \
outbox = "{home}/outbound", inbox = "{home}/inbound", confirms = "{confirms}" }}
[files]
poll_seconds = 0.2
limit_bytes = 20000
[files.inbound.wams]
event_codes = {{ "3.77.7.7" = "TAMPER" }}
[master_data]
[[routes]]
from = ["wams"]
to = ["wams2"]
nouns = ["EndDeviceControls"]
[roles.wams2]
adapter = "partner_files"
kind = "partner"
clock = "UTC"
multiplier = "raw"
settings = {{ host = "127.0.0.1", port = {port}, user = "{user}", private_key = "{key}", host_keys = {host_keys}, \
outbox = "{home}/outbound2", inbox = "{home}/inbound2", confirms = "{confirms}", form = "as_sent" }}
[files.inbound.wams2]
[roles.mdms]
adapter = "mdms_cim"
kind = "meter_data_system"
clock = "UTC"
multiplier = "raw"
[on_demand_read]
meter_data = "mdms"
"""


def message(number: int, noun: str, inner: str, *, verb: str = "created") -> bytes:
    """Return a bare EventMessage, or a RequestMessage where the verb asks."""
    name = "EventMessage" if verb.endswith("ed") else "RequestMessage"
    return (
        f'<{name} xmlns="{ENVELOPE}"><Header><Verb>{verb}</Verb><Noun>{noun}</Noun>'
        f"<Timestamp>2026-03-02T12:00:00Z</Timestamp><Source>SOMEBODY</Source>"
        f"<MessageID>{uuid(number)}</MessageID><CorrelationID>{uuid(number)}</CorrelationID></Header>"
        f'<Payload><{noun} xmlns="{NOUNS}/{noun}#">{inner}</{noun}></Payload></{name}>'
    ).encode()


def tamper(number: int) -> bytes:
    """Return an event of a device, in the partner's own code."""
    inner = "<createdDateTime>2026-03-02T11:58:00Z</createdDateTime><Assets><mRID>m-1</mRID></Assets>"
    inner = f'<EndDeviceEvent>{inner}<EndDeviceEventType ref="3.77.7.7"/></EndDeviceEvent>'
    return message(number, "EndDeviceEvents", inner)


def usage_point(number: int, mrid: str = "2203895b-6c6a-505a-983b-ba830ca95c61") -> bytes:
    """Return a message of master data."""
    return message(number, "UsagePointConfig", f"<UsagePoint><mRID>{mrid}</mRID></UsagePoint>")


def control(number: int) -> bytes:
    """Return a message that no flow understands and a route names."""
    inner = "<EndDeviceControl><mRID>2203895b-6c6a-505a-983b-ba830ca95c61</mRID>"
    inner += '<EndDeviceControlType ref="3.31.0.23"/></EndDeviceControl>'
    return message(number, "EndDeviceControls", inner, verb="create")


def response(number: int, correlation_id: str, *, result: str = "OK", code: str = "0.0") -> bytes:
    """Return a bare ResponseMessage that answers a message."""
    return (
        f'<ResponseMessage xmlns="{ENVELOPE}"><Header><Verb>reply</Verb><Noun>EndDeviceControls</Noun>'
        f"<Timestamp>2026-03-02T12:00:00Z</Timestamp>"
        f"<MessageID>{uuid(number)}</MessageID><CorrelationID>{correlation_id}</CorrelationID></Header>"
        f"<Reply><Result>{result}</Result><Error><code>{code}</code></Error></Reply></ResponseMessage>"
    ).encode()


@dataclass
class FilePlace:
    """A hub, and what lies on the partner's server."""

    hub: Hub
    server: SshServer

    def offer(self, name: str, data: bytes, *, box: str = "outbound") -> None:
        """Lay a file down with its control file."""
        facts = {"name": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        folder = self.server.files / box
        (folder / name).write_bytes(data)
        stem = name.removesuffix(".gz").removesuffix(".zip").rpartition(".")[0]
        (folder / f"{stem}.ctl").write_text(json.dumps({**facts, "records": {}, "totals": {}, "sequence": 0}))

    def look(self, role: str = "wams") -> IntakeReport:
        """Take in what lies there and carry what is to go out."""
        report = take_messages(self.hub, role)
        self.relay()
        return report

    def relay(self) -> None:
        """Carry what is to go out now."""
        now = datetime.now(UTC)
        ports = {role: self.hub.port(role) for role in ("wams", "wams2")}
        relay_once(ports, transaction=self.hub.transaction, spool=self.hub.spool, now=now, machine_now=now)

    def names(self, box: str) -> list[str]:
        """Return the names of the files in a folder of the partner."""
        return sorted(path.name for path in (self.server.files / box).iterdir() if path.is_file())

    def said(self, name: str) -> tuple[str, str, str]:
        """Return root element, result and correlation id of an answer in the partner's inbox."""
        root = etree.fromstring((self.server.files / "inbound" / name).read_bytes())
        result, correlation = root.findtext(".//{*}Result", ""), root.findtext(".//{*}CorrelationID", "")
        return etree.QName(root).localname, result, correlation

    def rows(self, statement: str) -> list[tuple[str, ...]]:
        """Return what the hub's database says."""
        connection = sqlite3.connect(self.hub.site.data / "hub.db", timeout=30)
        try:
            return [tuple(str(each) for each in row) for row in connection.execute(statement)]
        finally:
            connection.close()


@contextmanager
def file_place(folder: Path, *, confirms: str = "file") -> Iterator[FilePlace]:
    """Run a server and open a hub whose partner lays messages there."""
    with private_sshd() as server:
        for name in ("outbound", "inbound", "outbound2", "inbound2"):
            (server.files / name).mkdir()
        path = folder / "site.toml"
        path.write_text(
            SITE.format(
                port=server.port,
                user=server.user,
                key=server.private_key,
                host_keys=json.dumps(list(server.host_keys)),
                home=server.home,
                confirms=confirms,
            )
        )
        hub = Hub(load_site(path))
        engine = open_engine(hub.site.store_url)
        SQLModel.metadata.create_all(engine)
        engine.dispose()
        try:
            yield FilePlace(hub, server)
        finally:
            hub.close()
