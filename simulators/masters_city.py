"""What is true of the city's masters, and the part of it that each system holds, in the words that it uses.

Derived from the city's usage points and meters: premises, customers, accounts, models, firmware, transformers and
feeders follow from the number of a usage point alone, so that every process sees the same city.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from simulators.cis_requests import CALENDAR
from simulators.city_book import CityBook, Meter, Point
from simulators.local_days import ZONE_NAME, midnight, utc_text
from simulators.masters_wire import REGISTERS, Version
from simulators.mdms_files import registers_of

SINCE = utc_text(midnight(date(2024, 5, 1)))
"""Since when usage points, premises, customers and agreements exist."""

STOCKED = utc_text(midnight(date(2024, 4, 1)))
"""Since when meters exist."""

SPARES = 24
"""Meters in stock, with registers, which a working day hangs."""

_STREETS = ("Harbor Road", "Mill Lane", "Quarry Street", "Orchard Avenue", "Station Street", "Bay Terrace")
_MODELS = {"ELECTRICITY": ("E220", "E350"), "GAS": ("G4",), "WATER": ("W15",)}


@dataclass(frozen=True, slots=True)
class Sort:
    """One kind of system: what it keeps of each record type, and how fine its clock is."""

    name: str
    sender: str
    keeps: Mapping[str, tuple[str, ...]]
    """Facts by record type; a record type that is absent is not kept."""

    grain_s: int
    """Seconds to which it rounds instants down: 86,400 stands for local days."""

    zone: str = ZONE_NAME
    """Zone in which it states instants."""

    own_ids: str = ""
    """Prefix of the numbers that it gives its things itself; empty where it keeps them under everybody's ids."""

    layout: str = "masters"


_ADDRESS = ("street", "number", "suite", "town", "region", "postal_code", "country")

SORTS: Mapping[str, Sort] = {
    sort.name: sort
    for sort in (
        Sort(
            "cis",
            "CIS",
            {
                "CUS": ("kind", "name", "telephone", "special_need"),
                "ACC": ("customer", "cycle"),
                "LOC": _ADDRESS,
                "UPT": ("name", "zone", "commodity", "read_source", "district", "route", "location"),
                "AGR": ("account", "usage_point", "customer_class", "tariff", "cycle", "tou_calendar", "net_metering"),
                "CYC": (),
            },
            86_400,
        ),
        Sort(
            "mdms",
            "MDMS",
            {
                "UPT": ("zone", "commodity", "read_source", "district", "route"),
                "MTR": ("commodity", "multiplier", REGISTERS),
                "INS": (),
            },
            60,
        ),
        Sort(
            "wams",
            "WAMS",
            {
                "LOC": (*_ADDRESS, "access_method", "needs_inspection"),
                "MTR": ("commodity", "model", "status"),
                "INS": (),
            },
            60,
            own_ids="ASSET",
        ),
        Sort("hes", "HES", {"MTR": ("commodity", "firmware"), "INS": ()}, 1, zone="UTC", own_ids="ESN"),
        Sort(
            "oms",
            "OMS",
            {"LOC": _ADDRESS, "UPT": ("name", "commodity", "location"), "TOP": ("transformer", "feeder")},
            60,
            own_ids="CP",
        ),
        Sort("gis", "GIS", {"TOP": ("transformer", "feeder")}, 86_400, own_ids="FID", layout="topology"),
    )
}
"""Every system that keeps masters."""

TOLD = ("mdms", "wams", "hes", "oms")
"""Those that the hub tells of changes."""


class Truth:
    """The city's masters, whole."""

    def __init__(self, city: CityBook) -> None:
        """Derive the masters of a city."""
        self.seed, self.cycles = city.seed, city.cycles()
        self.read_source = str(city.facts.get("read_source", "AMI"))
        named = city.facts.get("read_by_ami", [])
        self.read_by_ami = frozenset(map(str, named if isinstance(named, list) else ()))
        """Usage points that AMI reads where people read all others."""

        self.points, self.meters = list(city.points().values()), city.meters()

    def versions(self) -> Iterator[Version]:
        """Yield everything that is true on the first morning, with every fact that anybody keeps."""
        for number, point in enumerate(self.points):
            yield from self.of_point(number, point)
            for meter in self.meters[point.usage_point]:
                yield meter_version(number, point, meter)
                yield hung(point.usage_point, meter, number)
        for spare in range(SPARES):
            yield meter_version(spare, self.points[0], self.spare(spare), status="IN_STOCK")
        for cycle in self.cycles:
            start, end = (utc_text(instant) for instant in cycle.period)
            yield Version("CYC", f"{cycle.cycle}/{cycle.business_date}", start, end)

    def of_point(self, number: int, point: Point) -> Iterator[Version]:
        """Yield premise, customer, account, usage point, agreement and supply of one usage point."""
        yield location(number)
        yield customer(number, point)
        yield Version("ACC", point.account, SINCE, "", {"customer": _customer(number), "cycle": point.cycle})
        yield usage_point(number, point, read_source=self._read_source(point))
        yield agreement(point)
        yield supply(point.usage_point, number)

    def _read_source(self, point: Point) -> str:
        return "AMI" if point.usage_point in self.read_by_ami else self.read_source

    def spare(self, number: int) -> Meter:
        """Return a meter in stock; all fit the first usage point's kind."""
        return Meter("", "NORTHMETER", f"SP{number:08d}", "", "", 1, 5, 0, SINCE)


def _customer(number: int) -> str:
    return f"CU{number:07d}"


def premise(number: int) -> str:
    """Return the id of a usage point's premise."""
    return f"LO{number:07d}"


def location(number: int) -> Version:
    """Return the premise of the usage point `number`."""
    facts = {
        "street": _STREETS[number % len(_STREETS)],
        "number": str(number // len(_STREETS) + 1),
        "town": "Quartz Bay",
        "region": "ON",
        "postal_code": f"K{number % 10}A {number // 10 % 10}B{number // 100 % 10}",
        "country": "CA",
        "access_method": "LOCKBOX" if number % 9 == 4 else "FREE",
        "needs_inspection": "Y" if number % 31 == 8 else "N",
    }
    return Version("LOC", premise(number), SINCE, "", facts)


def customer(number: int, point: Point) -> Version:
    """Return the customer of the usage point `number`; nobody is anybody."""
    facts = {
        "kind": "COMMERCIAL" if point.customer_class == "COMMERCIAL" else "RESIDENTIAL",
        "name": f"Resident {number}",
        "telephone": f"+1 555 010 {number % 10_000:04d}",
    }
    if number % 97 == 5:
        facts["special_need"] = "LIFE_SUPPORT"
    return Version("CUS", _customer(number), SINCE, "", facts)


def usage_point(number: int, point: Point, *, read_source: str = "AMI") -> Version:
    """Return a usage point as the trade knows it; `MANUAL` where people read its meter."""
    facts = {
        "name": point.name, "zone": ZONE_NAME, "commodity": point.commodity, "read_source": read_source,
        "district": "D1", "route": f"R{point.cycle}", "location": premise(number),
    }  # fmt: skip
    return Version("UPT", point.usage_point, SINCE, "", facts)


def agreement(point: Point) -> Version:
    """Return the agreement for a usage point."""
    facts = {
        "account": point.account, "usage_point": point.usage_point, "customer_class": point.customer_class,
        "tariff": point.tariff, "cycle": point.cycle, "net_metering": "Y" if point.export_stream else "N",
    }  # fmt: skip
    if point.commodity == "ELECTRICITY":
        facts["tou_calendar"] = CALENDAR
    return Version("AGR", point.agreement, SINCE, "", facts)


def supply(usage_point: str, number: int, *, since: str = SINCE) -> Version:
    """Return by which transformer and feeder a usage point is supplied; eight share a transformer, 200 a feeder."""
    station = number // 8
    return Version(
        "TOP", usage_point, since, "", {"transformer": f"TX{station:06d}", "feeder": f"FD{station // 25:03d}"}
    )


def meter_version(number: int, point: Point, meter: Meter, *, status: str = "") -> Version:
    """Return a meter with its registers, model, firmware and state."""
    models = _MODELS[point.commodity]
    registers = "\n".join("|".join(line.split("|")[3:]) for line in registers_of(point, meter))
    facts = {
        "commodity": point.commodity, "multiplier": str(meter.multiplier), REGISTERS: registers,
        "model": models[number % len(models)], "firmware": f"4.{number % 3}.0",
        "status": status or ("RETURNED" if meter.removed_at else "INSTALLED"),
    }  # fmt: skip
    return Version("MTR", f"{meter.manufacturer}/{meter.serial}", STOCKED, "", facts)


def hung(usage_point: str, meter: Meter, number: int) -> Version:
    """Return a meter's hanging at a usage point, to the second."""
    seconds = timedelta(seconds=7 * number % 60)
    ends = [
        utc_text(datetime.fromisoformat(text) + seconds) if text else ""
        for text in (meter.installed_at, meter.removed_at)
    ]
    return Version("INS", f"{usage_point}/{meter.manufacturer}/{meter.serial}", ends[0], ends[1])


def new_usage_point(seed: int, number: int) -> str:
    """Return the mRID of a usage point that is connected after the city was founded."""
    return str(uuid5(NAMESPACE_URL, f"city/{seed}/new/{number}"))
