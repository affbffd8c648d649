"""Founds a city: writes the seeded truth that CIS, MDMS and auditor share.

    python -m simulators.city --out DIR --seed 7 --points 5000

The mix is that of a real billing city: 92% register accounts (total, on, mid and off registers and a demand register),
8% half-hour accounts (half by SOAP, half in NEM12 files), some gas and water, current transformers, a few net meters,
1% exchanges inside the period, 2% reads that are missing at first.
"""

import argparse
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random
from uuid import NAMESPACE_URL, uuid5

from simulators.city_book import CycleDay, Meter, Point, write_city
from simulators.city_truth import day_values
from simulators.local_days import DAY_ZERO, at_local, day_number, midnight
from simulators.script import BUSINESS_DAYS

PERIOD_DAYS = 31
FILE_NAME = "city.sqlite"
IDLE_CYCLE = "25"
"""Cycle of those who are billed on another day."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Found the city that the command line describes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--points", type=int, default=5000)
    parser.add_argument("--days", type=int, default=2, choices=(1, 2), help="business days")
    parser.add_argument("--calm", action="store_true", help="no troubles (for the benchmark)")
    options = parser.parse_args(arguments)
    found(options.out, seed=options.seed, points=options.points, days=options.days, calm=options.calm)


def found(folder: Path, *, seed: int, points: int, days: int = 2, calm: bool = False) -> Path:
    """Write the city below `folder` and return its file."""
    folder.mkdir(parents=True, exist_ok=True)
    dates = BUSINESS_DAYS[:days]
    built = [_point(seed, index, dates, calm=calm) for index in range(points)]
    people = _with_twins(built) if not calm else built
    path = folder / FILE_NAME
    write_city(
        path,
        facts={"seed": seed, "business_days": [day.isoformat() for day in dates], "calm": calm},
        points=people,
        meters=[meter for number, point in enumerate(people) for meter in _meters(seed, number, point)],
        cycles=[_cycle_day(day) for day in dates],
    )
    return path


def _cycle_day(day: date) -> CycleDay:
    """Return the calendar entry of a business date: its cycle bills the 31 days before it."""
    start = midnight(day - timedelta(days=PERIOD_DAYS))
    return CycleDay(f"{day.day:02d}", day.isoformat(), start.isoformat(), midnight(day).isoformat())


def _point(seed: int, index: int, days: Sequence[date], *, calm: bool) -> Point:
    """Return the usage point number `index`; kinds are spread evenly, by the number itself."""
    dice = Random(f"{seed}/{index}")
    interval = index % 25 in (3, 15)
    commodity = "ELECTRICITY"
    if not interval and index % 40 == 11:
        commodity = "GAS"
    elif not interval and index % 40 == 31:
        commodity = "WATER"
    transformer = commodity == "ELECTRICITY" and index % 50 in (7, 28)
    net = commodity == "ELECTRICITY" and index % 100 in (42, 65)
    sizes = {"GAS": "GAS", "WATER": "WATER"}
    name = f"QB{index:08d}"
    return Point(
        usage_point=str(uuid5(NAMESPACE_URL, f"city/{seed}/usage-point/{index}")),
        name=name,
        commodity=commodity,
        kind="INTERVAL" if interval else "REGISTER",
        feed="NEM" if index % 25 == 15 else "SOAP",
        stream=name,
        size=sizes.get(commodity, "SHOP" if transformer else "HOME"),
        export_stream=f"{name}/solar" if net else "",
        account=f"AC{index:07d}",
        agreement=f"AG{index:07d}",
        customer_class="COMMERCIAL" if transformer else "RESIDENTIAL",
        tariff="TOU" if commodity == "ELECTRICITY" else "FLAT",
        cycle=_cycle(index, days),
        trouble="" if calm else _trouble(dice, index, interval=interval, commodity=commodity),
    )


def _cycle(index: int, days: Sequence[date]) -> str:
    """Return the bill cycle: 42% are billed on each of two business days, or all on one."""
    if len(days) == 1:
        return f"{days[0].day:02d}"
    slot = (index * 7 + index // 50) % 50
    return f"{days[slot % 2].day:02d}" if slot < 42 else IDLE_CYCLE


_ROLL = (("LATE", 60), ("ESTIMATE", 20), ("NO_READ", 6), ("HELD", 4), ("EXCHANGE", 55), ("ROLLOVER", 5))
"""Troubles and how many of 5,000 usage points they hit at random."""

_FIXED = {
    # One of each trouble on each business date, in every city of more than 110 points; 57 and 107 have transformers.
    22: "LATE", 24: "ESTIMATE", 26: "NO_READ", 30: "HELD", 32: "ROLLOVER", 57: "EXCHANGE", 34: "EXCHANGE",
    36: "ESTIMATE_LATE", 38: "ESTIMATE_LATE", 40: "LATE_FILE",
    3: "LATE", 23: "LATE", 25: "ESTIMATE", 27: "NO_READ", 29: "HELD", 107: "EXCHANGE",
}  # fmt: skip


def _trouble(dice: Random, index: int, *, interval: bool, commodity: str) -> str:
    if index in _FIXED:
        return _FIXED[index]
    throw = dice.randrange(5000)
    for trouble, share in _ROLL:
        if throw < share:
            plain = trouble == "LATE" or not interval
            return trouble if plain and (commodity == "ELECTRICITY" or trouble != "ROLLOVER") else ""
        throw -= share
    return ""


def _with_twins(points: list[Point]) -> list[Point]:
    """Return the points with the first four pairs of (SOAP, NEM) interval points made twins of one consumption."""
    result = list(points)
    soap = [n for n, p in enumerate(points) if p.kind == "INTERVAL" and p.feed == "SOAP" and _plain(p)]
    files = [n for n, p in enumerate(points) if p.kind == "INTERVAL" and p.feed == "NEM" and _plain(p)]
    for one, other in list(zip(soap, files, strict=False))[:4]:
        first, second = points[one], points[other]
        result[one] = _changed(first, trouble="TWIN")
        result[other] = _changed(second, trouble="TWIN", stream=first.stream, cycle=first.cycle)
    return result


def _plain(point: Point) -> bool:
    return not point.trouble and not point.export_stream and point.size == "HOME" and point.cycle != IDLE_CYCLE


def _changed(point: Point, **values: str) -> Point:
    return Point(**{name: values.get(name, getattr(point, name)) for name in Point.__slots__})


def _meters(seed: int, number: int, point: Point) -> list[Meter]:
    """Return the meter of a usage point, or two where it is exchanged inside the period."""
    dice = Random(f"{seed}/{number}/meter")
    base = midnight(DAY_ZERO).isoformat()
    old = Meter(
        usage_point=point.usage_point,
        manufacturer="NORTHMETER" if number % 3 else "LUMEN",
        serial=f"KX{number:08d}",
        installed_at=at_local(date(2024, 5, 1), 12).isoformat(),
        removed_at="",
        multiplier=40 if point.size == "SHOP" else 1,
        dials=5,
        start_count=dice.randrange(1_000_000, 80_000_000),
        base_at=base,
    )
    if point.trouble == "ROLLOVER":
        used = sum(sum(day) for day in day_values(seed, point.stream, point.size)[: day_number(date(2026, 10, 20))])
        return [_meter_with(old, start_count=(10**8 - 50_000 - used) % 10**8)]
    if point.trouble != "EXCHANGE":
        return [old]
    changed_at = at_local(date(2026, 10, 20) + timedelta(days=dice.randrange(20)), 10, 30).isoformat()
    new = _meter_with(
        old, serial=f"KY{number:08d}", installed_at=changed_at, start_count=dice.randrange(0, 9_000), base_at=changed_at
    )
    return [_meter_with(old, removed_at=changed_at), new]


def _meter_with(meter: Meter, **values: str | int) -> Meter:
    return Meter(**{name: values.get(name, getattr(meter, name)) for name in Meter.__slots__})


if __name__ == "__main__":
    main()
