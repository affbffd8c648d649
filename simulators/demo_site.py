"""Prepares a demo's run folder: city, keys, certificates, ports, secrets and the site file of the utility."""

import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path
from string import Template

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
    names = ("cis", "mdms", "mdms_sftp", "hub", "airflow")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    known = secrets_of(keys)
    (folder / "site.toml").write_text(site_text(folder, ports, points=points, calm=calm))
    set_business(folder / "clock.json", REFERENCE.on(BUSINESS_DAYS[0]), rate=0)
    _turn_knobs(folder, sabotage=sabotage, calm=calm)
    return DemoRun(folder, ports, known)


def secrets_of(keys: Path) -> dict[str, str]:
    """Return new passwords and the paths of keys, by environment variable."""
    return {
        "MDMS_PASSWORD": secrets.token_urlsafe(18),
        "MDMS_CALLER_PASSWORD": secrets.token_urlsafe(18),
        "CIS_SFTP_KEY": str(keys / "hub_to_cis"),
        "MDMS_SFTP_KEY": str(keys / "hub_to_mdms"),
        "AMIHUB_CERT": str(keys / "hub.pem"),
        "AMIHUB_CERT_KEY": str(keys / "hub.key"),
    }


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
    template = Template(Path(__file__).with_name("demo_site.toml").read_text(encoding="utf-8"))
    return template.substitute(
        zone=ZONE_NAME,
        part_size=part_size(points, calm=calm),
        cis_key=cis,
        mdms_key=mdms,
        **{f"{name}_port": str(port) for name, port in ports.items()},
    )
