import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from masters_day import play_day

from simulators.audit_master_books import open_truth
from simulators.audit_masters import audit
from simulators.masters_system import open_system

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("day")
    play_day(folder)
    return folder


@pytest.fixture
def run(played: Path, tmp_path: Path) -> Path:
    shutil.copytree(played, tmp_path, dirs_exist_ok=True)
    return tmp_path


def _red(run: Path) -> list[str]:
    return [check.name for check in audit(run) if check.problems]


def _change(run: Path, name: str, **values: Any) -> None:
    path = run / "reports" / f"{name}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def _differences(run: Path, name: str = "differences") -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads((run / "reports" / f"{name}.json").read_text())["differences"]
    return found


def test_a_day_without_fault_is_green(run: Path) -> None:
    assert [check.problems for check in audit(run)] == [()] * 9


def test_a_difference_that_is_not_named_is_missed(run: Path) -> None:
    _change(run, "differences", differences=_differences(run)[1:])

    assert _red(run) == ["every seeded difference is found, with class and cause"]


@pytest.mark.parametrize("part", ["class", "cause"])
def test_a_difference_with_another_class_or_cause_is_not_the_seeded_one(run: Path, part: str) -> None:
    first, *others = _differences(run)
    _change(run, "differences", differences=[{**first, part: "other"}, *others])

    assert _red(run) == ["every seeded difference is found, with class and cause", "no difference is invented"]


def test_a_difference_that_nobody_seeded_is_invented(run: Path) -> None:
    first, *others = _differences(run)
    _change(run, "differences", differences=[{**first, "object_id": "somebody else"}, first, *others])

    assert _red(run) == ["no difference is invented"]


def test_what_stays_different_although_it_was_to_be_repaired_is_named(run: Path) -> None:
    _change(run, "differences_after", differences=_differences(run))

    assert _red(run) == ["what is repaired is closed, what is not stays open"]


def test_a_repair_that_never_reached_a_book_is_seen_there(run: Path) -> None:
    system, version = open_truth(run).right[0]
    open_system(run, system).book.drop(version.tag, version.key)

    assert _red(run) == ["the systems' books are right at the day's end"]


def test_a_thing_that_was_not_loaded_is_missed(run: Path) -> None:
    things = json.loads((run / "reports" / "load.json").read_text())["things"]
    _change(run, "load", things={**things, "meter": things["meter"] - 1})

    assert _red(run) == ["everything is loaded, nothing twice"]


def _edit_register(run: Path, old: str, new: str) -> None:
    path = run / "reports" / "unbilled.csv"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_a_meter_without_agreement_that_is_not_in_the_register_is_missed(run: Path) -> None:
    _edit_register(run, "NO_SA", "IN_CYCLE")

    assert _red(run) == ["the register names meters without agreement and the reverse"]


def test_energy_that_the_register_does_not_have_is_missed(run: Path) -> None:
    _edit_register(run, "IN_CYCLE,0,kWh", "IN_CYCLE,0.001,kWh")

    assert _red(run) == ["the register of unbilled energy equals the truth"]


def test_a_history_that_makes_the_oms_know_what_it_lost_is_wrong(run: Path) -> None:
    path = run / "reports" / "history.json"
    history = json.loads(path.read_text())
    history["beliefs"][2]["known_from"] = history["beliefs"][0]["known_from"]
    path.write_text(json.dumps(history))

    assert _red(run) == ["the history says who believed what, and who told it"]


def test_one_more_field_of_a_thing_that_differs_is_invented(run: Path) -> None:
    first, *others = _differences(run)
    _change(run, "differences", differences=[{**first, "field": "zone", "cause": "late"}, first, *others])

    assert _red(run) == ["no difference is invented"]


def test_a_refusal_of_which_the_hub_does_not_know_is_missed(run: Path) -> None:
    (run / "reports" / "refused_hes.json").write_text("[]")

    assert _red(run) == ["what a subscriber refused is known thing by thing"]
