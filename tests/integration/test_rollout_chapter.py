"""The rollout's chapter from end to end in a small city: green when nobody interferes, red where somebody does."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from demo_by_hand import run_demo

from simulators import audit_rollout
from simulators.rollout_sabotage import DAMAGES, damage

SETTINGS = {"CHAPTER": "rollout", "EXCHANGES": "100"}

SEEN = {
    "edit-reading": "mdms_ws holds what was done in the field, and nothing else",
    "double-exchange": "cis_ws holds what was done in the field, and nothing else",
    "idle-meter": "hes_ws holds what was done in the field, and nothing else",
    "lose-bill": "every account of the cycle is billed once, to the thousandth of a kWh",
}
"""The check that each damage must turn red, and no other."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, str, Path]]:
    """Exit code, words and run folder of one chapter with which nobody interfered."""
    folder = tmp_path_factory.mktemp("rollout")
    yield (*run_demo(folder, SETTINGS), folder / "run")
    shutil.rmtree(folder)


def test_a_city_is_exchanged_and_billed_and_every_book_agrees(played: tuple[int, str, Path]) -> None:
    ended, said, run = played

    assert ended == 0, said[-6000:]
    assert "RED" not in said
    assert "<svg" in (run / "reports" / "rollout.html").read_text()
    assert "one run bills whoever is read" in said


@pytest.mark.parametrize("kind", DAMAGES)
def test_damage_in_one_book_turns_the_check_of_that_book_red(
    played: tuple[int, str, Path], tmp_path: Path, kind: str
) -> None:
    copy = tmp_path / "run"
    shutil.copytree(played[2], copy, ignore=shutil.ignore_patterns("logs", "hub", "keys"))

    damage(copy, kind)

    red = [one for one in audit_rollout.audit(copy) if one.problems]
    assert [one.name for one in red] == [SEEN[kind]]


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        ("swallow-step", "oms_ws holds what was done in the field, and nothing else"),
        ("hide-work", "every trouble is open work with its cause, and no other"),
    ],
)
def test_what_is_done_behind_the_hubs_back_while_it_works_is_found_out(tmp_path: Path, kind: str, check: str) -> None:
    ended, said = run_demo(tmp_path, SETTINGS | {"SABOTAGE": kind})

    assert ended == 1, said[-6000:]
    assert [line[5:].split(" (")[0] for line in said.splitlines() if line.startswith("RED")] == [check]
