"""A utility of two towns, run for real: two CIS, two MDMS, field work, and one hub between them as `amihub serve`."""

import http.client
import json
import os
import socket
import sqlite3
import ssl
import subprocess
import sys
import time
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lxml import etree

from simulators.certificates import make_certificates

ROOT = Path(__file__).parents[1]
AMIHUB = Path(sys.executable).with_name("amihub")
SYSTEMS = ("cis_north", "cis_south", "mdms_north", "mdms_south", "wams")
SECRET = "right"
UP = "http://iec.ch/TC57/2011"

SITE = """
[site]
name = "Two Towns"
zone = "America/Toronto"
env = "TEST"
sender = "AMIHUB"
data = "{folder}/var"
[serve]
port = {hub}
certificate = "{folder}/tls/hub.pem"
private_key = "{folder}/tls/hub.key"
[master_data]
search_interval_minutes = 0.1
origins = {{ link = "cis", exchange = "wams" }}
[territories.north]
customer_system = "cis_north"
meter_data = "mdms_north"
districts = ["N1", "N2"]
[territories.south]
customer_system = "cis_south"
meter_data = "mdms_south"
districts = ["S1"]
[[routes]]
from = ["cis_north", "cis_south"]
to = ["meter_data"]
[[routes]]
from = ["wams"]
nouns = ["MeterServiceRequests", "MeterConfig"]
to = ["customer_system", "meter_data"]
[[routes]]
nouns = ["EndDeviceControls"]
verbs = ["create"]
to = ["meter_data"]
[on_demand_read]
meter_data = "by territory"
timeout_seconds = 5
coalesce_seconds = 0
"""
ROLE = """
[serve.clients.{name}]
password = "{secret}"
system = "{system}"
[roles.{name}]
adapter = "{adapter}"
kind = "{kind}"
clock = "UTC"
multiplier = "raw"
  [roles.{name}.delivery]
  backoff_seconds = 0.2
  backoff_cap_seconds = 0.5
  breaker_open_seconds = 0.2
  attempts = 500
  [roles.{name}.settings]
  {url} = "https://127.0.0.1:{port}/cim"
  user = "amihub"
  password = "{secret}"
  ca_file = "{folder}/tls/ca.pem"
"""
KINDS = {"cis": ("cis_cim", "customer_system", "url"), "mdms": ("mdms_cim", "meter_data_system", "services_url")}


def uid(*words: object) -> str:
    """Return the mRID of a thing of the script."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, " ".join(map(str, words))))


@dataclass
class Towns:
    """The running systems, each reached over its own wire."""

    folder: Path
    ports: Mapping[str, int]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def tell(self, system: str, verb: str, noun: str, *objects: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """Have a system tell the hub something, and return the hub's answer."""
        order = {"verb": verb, "noun": noun, "objects": objects, **more}
        answer: dict[str, Any] = self._ask(system, "/control/send", order)
        return answer

    def good(self, system: str, verb: str, noun: str, *objects: Mapping[str, Any], **more: Any) -> None:
        """Have a system tell the hub something that is good."""
        answer = self.tell(system, verb, noun, *objects, **more)
        assert answer["result"] == "OK", (verb, noun, objects, answer)

    def seed(self, system: str, *readings: Mapping[str, Any]) -> None:
        """Give an MDMS readings to hold."""
        self._ask(system, "/control/readings", readings)

    def book(self, system: str, table: str) -> list[dict[str, Any]]:
        """Return the rows of a system's book."""
        rows: list[dict[str, Any]] = self._ask(system, f"/control/books/{table}", None)
        return rows

    def objects(self, system: str, kind: str) -> set[str]:
        """Return the ids of what stands in a system's books."""
        return {one["id"] for one in self.book(system, "object") if one["class"] == kind and one["state"] == "open"}

    def links(self, system: str) -> set[tuple[str, str, str, str | None]]:
        """Return the meters' links in a system's books: meter, usage point, start and end."""
        rows = self.book(system, "link")
        return {(one["id"], one["usage_point"], one["start"], one["end"]) for one in rows if one["kind"] == "Meter"}

    def readings_of(self, caller: str, *points: str) -> tuple[str, dict[str, list[str]], dict[str, str]]:
        """Ask the hub as a CIS would: return the result, values by usage point, and error codes by usage point."""
        body = _question(points)
        root = etree.fromstring(self.call(caller, "GetMeterReadings", body))
        values: dict[str, list[str]] = {}
        for reading in root.iter("{*}MeterReading"):
            point = reading.findtext("{*}UsagePoint/{*}mRID") or ""
            values.setdefault(point, []).extend(str(one.text) for one in reading.iter("{*}value"))
        errors = {str(one.findtext("{*}ID")): str(one.findtext("{*}code")) for one in root.iter("{*}Error")}
        return str(root.findtext(".//{*}Result")), values, errors

    def call(self, caller: str, service: str, body: bytes) -> bytes:
        """Send bytes to the hub as a caller, and return what it answers."""
        return _post(self.ports["hub"], f"/cim/{service}", body, caller, self.folder)

    def work(self) -> list[tuple[str, str]]:
        """Return code and key of all open work."""
        with sqlite3.connect(self.folder / "var" / "hub.db", timeout=30) as connection:
            query = "SELECT code, key FROM work_item WHERE state = 'OPEN' ORDER BY code, key"
            return connection.execute(query).fetchall()

    def stop(self, system: str) -> None:
        """End a system."""
        self.processes[system].terminate()
        self.processes.pop(system).wait(30)

    def start(self, system: str) -> None:
        """Begin a system and wait until it listens."""
        tls = self.folder / "tls"
        variables = {**os.environ, "CIM_PASSWORD": SECRET, "CIM_HUB_PASSWORD": SECRET, "PYTHONPATH": str(ROOT)}
        variables["AMIHUB_SITE"] = str(self.folder / "site.toml")
        module = "simulators.cim_mdms" if system.startswith("mdms") else "simulators.cim_cis"
        command = [
            *(sys.executable, "-m", module, "--name", system, "--port", str(self.ports[system])),
            *("--books", str(self.folder / system), "--cert", str(tls / f"{system}.pem")),
            *("--hub", f"https://127.0.0.1:{self.ports['hub']}/cim", "--ca", str(tls / "ca.pem")),
        ]
        with (self.folder / f"{system}.log").open("ab") as log:
            self.processes[system] = subprocess.Popen(
                [str(AMIHUB), "serve"] if system == "hub" else command,
                env=variables, cwd=self.folder, stdout=log, stderr=log,
            )  # fmt: skip
        self._wait(system)

    def _wait(self, system: str) -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until and self.processes[system].poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.ports[system]), timeout=1):
                return
            time.sleep(0.1)
        raise AssertionError((self.folder / f"{system}.log").read_text())

    def _ask(self, system: str, path: str, order: Any) -> Any:
        body = None if order is None else json.dumps(order).encode()
        return json.loads(_post(self.ports[system], path, body, "amihub", self.folder))


def eventually(look: Callable[[], Any], wanted: Any, *, seconds: float = 60) -> None:
    """Look until what is wanted is seen, or fail with what was seen last."""
    until = time.monotonic() + seconds
    seen = look()
    while seen != wanted and time.monotonic() < until:
        time.sleep(0.2)
        seen = look()
    assert seen == wanted


@contextmanager
def two_towns(folder: Path) -> Iterator[Towns]:
    """Run everything below a folder until the end of the block."""
    names = ("hub", *SYSTEMS)
    make_certificates(folder / "tls", names)
    towns = Towns(folder, dict(zip(names, _free_ports(len(names)), strict=True)))
    site = SITE.format(folder=folder, hub=towns.ports["hub"])
    for name in SYSTEMS:
        system = name.partition("_")[0]
        adapter, kind, url = KINDS.get(system, ("cis_cim", "work_system", "url"))
        site += ROLE.format(
            name=name, system=system, adapter=adapter, kind=kind, url=url, port=towns.ports[name],
            folder=folder, secret=SECRET,
        )  # fmt: skip
    (folder / "site.toml").write_text(site)
    variables = {**os.environ, "AMIHUB_SITE": str(folder / "site.toml")}
    subprocess.run([str(AMIHUB), "db", "upgrade"], env=variables, check=True, capture_output=True)
    try:
        for name in (*SYSTEMS, "hub"):
            towns.start(name)
        yield towns
    finally:
        for name in list(towns.processes):
            towns.stop(name)


def _free_ports(count: int) -> Sequence[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _post(port: int, path: str, body: bytes | None, user: str, folder: Path) -> bytes:
    context = ssl.create_default_context(cafile=str(folder / "tls" / "ca.pem"))
    secret = b64encode(f"{user}:{SECRET}".encode()).decode()
    headers = {"Authorization": f"Basic {secret}", "Content-Type": "text/xml; charset=utf-8"}
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=90, context=context)
    try:
        connection.request("GET" if body is None else "POST", path, body, headers)
        return connection.getresponse().read()
    finally:
        connection.close()


def _question(points: Sequence[str]) -> bytes:
    asked = "".join(f"<UsagePoint><mRID>{one}</mRID></UsagePoint>" for one in points)
    span = (
        "<Reading><timePeriod><end>2026-03-31T00:00:00Z</end><start>2026-03-01T00:00:00Z</start></timePeriod></Reading>"
    )
    return (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        f'<GetMeterReadings xmlns="{UP}/GetMeterReadingsMessage" xmlns:e="{UP}/schema/message"><Header>'
        "<e:Verb>get</e:Verb><e:Noun>MeterReadings</e:Noun><e:Timestamp>2026-04-01T00:00:00Z</e:Timestamp>"
        f"<e:MessageID>{uuid.uuid4()}</e:MessageID><e:CorrelationID>{uuid.uuid4()}</e:CorrelationID></Header>"
        f'<Request><GetMeterReadings xmlns="{UP}/GetMeterReadings#">{span}{asked}</GetMeterReadings></Request>'
        "</GetMeterReadings></s:Body></s:Envelope>"
    ).encode()
