"""The script of the rollout's troubles: every class of exception is in it, each at a usage point of its own."""

from pathlib import Path

import pytest

from canonical.codes.rollout import EX
from simulators import rollout_city
from simulators.city import FILE_NAME
from simulators.city_book import CityBook
from simulators.rollout_tellings import first_told, told_again, told_later
from simulators.rollout_troubles import HEARD_UNINSTALLED, KINDS
from simulators.rollout_truth import Truth


def truth(folder: Path, points: int) -> Truth:
    rollout_city.found(folder, seed=7, points=points)
    city = CityBook(folder / FILE_NAME)
    found = Truth(city)
    city.close()
    return found


@pytest.mark.parametrize("points", [100, 1000])
def test_every_kind_of_trouble_happens_and_none_where_a_bill_is_made(tmp_path: Path, points: int) -> None:
    found = truth(tmp_path, points)

    numbers = [number for case in found.cases for number in case.numbers]
    assert {case.kind.name for case in found.cases} == {kind.name for kind in KINDS}
    assert len(numbers) == len(set(numbers))
    assert not [one for one in found.visits if one.kind is not None and one.point.cycle == rollout_city.BILLED]


def test_every_class_of_exception_is_in_the_script() -> None:
    silent = {"EX11", "EX13"}  # what waits for its bill, and what is told again, needs nobody

    scripted = {kind.code for kind in KINDS} | {HEARD_UNINSTALLED}
    assert {number for number, code in EX.items() if str(code)[:4] not in scripted} == silent
    assert {"being-billed", "told-again"} <= {kind.name for kind in KINDS}


def test_what_is_corrected_later_is_the_truth_and_what_crossed_is_that_of_another(tmp_path: Path) -> None:
    found = truth(tmp_path, 120)
    orders = {one.point.usage_point: f"O{one.number}" for one in found.visits}

    told = {one.usage_point: one for one in first_told(found, orders)}
    for case in found.cases:
        members = found.members(case)
        if case.kind.code == "8009":
            shown = [told[one.point.usage_point].old for one in members]
            truly = [(one.old.manufacturer, one.old.serial) for one in members]
            assert sorted(shown) == sorted(truly)
            assert all(a != b for a, b in zip(shown, truly, strict=True))
    anew = next(one for one in told_later(found, orders) if one.usage_point == _point(found, "clock-told-anew"))
    assert anew.installed_at == anew.removed_at
    assert [one.usage_point for one in told_again(found, orders)] == [_point(found, "told-again")]


def _point(found: Truth, name: str) -> str:
    return next(one.point.usage_point for one in found.visits if one.kind is not None and one.kind.name == name)
