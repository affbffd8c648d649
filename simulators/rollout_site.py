"""Prepares the run folder of the rollout's chapter: city, books, keys, ports and the site file of the utility."""

import secrets
from pathlib import Path
from string import Template

from simulators import rollout_city
from simulators.certificates import make_certificates
from simulators.city_book import CityBook
from simulators.clock import set_business
from simulators.demo_site import KEYS, DemoRun, free_ports, secrets_of, site_text
from simulators.local_days import ZONE_NAME
from simulators.masters_plan import write_first_files
from simulators.masters_roles import make_master_keys, port_name
from simulators.masters_script import FIRST_FILES
from simulators.rollout_books import SYSTEMS, begin
from simulators.rollout_sftp import PARTNERS
from simulators.rollout_truth import FIELD_DAY, Truth
from simulators.sftp_server import make_keys, public_line

MASTERS = ("cis", "wams", "mdms", "gis")
"""Systems from whose files the hub is loaded; what the head-end holds of meters that people read tells it nothing."""

_SPEAKS = {
    "cis_ws": ("cis_cim", "customer_system", "url"),
    "mdms_ws": ("mdms_cim", "meter_data_system", "services_url"),
    "hes_ws": ("hes_cim", "head_end", "url"),
    "oms_ws": ("cis_cim", "outage_system", "url"),
    "wams_ws": ("wams_cim", "work_system", "url"),
}
"""Adapter, kind, and the setting of its address, by role."""

SMALL = 1000
"""Usage points up to which the hub looks every second: a look at all that are under way costs little."""

_SYSTEM = Template("""[serve.clients.$name]
password = "env:ROLLOUT_CALLER_PASSWORD"
role = "$name"
[roles.$name]
adapter = "$adapter"
kind = "$kind"
clock = "UTC"
multiplier = "raw"
[roles.$name.settings]
$url = "https://127.0.0.1:$port/cim"
user = "amihub"
password = "env:ROLLOUT_PASSWORD"
ca_file = "keys/ca.pem"
operations_per_message = 50
[roles.$name.delivery]
batch = 200
in_flight = 1000
timeout_seconds = 20
lease_seconds = 4500
""")

_PARTNER = Template("""[roles.$name]
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
""")

_WRITTEN = f'receiver = "READERS"\nenv = "TEST"\nzone = "{ZONE_NAME}"\nformat = "delimited"\n'
"""What the hub writes to the reader."""

_PARTNERS = (
    ("maker", "shipment_file", "partner", ""),
    ("crews", "contractor_file", "work_system", ""),
    ("reader", "route_file", "route_reader", _WRITTEN),
)
"""Name, adapter, kind and further settings of everybody who works by files."""


def prepare(folder: Path, *, points: int, seed: int) -> DemoRun:
    """Found the city and its systems below a new folder, with what each holds on the first day."""
    folder.mkdir(parents=True)
    rollout_city.found(folder / "city", seed=seed, points=points)
    write_first_files(folder, MASTERS)
    for name in ("cis", "mdms"):
        (folder / name).mkdir()
    begin(folder, truth_of(folder))
    keys = folder / "keys"
    for name in (*KEYS, *(f"{partner}_host" for partner in PARTNERS)):
        make_keys(keys, name=name)
    make_master_keys(keys, MASTERS)
    make_certificates(keys, ("hub", "mdms", *SYSTEMS))
    names = ("cis", "mdms", "mdms_sftp", "hub", "airflow", *map(port_name, MASTERS), *SYSTEMS, *PARTNERS)
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    more = _more(ports, keys, capacity=points)
    (folder / "site.toml").write_text(site_text(folder, ports, systems=MASTERS, part_size=500, more=more))
    set_business(folder / "clock.json", FIRST_FILES.on(FIELD_DAY), rate=0)
    own = {name: secrets.token_urlsafe(18) for name in ("ROLLOUT_PASSWORD", "ROLLOUT_CALLER_PASSWORD")}
    return DemoRun(folder, ports, secrets_of(keys) | own)


def truth_of(folder: Path) -> Truth:
    """Return the truth of a run folder's city."""
    city = CityBook(folder / "city" / "city.sqlite")
    truth = Truth(city)
    city.close()
    return truth


def _more(ports: dict[str, int], keys: Path, *, capacity: int) -> str:
    """Return the part of the site file that is the rollout's own."""
    roles = [
        _SYSTEM.substitute(name=name, adapter=adapter, kind=kind, url=url, port=ports[name])
        for name, (adapter, kind, url) in _SPEAKS.items()
    ]
    for name, adapter, kind, more in _PARTNERS:
        key = public_line(keys / f"{name}_host")
        roles.append(_PARTNER.substitute(name=name, adapter=adapter, kind=kind, port=ports[name], key=key) + more)
    template = Template(Path(__file__).with_name("rollout_site.toml").read_text(encoding="utf-8"))
    left_out = ", ".join(f'{name} = "{why}"' for name, why in rollout_city.excluded(capacity).items())
    return template.substitute(
        capacity=capacity, left_out=left_out, poll=1 if capacity <= SMALL else 5, roles="".join(roles)
    )
