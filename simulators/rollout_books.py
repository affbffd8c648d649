"""What the systems of the rollout hold on its first day, written into their books before they start."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from simulators.cim_books import CimBooks
from simulators.cim_nouns import meter, usage_point
from simulators.city_book import Meter, Point
from simulators.local_days import ZONE_NAME, utc_text
from simulators.masters_city import SINCE
from simulators.rollout_truth import Truth

_HUB = UUID("6f5ad1a8-0c4c-5d0e-9f0e-2f3a54f0c9d1")
"""Namespace of the ids that the hub gives (docs/adapters/cis_cim.md): systems know its meters by them."""

SYSTEMS = ("cis_ws", "mdms_ws", "hes_ws", "oms_ws", "wams_ws")


def home_of(run: Path, system: str) -> Path:
    """Return the folder of a system's books below a run folder."""
    return run / "rollout" / system


def begin(run: Path, truth: Truth) -> None:
    """Write usage points, old meters and their links; the head-end has the old ones in service."""
    points = [_object("UsagePoint", one.usage_point, one.usage_point, _place(one)) for one in truth.points]
    hung = list(_hung(truth))
    meters = [_object("Meter", name_of(one), mrid_of(one), _asset(one)) for _, one in hung]
    links = [("Meter", name_of(one), point.usage_point, _since(one), None) for point, one in hung]
    where = [(name_of(one), mrid_of(one), _since(one), point.usage_point) for point, one in hung]
    devices = [(name, mrid, "COMMISSIONED", since, point, f"vault:{name}", since) for name, mrid, since, point in where]
    for system in SYSTEMS:
        books = CimBooks(home_of(run, system))
        books.write("object", [*points, *meters])
        if system == "hes_ws":
            books.write("device", devices)
        else:
            books.write("link", links)
        books.db.close()


def _hung(truth: Truth) -> Iterator[tuple[Point, Meter]]:
    for point in truth.points:
        yield point, truth.old[point.usage_point]


def mrid_of(meter: Meter) -> str:
    """Return the id by which the hub names a meter."""
    return str(uuid5(_HUB, "\x1f".join(("meter", meter.manufacturer, meter.serial))))


def names_of(truth: Truth) -> dict[str, str]:
    """Return manufacturer and serial of every meter, old and new, by the id by which the hub names it."""
    meters = [*truth.old.values(), *(one.new for one in truth.visits)]
    return {mrid_of(meter): name_of(meter) for meter in meters}


def name_of(meter: Meter) -> str:
    """Return manufacturer and serial of a meter, as every book names it."""
    return f"{meter.manufacturer} {meter.serial}"


def _since(meter: Meter) -> str:
    return utc_text(datetime.fromisoformat(meter.installed_at))


def _object(kind: str, identity: str, mrid: str, xml: str) -> tuple[Any, ...]:
    return (kind, identity, mrid, "open", SINCE, xml)


def _place(point: Point) -> str:
    told = {"id": point.usage_point, "name": point.name, "zone": ZONE_NAME, "service": "electricity", "at": SINCE}
    return usage_point(told)


def _asset(one: Meter) -> str:
    told = {
        "id": mrid_of(one), "serial": one.serial, "manufacturer": one.manufacturer, "multiplier": one.multiplier,
        "at": SINCE,
    }  # fmt: skip
    return meter(told)
