"""Founds the city of the rollout: every meter is read by people until its exchange; written once, read by everybody."""

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from random import Random
from uuid import NAMESPACE_URL, uuid5

from simulators.city import FILE_NAME, IDLE_CYCLE, PERIOD_DAYS
from simulators.city_book import CycleDay, Meter, Point, write_city
from simulators.local_days import DAY_ZERO, at_local, midnight

BILL_DATE = date(2026, 11, 24)
"""Bill date of the cycle that is billed after its exchanges."""

BILLED, MOST_BILLED = "24", 300
"""That cycle, and how many usage points at most are in it; of a small city half of them."""

BILLED_SOON, SOON = "19", date(2026, 11, 19)
"""Cycle that is about to be billed on the day of the exchanges; of all others nobody asks."""


def is_piloted(number: int) -> bool:
    """Return whether a usage point came to AMI in the pilot, years ago: its account is read so for a whole period."""
    return number < MOST_BILLED and number % 10 == 9


def has_opted_out(number: int) -> bool:
    """Return whether a customer wants no new meter: people go on reading the old one."""
    return number < MOST_BILLED and number % 20 == 14


def excluded(points: int) -> dict[str, str]:
    """Return the usage points that the wave leaves out by name, and why."""
    pilot = {name_of(n): "read by AMI since the pilot" for n in range(points) if is_piloted(n)}
    return pilot | {name_of(n): "opt-out" for n in range(points) if has_opted_out(n)}


def name_of(number: int) -> str:
    """Return what the trade calls a usage point."""
    return f"RB{number:08d}"


def found(folder: Path, *, seed: int, points: int) -> Path:
    """Write the city below `folder` and return its file."""
    folder.mkdir(parents=True, exist_ok=True)
    people = [point_of(seed, index, cycle_of(index, points)) for index in range(points)]
    return write(folder / FILE_NAME, seed, people, [old_meter(seed, n, point) for n, point in enumerate(people)])


def write(
    path: Path, seed: int, points: Iterable[Point], meters: Iterable[Meter], *, is_billed_soon: bool = True
) -> Path:
    """Write a city with these meters, in the place of one that was there; `is_billed_soon`: with that other day."""
    path.unlink(missing_ok=True)
    people = list(points)
    ami = [one.usage_point for number, one in enumerate(people) if is_piloted(number)]
    write_city(
        path,
        facts={
            "seed": seed,
            "business_days": [BILL_DATE.isoformat()],
            "calm": True,
            "read_source": "MANUAL",
            "read_by_ami": ami,
        },
        points=people,
        meters=meters,
        cycles=[cycle_day(BILLED, BILL_DATE), *([cycle_day(BILLED_SOON, SOON)] if is_billed_soon else [])],
    )
    return path


def cycle_day(cycle: str, day: date) -> CycleDay:
    """Return a billing date with the period that ends on it."""
    start = midnight(day - timedelta(days=PERIOD_DAYS))
    return CycleDay(cycle, day.isoformat(), start.isoformat(), midnight(day).isoformat())


def cycle_of(index: int, points: int) -> str:
    """Return the cycle of a usage point in a city of so many."""
    if index < min(MOST_BILLED, points // 2):
        return BILLED
    return BILLED_SOON if index % 100 == 81 and index < 1000 else IDLE_CYCLE


def point_of(seed: int, index: int, cycle: str) -> Point:
    """Return the usage point number `index`: homes, some shops behind transformers, some that feed in."""
    name, shop = name_of(index), index % 25 == 7
    return Point(
        usage_point=str(uuid5(NAMESPACE_URL, f"rollout/{seed}/usage-point/{index}")),
        name=name,
        commodity="ELECTRICITY",
        kind="REGISTER",
        feed="SOAP",
        stream=name,
        size="SHOP" if shop else "HOME",
        export_stream=f"{name}/solar" if index % 50 == 13 else "",
        account=f"AC{index:07d}",
        agreement=f"AG{index:07d}",
        customer_class="COMMERCIAL" if shop else "RESIDENTIAL",
        tariff="TOU",
        cycle=cycle,
        trouble="",
    )


def old_meter(seed: int, number: int, point: Point) -> Meter:
    """Return the meter that hangs at a usage point before the rollout."""
    return Meter(
        usage_point=point.usage_point,
        manufacturer="NORTHMETER" if number % 3 else "LUMEN",
        serial=f"KX{number:08d}",
        installed_at=at_local(date(2024, 5, 1), 12).isoformat(),
        removed_at="",
        multiplier=40 if point.size == "SHOP" else 1,
        dials=5,
        start_count=Random(f"{seed}/{number}/old").randrange(1_000_000, 80_000_000),
        base_at=midnight(DAY_ZERO).isoformat(),
    )
