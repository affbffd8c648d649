"""The masters' chapter from end to end in a small city: green when nobody interferes, red where somebody does."""

from pathlib import Path

import pytest
from demo_by_hand import run_demo

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def _chapter(folder: Path, sabotage: str = "") -> tuple[int, str]:
    return run_demo(folder, {"CHAPTER": "masters", "POINTS": "200", "SABOTAGE": sabotage})


def test_fifty_differences_among_six_systems_are_found_and_those_allowed_are_repaired(tmp_path: Path) -> None:
    ended, said = _chapter(tmp_path)

    assert ended == 0, said[-6000:]
    assert "RED" not in said


def test_a_repair_that_a_system_swallows_is_seen_in_its_book(tmp_path: Path) -> None:
    ended, said = _chapter(tmp_path, "swallow-repair")

    assert ended == 1, said[-6000:]
    assert "RED  the systems' books are right at the day's end" in said
