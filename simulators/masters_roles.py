"""The part of a demo's site file by which the hub reaches the systems that keep masters, and takes in their files."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Template

from simulators.masters_city import SORTS, Sort
from simulators.sftp_server import make_keys, public_line

_ROLE = Template("""[roles.$name]
adapter = "$adapter"
kind = "$kind"
clock = "OFFSET_IN_MESSAGE"
multiplier = "raw"
[roles.$name.settings]
host = "127.0.0.1"
port = $port
user = "amihub"
private_key = "env:MASTERS_SFTP_KEY"
host_keys = ["$key"]
outbox = "outbound"
inbox = "inbound"
archive = "outbound/archive"
reject = "outbound/reject"
$told
""")

_TOLD = Template("""sender = "AMIHUB"
receiver = "$sender"
env = "TEST"
zone = "$zone"
""")

_MASTERS = Template("""[masters]
inboxes = [$inboxes]
history = "full"
[masters.granularity]
$granularity
""")

_KINDS = {"cis": "customer_system", "mdms": "meter_data_files", "wams": "work_system"}
_GRAINS = {86_400: "day", 60: "minute"}

HUB_KEY = "hub_to_masters"
"""Name of the key with which the hub comes to every system that keeps masters."""


def port_name(system: str) -> str:
    """Return under which name the port of a system that keeps masters is known."""
    return f"masters_{system}"


def host_key(system: str) -> str:
    """Return the name of a system's host key."""
    return f"masters_{system}_host"


def make_master_keys(keys: Path, systems: Iterable[str]) -> None:
    """Make the hub's key and the host key of each system."""
    for name in (HUB_KEY, *map(host_key, systems)):
        make_keys(keys, name=name)


def masters_sections(systems: Iterable[str], ports: Mapping[str, int], keys: Path) -> str:
    """Return `[roles.*]` of systems that keep masters, and `[masters]`, as text of a site file."""
    sorts = [SORTS[name] for name in systems]
    grains = [f'{sort.name} = "{_GRAINS[sort.grain_s]}"' for sort in sorts if sort.grain_s in _GRAINS]
    inboxes = ", ".join(f'"{sort.name}"' for sort in sorts)
    roles = (_role(sort, ports[port_name(sort.name)], keys) for sort in sorts)
    return "".join((*roles, _MASTERS.substitute(inboxes=inboxes, granularity="\n".join(grains))))


def _role(sort: Sort, port: int, keys: Path) -> str:
    is_told = sort.layout == "masters"
    return _ROLE.substitute(
        name=sort.name,
        adapter="masters_flatfile" if is_told else "gis_flatfile",
        told=_TOLD.substitute(sender=sort.sender, zone=sort.zone) if is_told else "",
        kind=_KINDS.get(sort.name, "partner"),
        port=port,
        key=public_line(keys / host_key(sort.name)),
    )
