"""200 MB of readings to a running hub: taken whole, and its memory does not grow with them."""

import http.client
import os
import re
import socket
import ssl
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from served_cim import YEAR, message
from soap_certificates import certificate
from sqlmodel import SQLModel, func, select

import store.tables  # noqa: F401
from canonical.metering import Installation, UsagePoint
from flows import reference
from services.hub import Hub
from services.site_file import load_site
from store.messages import StoredMessage
from store.readings import IntervalBlockRow

MEGABYTE = 1024 * 1024
METERS, DAYS = 425, 32
QUARTERS = "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
SITE = """
[site]
name = "Large"
zone = "UTC"
env = "TEST"
sender = "AMIHUB"
data = "var"
[roles.mdms]
adapter = "mdms_cim"
kind = "meter_data_system"
clock = "UTC"
multiplier = "raw"
[roles.mdms.settings]
services_url = "https://mdms.example/"
user = "hub"
password = "right"
[serve]
host = "127.0.0.1"
port = {port}
certificate = "{certificate}"
private_key = "{key}"
[serve.clients.mdms]
password = "right"
"""


@contextmanager
def served(folder: Path, files: tuple[str, str]) -> Iterator[tuple[int, int, Hub]]:
    """Run `amihub serve --only cim`; yield its port, its process id, and the hub of the same site."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    key, cert = files
    site = folder / "site.toml"
    site.write_text(SITE.format(port=port, certificate=cert, key=key))
    hub = Hub(load_site(site))
    with hub.transaction() as session:
        SQLModel.metadata.create_all(session.get_bind())
    log = folder / "serve.log"
    command = [str(Path(sys.executable).with_name("amihub")), "serve", "--only", "cim"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, env={**os.environ, "AMIHUB_SITE": str(site)}, stdout=out, stderr=out)
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until and process.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.1)
        assert process.poll() is None, log.read_text()
        yield port, process.pid, hub
    finally:
        process.terminate()
        process.wait(30)
        hub.close()


def peak_bytes(pid: int) -> int:
    """Return the most memory that a process ever held."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def month() -> str:
    """Return the intervals of one meter: quarter hours, END stamps."""
    stamps = (FIRST + timedelta(minutes=15 * n) for n in range(1, 96 * DAYS + 1))
    return "".join(
        f"<IntervalReadings><timeStamp>{at:%Y-%m-%dT%H:%M:%SZ}</timeStamp><value>0.{n % 1000:03}</value>"
        f'<ReadingQualities><ReadingQualityType ref="3.0.0"/></ReadingQualities></IntervalReadings>'
        for n, at in enumerate(stamps)
    )


def document(number: int, meters: int) -> Iterator[bytes]:
    """Yield a message of the months of many meters, piece by piece."""
    payload = f'<MeterReadings xmlns="{YEAR}/MeterReadings#">@</MeterReadings>'
    begin, end = message("CreatedMeterReadings", payload, number=number).split(b"@")
    intervals = month().encode()
    yield begin
    for n in range(meters):
        yield b"<MeterReading><IntervalBlocks>" + intervals
        yield (
            f'<ReadingType ref="{QUARTERS}"/></IntervalBlocks><Meter><mRID>m-{n}</mRID></Meter>'
            f"<UsagePoint><mRID>up-{n}</mRID></UsagePoint></MeterReading>"
        ).encode()
    yield end


def send(port: int, ca_file: str, number: int, meters: int) -> tuple[int, bytes, int]:
    """Send a document as it is made; return status, answer, and how large it was."""
    size = sum(map(len, document(number, meters)))
    headers = {
        "Authorization": "Basic " + b64encode(b"mdms:right").decode(),
        "Content-Type": "text/xml; charset=utf-8",
        "Content-Length": str(size),
    }
    context = ssl.create_default_context(cafile=ca_file)
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=500, context=context)
    try:
        connection.request("POST", "/cim/ReceiveMeterReadings", document(number, meters), headers)
        response = connection.getresponse()
        return response.status, response.read(), size
    finally:
        connection.close()


@pytest.mark.slow
def test_200_mb_of_readings_are_taken_in_memory_that_does_not_grow(tmp_path: Path) -> None:
    files = certificate(tmp_path)
    with served(tmp_path, files) as (port, pid, hub):
        points = [UsagePoint(f"up-{n}", f"N{n}", "UTC", "ELECTRICITY", "AMI", FIRST) for n in range(METERS)]
        meters = [
            Installation(f"up-{n}", f"m-{n}", "ACME", str(n), "ELECTRICITY", FIRST, None, Decimal(1), ())
            for n in range(METERS)
        ]
        with hub.transaction() as session:
            reference.record(session, [*points, *meters], now=FIRST)
        assert send(port, files[1], 1, 1)[0] == 200
        idle = peak_bytes(pid)

        status, answer, size = send(port, files[1], 2, METERS)
        grown = peak_bytes(pid) - idle

        assert (status, b"Result>OK<" in answer) == (200, True), answer[:2000]
        assert size > 200 * MEGABYTE
        assert grown <= 64 * MEGABYTE, f"{grown / MEGABYTE:.0f} MB more than before"
        with hub.transaction() as session:
            blocks = session.exec(select(func.count()).select_from(IntervalBlockRow)).one()
            entry = session.exec(select(StoredMessage).where(StoredMessage.size == size)).one()
        assert (blocks, entry.state, entry.path[:9]) == (METERS, "done", "messages/")
        print(f"{size / MEGABYTE:.0f} MB, {grown / MEGABYTE:.1f} MB more memory than idle {idle / MEGABYTE:.0f} MB")
