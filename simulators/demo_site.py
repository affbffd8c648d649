"""Prepares a demo's run folder: city, keys, certificates, ports, secrets and the site file of the utility."""

import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

from simulators import city
from simulators.certificates import make_certificates
from simulators.clock import set_business
from simulators.knobs import Knobs
from simulators.local_days import ZONE_NAME
from simulators.script import BUSINESS_DAYS, REFERENCE
from simulators.sftp_server import make_keys, public_line

KEYS = ("cis_host", "mdms_host", "hub_to_cis", "hub_to_mdms")


@dataclass(frozen=True, slots=True)
class DemoRun:
    """A prepared run folder."""

    folder: Path
    ports: dict[str, int]
    secrets: dict[str, str]
    """Environment variables with passwords and paths of keys."""

    @property
    def clock(self) -> Path:
        """The business clock's file."""
        return self.folder / "clock.json"

    @property
    def environment(self) -> dict[str, str]:
        """Environment of every process of the demo."""
        return {
            **os.environ,
            **self.secrets,
            "AMIHUB_SITE": str(self.folder / "site.toml"),
            "PYTHONPATH": str(Path(__file__).resolve().parents[1]),
            "PYTHONUNBUFFERED": "1",
        }


def free_ports(count: int) -> list[int]:
    """Return that many ports of 127.0.0.1 on which nobody listens at this moment."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


def prepare(folder: Path, *, points: int, seed: int, sabotage: str, days: int = 2, calm: bool = False) -> DemoRun:
    """Found the city, make keys, certificates and secrets, and write the site file below a new folder."""
    folder.mkdir(parents=True)
    keys = folder / "keys"
    city.found(folder / "city", seed=seed, points=points, days=days, calm=calm)
    for name in KEYS:
        make_keys(keys, name=name)
    make_certificates(keys, ("hub", "mdms"))
    names = ("cis", "mdms", "mdms_sftp", "hub", "airflow", "airflow_logs", "airflow_trigger_logs")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    known = {
        "MDMS_PASSWORD": secrets.token_urlsafe(18),
        "MDMS_CALLER_PASSWORD": secrets.token_urlsafe(18),
        "CIS_SFTP_KEY": str(keys / "hub_to_cis"),
        "MDMS_SFTP_KEY": str(keys / "hub_to_mdms"),
        "AMIHUB_CERT": str(keys / "hub.pem"),
        "AMIHUB_CERT_KEY": str(keys / "hub.key"),
    }
    (folder / "site.toml").write_text(site_text(folder, ports, points=points, calm=calm))
    set_business(folder / "clock.json", REFERENCE.on(BUSINESS_DAYS[0]), rate=0)
    _turn_knobs(folder, sabotage=sabotage, calm=calm)
    return DemoRun(folder, ports, known)


def _turn_knobs(folder: Path, *, sabotage: str, calm: bool) -> None:
    """Set the troubles of the script, and the sabotage if one is wanted."""
    first = BUSINESS_DAYS[0].isoformat()
    mass = {"interface": "CISMASS", "date": first}
    troubles: dict[str, object] = {
        "truncate_request": [first],
        "duplicate_request": [first],
        "nack_part": [mass | {"part": 2}],
        "silent_part": [mass | {"part": 3}],
    }
    for system in ("cis", "mdms"):
        (folder / system).mkdir(exist_ok=True)
        wanted = troubles if system == "cis" and not calm else {}
        Knobs(folder / system / "knobs.json").write(wanted | {"sabotage": sabotage})


def part_size(points: int, *, calm: bool) -> int:
    """Return how many determinants go into one part, so that a business day has about five parts."""
    return 2000 if calm else max(points // 12, 8)


def site_text(folder: Path, ports: dict[str, int], *, points: int, calm: bool) -> str:
    """Return the site file of the demo's utility."""
    keys = folder / "keys"
    cis, mdms = public_line(keys / "cis_host"), public_line(keys / "mdms_host")
    window = f"""zone = "{ZONE_NAME}"
window_start = "MidnightOfReceivedDate"
window_hours = 17
loading_cutoff = "17:30"
decimals = 3
part_size = {part_size(points, calm=calm)}
batch_size = 500
read_lag_minutes = 0
read_lead_minutes = 4320
"""
    folders = 'outbox = "outbound"\ninbox = "inbound"\narchive = "outbound/archive"\nreject = "outbound/reject"\n'
    return f"""# The utility of the demo. Written by simulators.demo; see site.example.toml for what each key means.
[site]
name = "Demo City Power"
zone = "{ZONE_NAME}"
env = "TEST"
sender = "AMIHUB"
data = "hub"
demo_clock = "clock.json"

[store]
url = "sqlite:///hub.db"

[roles.cis]
adapter = "cis_flatfile"
kind = "customer_system"
clock = "OFFSET_IN_MESSAGE"
multiplier = "raw"
[roles.cis.settings]
host = "127.0.0.1"
port = {ports["cis"]}
user = "amihub"
private_key = "env:CIS_SFTP_KEY"
host_keys = ["{cis}"]
{folders}layout = "billing_drop"

[roles.mdms]
adapter = "mdms_cim"
kind = "meter_data_system"
clock = "UTC"
multiplier = "raw"
[roles.mdms.settings]
url = "https://127.0.0.1:{ports["mdms"]}/cim/GetMeterReadings"
events_url = "https://127.0.0.1:{ports["mdms"]}/cim/ReceiveMeterReadings"
edition = "2011"
user = "amihub"
password = "env:MDMS_PASSWORD"
ca_file = "keys/ca.pem"
batch = 200

[roles.mdms_files]
adapter = "mdms_nem"
kind = "meter_data_files"
clock = "ALWAYS_STANDARD"
multiplier = "raw"
[roles.mdms_files.settings]
host = "127.0.0.1"
port = {ports["mdms_sftp"]}
user = "amihub"
private_key = "env:MDMS_SFTP_KEY"
host_keys = ["{mdms}"]
{folders}zone = "Etc/GMT+5"

[serve]
host = "127.0.0.1"
port = {ports["hub"]}
certificate = "env:AMIHUB_CERT"
private_key = "env:AMIHUB_CERT_KEY"
[serve.clients.mdms]
password = "env:MDMS_CALLER_PASSWORD"

[billing.mass]
customer_system = "cis"
partner = "CISMASS"
inboxes = ["cis", "mdms_files"]
meter_data = "mdms"
determinants = "mdms"
rounding = "cumulative"
{window}
[billing.interval]
customer_system = "cis"
partner = "CISINT"
inboxes = ["cis", "mdms_files"]
meter_data = "mdms"
determinants = "hub"
rounding = "interval_residual"
{window}
[work.owners]
billing = "billing-desk"
metering = "meter-ops"
integration = "integration-team"
"""
