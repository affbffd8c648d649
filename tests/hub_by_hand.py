"""A real hub run as processes, and one CIS whose files are written by hand: nothing of the hub writes or reads them.

The site is a folder with a site file, a database made by `amihub db upgrade`, and a business clock that tests set.
"""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from servers.openssh import SshServer

AMIHUB = Path(sys.executable).with_name("amihub")
ZONE = "America/Toronto"

SITE = """
[site]
name = "By hand"
zone = "America/Toronto"
env = "TEST"
sender = "AMIHUB"
data = "var"
demo_clock = "clock.json"

[roles.cis]
adapter = "cis_flatfile"
kind = "customer_system"
clock = "OFFSET_IN_MESSAGE"
multiplier = "raw"
[roles.cis.settings]
host = "127.0.0.1"
port = {port}
user = "{user}"
private_key = "{private_key}"
host_keys = ["{host_key}"]
outbox = "{home}/outbound"
inbox = "{home}/inbound"
archive = "{home}/outbound/archive"
reject = "{home}/outbound/reject"
serial_digits = {{ ACME = 8 }}

[billing.mass]
customer_system = "cis"
partner = "CISMASS"
inboxes = ["cis"]
determinants = "mdms"
zone = "America/Toronto"
"""


def sha256(data: bytes) -> str:
    """Return the hash as control files state it."""
    return hashlib.sha256(data).hexdigest()


def request_name(sequence: int, *, day: str = "20260302", revision: int = 0) -> str:
    """Return the name of a request file."""
    return f"BR_CISMASS_AMIHUB_TEST_ON_01_{day}_{sequence:06}_r{revision}.dat"


def reference_name(sequence: int, *, day: str = "20260302") -> str:
    """Return the name of a reference file."""
    return f"RF_CISMASS_AMIHUB_TEST_MASTER_{day}_{sequence:06}_r0.dat"


def req(key: str, usage_point: str = "up-1", *, manufacturer: str = "", serial: str = "", start: str = "") -> str:
    """Return one request line."""
    fields = ["REQ", key, "CYCLE", "ELECTRICITY", usage_point, "", "", manufacturer, serial]
    fields += [start or "2026-02-01T00:00:00-05:00", "2026-03-01T00:00:00-05:00", "", ""]
    return "|".join(fields)


def hash_of(keys: Sequence[str]) -> str:
    """Return the trailer's hash over keys."""
    return sha256("".join(f"{key}\n" for key in keys).encode())


def request_file(
    sequence: int, *lines: str, day: str = "2026-03-02", trailer: str | None = None, layout: str = "billing_request|1"
) -> bytes:
    """Return a request file of these REQ lines; an empty `trailer` leaves it out."""
    header = f"HDR|{layout}|file-{sequence}|CISMASS|AMIHUB|TEST|2026-03-02T05:00:00-05:00|{day}|{ZONE}|{sequence}|ON|01"
    if trailer is None:
        trailer = f"TRL|{len(lines)}|0|{hash_of([line.split('|')[1] for line in lines])}"
    return "".join(f"{line}\n" for line in (header, *lines, trailer) if line).encode()


def reference_file(sequence: int, *lines: str, day: str = "2026-03-02") -> bytes:
    """Return a reference file of these lines."""
    created = "2026-03-02T05:00:00-05:00"
    header = f"HDR|reference|1|ref-{sequence}|CISMASS|AMIHUB|TEST|{created}|{day}|{ZONE}|{sequence}|MASTER"
    kinds = [line.split("|")[0] for line in lines]
    counts = "|".join(str(kinds.count(kind)) for kind in ("UPT", "AGR", "CYC", "TOU", "HOL", "MTR", "REG"))
    trailer = f"TRL|{counts}|{hash_of([line.split('|')[1] for line in lines])}"
    return "".join(f"{line}\n" for line in (header, *lines, trailer)).encode()


def upt(usage_point: str, *, valid_from: str = "2024-01-01T00:00:00-05:00") -> str:
    """Return the line of one usage point that is read by hand."""
    return f"UPT|{usage_point}|Name of {usage_point}|{ZONE}|ELECTRICITY|MANUAL|D1|R1|{valid_from}|"


@dataclass
class Run:
    """What one command said."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def text(self) -> str:
        """Both streams."""
        return self.out + self.err


@dataclass
class HubByHand:
    """A site folder, and the server of its CIS."""

    folder: Path
    server: SshServer
    environment: dict[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    """What runs `amihub`, in front of it; empty: nothing."""

    def found(self, *, site: str = SITE, **different: str) -> None:
        """Write site file and clock, make the folders of the CIS, and create the database."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in ("outbound", "inbound"):
            (self.server.files / name).mkdir(exist_ok=True)
        self.write_site(site, **different)
        self.set_clock("2026-03-02T11:00:00+00:00")
        assert self.amihub("db", "upgrade").code == 0

    def write_site(self, site: str = SITE, **different: str) -> None:
        """Write the site file."""
        values = {
            "port": str(self.server.port),
            "user": self.server.user,
            "private_key": str(self.server.private_key),
            "host_key": self.server.host_keys[0],
            "home": self.server.home,
        }
        (self.folder / "site.toml").write_text(site.format(**(values | different)))

    def set_clock(self, business: str) -> None:
        """Stop business time at an instant."""
        (self.folder / "clock.json").write_text(json.dumps({"wall": 0, "business": business, "rate": 0}))

    def variables(self) -> dict[str, str]:
        """Return the environment in which commands of this site run."""
        return {**os.environ, "AMIHUB_SITE": str(self.folder / "site.toml"), **self.environment}

    def amihub(self, *arguments: str, environment: Mapping[str, str] | None = None) -> Run:
        """Run the command and measure it."""
        values = {**self.variables(), **(environment or {})}
        began = time.monotonic()
        process = subprocess.Popen(
            [*self.command, str(AMIHUB), *arguments],
            env=values,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.folder,
        )
        out, err = process.communicate(timeout=570)
        return Run(process.returncode, out.decode(), err.decode(), time.monotonic() - began)

    def offer(self, name: str, data: bytes, /, *, control: bool = True, **wrong: Any) -> None:
        """Lay a file into the CIS's outbox, with a control file that is right but for what `wrong` says."""
        outbound = self.server.files / "outbound"
        (outbound / name).write_bytes(data)
        if control:
            facts = {"name": name, "bytes": len(data), "sha256": sha256(data), "records": {}, "totals": {}}
            parts = name.split("_")
            facts |= {"sequence": int(parts[-2]) if len(parts) > 2 and parts[-2].isdigit() else 0} | wrong
            (outbound / f"{name.split('.')[0]}.ctl").write_text(json.dumps(facts))

    def answer(self, name: str) -> dict[str, Any] | None:
        """Return the acknowledgement of a file, None when there is none."""
        path = self.server.files / "inbound" / f"{name.split('.')[0]}.ack"
        return json.loads(path.read_text()) if path.exists() else None

    def lies_in(self, folder: str) -> list[str]:
        """Return the data files in a folder of the CIS."""
        place = self.server.files / folder
        return sorted(p.name for p in place.glob("*") if p.is_file() and p.suffix != ".ctl") if place.exists() else []
