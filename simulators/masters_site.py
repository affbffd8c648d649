"""Prepares the run folder of the masters' chapter: city, plans, keys, ports and the site file of the utility."""

from pathlib import Path
from string import Template

from simulators import city, masters_script
from simulators.certificates import make_certificates
from simulators.clock import set_business
from simulators.demo_site import KEYS, DemoRun, free_ports, part_size, secrets_of
from simulators.knobs import Knobs
from simulators.local_days import ZONE_NAME
from simulators.masters_city import SORTS, Sort, Truth
from simulators.masters_plan import DAY, city_of, write_plans
from simulators.masters_seeds import plan_day
from simulators.sftp_server import make_keys, public_line

_ROLE = Template("""
[roles.$name]
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
$told""")

_TOLD = Template("""sender = "AMIHUB"
receiver = "$sender"
env = "TEST"
zone = "$zone"
""")

_KINDS = {"cis": "customer_system", "mdms": "meter_data_files", "wams": "work_system"}


def prepare(folder: Path, *, points: int, seed: int, sabotage: str) -> DemoRun:
    """Found the city and its systems below a new folder, and write the site file of the hub."""
    folder.mkdir(parents=True)
    keys = folder / "keys"
    city.found(folder / "city", seed=seed, points=points, days=1)
    book = city_of(folder)
    write_plans(folder, plan_day(Truth(book)), sabotage=sabotage)
    book.close()
    for name in (*KEYS, "hub_to_masters", *(f"masters_{system}_host" for system in SORTS)):
        make_keys(keys, name=name)
    make_certificates(keys, ("hub", "mdms"))
    names = (*(f"masters_{name}" for name in SORTS), "cis", "mdms", "mdms_sftp", "hub")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    known = secrets_of(keys) | {"MASTERS_SFTP_KEY": str(keys / "hub_to_masters")}
    for system, reference in (("cis", "calendar"), ("mdms", "none")):
        (folder / system).mkdir()
        Knobs(folder / system / "knobs.json").write({"reference": reference})
    (folder / "site.toml").write_text(site_text(folder, ports, points=points))
    set_business(folder / "clock.json", masters_script.FIRST_FILES.on(DAY), rate=0)
    return DemoRun(folder, ports, known)


def site_text(folder: Path, ports: dict[str, int], *, points: int) -> str:
    """Return the site file of the chapter's utility."""
    template = Template(Path(__file__).with_name("masters_site.toml").read_text(encoding="utf-8"))
    keys = folder / "keys"
    return template.substitute(
        zone=ZONE_NAME,
        roles="".join(_role(sort, ports[f"masters_{name}"], keys) for name, sort in SORTS.items()),
        part_size=part_size(points, calm=False),
        cis_key=public_line(keys / "cis_host"),
        mdms_key=public_line(keys / "mdms_host"),
        **{f"{name}_port": str(ports[name]) for name in ("cis", "mdms", "mdms_sftp", "hub")},
    )


def _role(sort: Sort, port: int, keys: Path) -> str:
    is_told = sort.layout == "masters"
    return _ROLE.substitute(
        name=sort.name,
        adapter="masters_flatfile" if is_told else "gis_flatfile",
        told=_TOLD.substitute(sender=sort.sender, zone=sort.zone) if is_told else "",
        kind=_KINDS.get(sort.name, "partner"),
        port=port,
        key=public_line(keys / f"masters_{sort.name}_host"),
    )
