"""Prepares a demo's run folder: city, keys, certificates, ports, secrets and the site file of the utility."""

import os
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from simulators import city
from simulators.certificates import make_certificates
from simulators.clock import set_business
from simulators.local_days import ZONE_NAME
from simulators.masters_plan import write_first_files
from simulators.masters_roles import HUB_KEY, make_master_keys, masters_sections, port_name
from simulators.masters_script import FIRST_FILES
from simulators.script import BUSINESS_DAYS
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


def found_run(
    folder: Path,
    *,
    points: int,
    seed: int,
    systems: Sequence[str],
    days: int = 2,
    calm: bool = False,
    more: str = "",
) -> DemoRun:
    """Found a city and its systems below a new folder, and write the site file of the utility.

    Each of `systems` keeps masters and drops all that it holds on the first morning; `more` is added to the site file.
    """
    folder.mkdir(parents=True)
    keys = folder / "keys"
    city.found(folder / "city", seed=seed, points=points, days=days, calm=calm)
    write_first_files(folder, systems)
    for name in KEYS:
        make_keys(keys, name=name)
    make_master_keys(keys, systems)
    make_certificates(keys, ("hub", "mdms"))
    names = ("cis", "mdms", "mdms_sftp", "hub", "airflow", *map(port_name, systems))
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    (folder / "site.toml").write_text(
        site_text(folder, ports, systems=systems, part_size=part_size(points, calm=calm), more=more)
    )
    set_business(folder / "clock.json", FIRST_FILES.on(BUSINESS_DAYS[0]), rate=0)
    return DemoRun(folder, ports, secrets_of(keys))


def secrets_of(keys: Path) -> dict[str, str]:
    """Return new passwords and the paths of keys, by environment variable."""
    return {
        "MDMS_PASSWORD": secrets.token_urlsafe(18),
        "MDMS_CALLER_PASSWORD": secrets.token_urlsafe(18),
        "CIS_SFTP_KEY": str(keys / "hub_to_cis"),
        "MDMS_SFTP_KEY": str(keys / "hub_to_mdms"),
        "MASTERS_SFTP_KEY": str(keys / HUB_KEY),
        "AMIHUB_CERT": str(keys / "hub.pem"),
        "AMIHUB_CERT_KEY": str(keys / "hub.key"),
    }


def part_size(points: int, *, calm: bool) -> int:
    """Return how many determinants go into one part, so that a business day has about five parts."""
    return 2000 if calm else max(points // 12, 8)


def site_text(folder: Path, ports: dict[str, int], *, systems: Sequence[str], part_size: int, more: str = "") -> str:
    """Return the site file of the demo's utility: its billing, the systems that keep its masters, and `more`."""
    keys = folder / "keys"
    template = Template(Path(__file__).with_name("demo_site.toml").read_text(encoding="utf-8"))
    return template.substitute(
        zone=ZONE_NAME,
        masters=masters_sections(systems, ports, keys),
        more=more,
        part_size=part_size,
        cis_key=public_line(keys / "cis_host"),
        mdms_key=public_line(keys / "mdms_host"),
        **{f"{name}_port": str(ports[name]) for name in ("cis", "mdms", "mdms_sftp", "hub")},
    )
