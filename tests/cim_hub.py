"""A real `amihub serve --only cim` of a site made for web services alone: no SFTP, no Airflow."""

import os
import socket
import sqlite3
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

AMIHUB = Path(sys.executable).with_name("amihub")
SITE = """
[site]
name = "Web services"
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
url = "{mdms}/GetMeterReadings"
events_url = "{mdms}/ReceiveMeterReadings"
user = "hub"
password = "env:MDMS_PASSWORD"
ca_file = "{certificate}"

[on_demand_read]
meter_data = "mdms"

[serve]
host = "127.0.0.1"
port = {port}
certificate = "{certificate}"
private_key = "{key}"
"""
LOOSE_TABLES = ("sqlite_sequence", "alembic_version", "message", "message_body", "message_attempt", "work_item")
"""Tables that a refused message may change: its archive, and the work of looking at it."""


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


@dataclass
class CimHub:
    """A running hub."""

    folder: Path
    port: int
    ca_file: str
    process: "subprocess.Popen[bytes]"
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """Address of its web services."""
        return f"https://127.0.0.1:{self.port}/cim"

    @property
    def log(self) -> str:
        """What it has printed so far."""
        return (self.folder / "serve.log").read_text(errors="replace")

    def tls(self, *, certificate: tuple[str, str] | None = None) -> ssl.SSLContext:
        """Return a context that trusts the hub; `certificate` (key file, certificate file) is shown if given."""
        context = ssl.create_default_context(cafile=self.ca_file)
        if certificate is not None:
            context.load_cert_chain(certificate[1], certificate[0])
        return context

    def amihub(self, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of this site."""
        return subprocess.run(
            [str(AMIHUB), *arguments],
            env={**self.environment, **more},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the hub's database from outside."""
        with closing(sqlite3.connect(self.folder / "var" / "hub.db", timeout=30)) as connection:
            return connection.execute(sql, values).fetchall()

    def archive(self) -> dict[int, tuple[str, str, str]]:
        """Return source, state and code of every message, by entry number."""
        return {row[0]: row[1:] for row in self.query("SELECT entry, source, state, code FROM message")}

    def effects(self) -> dict[str, int]:
        """Return the number of rows of every table that a refused message must leave alone."""
        tables = [row[0] for row in self.query("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: self.query(f'SELECT count(*) FROM "{name}"')[0][0]  # noqa: S608 - names of tables
            for name in tables
            if name not in LOOSE_TABLES and not name.startswith("work")
        }

    def memory_mb(self) -> float:
        """Return the most memory that the process has held so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024


@contextmanager
def cim_hub(
    folder: Path,
    certificate: tuple[str, str],
    more: str,
    *,
    mdms: str = "https://127.0.0.1:1",
    only: tuple[str, ...] = ("cim",),
    **secrets: str,
) -> Iterator[CimHub]:
    """Write a site file, make its database, and serve until the end of the block.

    `certificate` is the key file and the certificate file; `more` follows the keys of [serve]: keys, clients, replies;
    `only` are the parts that run, all of them if empty.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port, (key_file, cert_file) = free_port(), certificate
    text = SITE.format(mdms=mdms, port=port, certificate=cert_file, key=key_file) + more
    (folder / "site.toml").write_text(text)
    values = {**os.environ, "AMIHUB_SITE": str(folder / "site.toml"), "MDMS_PASSWORD": "mdms-word", **secrets}
    subprocess.run([str(AMIHUB), "db", "upgrade"], env=values, cwd=folder, check=True, capture_output=True)
    with (folder / "serve.log").open("wb") as out:
        parts = [word for part in only for word in ("--only", part)]
        process = subprocess.Popen([str(AMIHUB), "serve", *parts], env=values, stdout=out, stderr=out, cwd=folder)
        try:
            _wait(port, process, folder / "serve.log")
            yield CimHub(folder, port, cert_file, process, values)
        finally:
            process.terminate()
            process.wait(60)


def _wait(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until somebody listens."""
    until = time.monotonic() + 90
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise AssertionError(log.read_text())
