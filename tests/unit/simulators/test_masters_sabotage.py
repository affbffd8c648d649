import json
from pathlib import Path
from typing import Any

import pytest

from simulators import city
from simulators.knobs import Knobs
from simulators.masters_city import Truth
from simulators.masters_plan import city_of, write_plans
from simulators.masters_sabotage import swallows
from simulators.masters_seeds import plan_day
from simulators.masters_system import open_system
from simulators.masters_wire import Version
from simulators.script import BUSINESS_DAYS, Moment


def _planned(run: Path, sabotage: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return what is changed by hand in the OMS's book, and the differences that the auditor looks for."""
    city.found(run / "city", seed=7, points=200, days=1)
    write_plans(run, plan_day(Truth(city_of(run))), sabotage=sabotage)
    plan = json.loads((run / "masters" / "oms" / "plan.json").read_text())
    truth = json.loads((run / "masters" / "truth.json").read_text())
    step = next(step for step in plan if step["name"] == "differences")
    return step["put"], truth["differences"]


@pytest.mark.parametrize(("sabotage", "edits"), [("edit-book", 1), ("hide-difference", -1), ("", 0)])
def test_a_plan_is_tampered_with_and_the_truth_is_not(tmp_path: Path, sabotage: str, edits: int) -> None:
    plain, truth = _planned(tmp_path / "plain", "")
    changed, same = _planned(tmp_path / "changed", sabotage)

    assert len(changed) == len(plain) + edits
    assert same == truth


def test_one_thing_that_is_told_after_the_differences_vanishes_with_all_its_versions(tmp_path: Path) -> None:
    _planned(tmp_path, "swallow-repair")
    book = open_system(tmp_path, "oms").book
    knobs = Knobs(tmp_path / "masters" / "oms" / "knobs.json")
    first, again, other = Version("TOP", "u", "a", "b"), Version("TOP", "u", "b", ""), Version("TOP", "v", "a", "")

    assert not swallows(book, knobs, first)
    book.mark("differences", Moment(4, 0).on(BUSINESS_DAYS[0]))

    assert [swallows(book, knobs, version) for version in (first, again, other)] == [True, True, False]
