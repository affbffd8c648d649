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
"""That cycle, and how many usage points at most are in it; all others are billed on another day."""


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
    people = [point_of(seed, index) for index in range(points)]
    return write(folder / FILE_NAME, seed, people, [old_meter(seed, n, point) for n, point in enumerate(people)])


def write(path: Path, seed: int, points: Iterable[Point], meters: Iterable[Meter]) -> Path:
    """Write a city with these meters, in the place of one that was there."""
    path.unlink(missing_ok=True)
    start, people = midnight(BILL_DATE - timedelta(days=PERIOD_DAYS)), list(points)
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
        cycles=[CycleDay(BILLED, BILL_DATE.isoformat(), start.isoformat(), midnight(BILL_DATE).isoformat())],
    )
    return path


def point_of(seed: int, index: int) -> Point:
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
        cycle=BILLED if index < MOST_BILLED else IDLE_CYCLE,
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
