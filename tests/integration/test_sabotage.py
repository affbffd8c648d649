"""The demo from end to end in a small city: green when nobody interferes, red at the right hop for each sabotage."""

import re
from pathlib import Path

import pytest
from demo_by_hand import run_demo

HOPS = {
    "lose-item": "loaded",
    "double-item": "billed",
    "multiplier": "loaded",
    "shift-hour": "loaded",
    "drop-part": "loaded",
    "edit-kwh": "loaded",
}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def _demo(folder: Path, sabotage: str, *, days: int) -> tuple[int, str]:
    return run_demo(folder, {"ENGINE": "cli", "DAYS": str(days), "SABOTAGE": sabotage})


def test_two_days_without_interference_end_green(tmp_path: Path) -> None:
    ended, said = _demo(tmp_path, "", days=2)

    assert ended == 0, said[-6000:]
    assert "Every book agrees" in said


@pytest.mark.parametrize("sabotage", HOPS)
def test_every_sabotage_ends_red_and_names_account_and_hop(tmp_path: Path, sabotage: str) -> None:
    ended, said = _demo(tmp_path, sabotage, days=1)

    assert ended == 1, said[-6000:]
    named = re.findall(r"account (AC\d{7}), hop ([a-z ]+):", said)
    assert named
    assert HOPS[sabotage] in {hop for _, hop in named}
    if sabotage != "drop-part":
        assert len({account for account, _ in named}) == 1
