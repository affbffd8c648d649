"""Prepares the run folder of the masters' chapter: city, the six systems' plans, and the site file of the utility."""

from pathlib import Path

from simulators.demo_site import DemoRun, found_run
from simulators.masters_city import SORTS, Truth
from simulators.masters_plan import city_of, write_plans
from simulators.masters_seeds import plan_day


def prepare(folder: Path, *, points: int, seed: int, sabotage: str) -> DemoRun:
    """Found the city and its systems below a new folder, with the differences of the day."""
    more = Path(__file__).with_name("masters_site.toml").read_text(encoding="utf-8")
    run = found_run(folder, points=points, seed=seed, days=1, systems=tuple(SORTS), more=more)
    book = city_of(folder)
    write_plans(folder, plan_day(Truth(book)), sabotage=sabotage)
    book.close()
    return run
