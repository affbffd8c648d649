"""The demo from end to end in a small city: green when nobody interferes, red at the right hop for each sabotage."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOPS = {
    "lose-item": "loaded",
    "double-item": "billed",
    "multiplier": "loaded",
    "shift-hour": "loaded",
    "drop-part": "loaded",
    "edit-kwh": "loaded",
}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def _demo(folder: Path, sabotage: str, *, days: int) -> "subprocess.CompletedProcess[str]":
    settings = {"ENGINE": "cli", "ONCE": "1", "POINTS": "120", "DAYS": str(days), "SABOTAGE": sabotage}
    return subprocess.run(
        [sys.executable, "-m", "simulators.demo", "--run", str(folder / "run")],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=580,
    )


def test_two_days_without_interference_end_green(tmp_path: Path) -> None:
    ended = _demo(tmp_path, "", days=2)

    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-2000:]
    assert "Every book agrees" in ended.stdout


@pytest.mark.parametrize("sabotage", HOPS)
def test_every_sabotage_ends_red_and_names_account_and_hop(tmp_path: Path, sabotage: str) -> None:
    ended = _demo(tmp_path, sabotage, days=1)

    assert ended.returncode == 1, ended.stdout[-4000:] + ended.stderr[-2000:]
    named = re.findall(r"account (AC\d{7}), hop ([a-z ]+):", ended.stdout)
    assert named
    assert HOPS[sabotage] in {hop for _, hop in named}
    if sabotage != "drop-part":
        assert len({account for account, _ in named}) == 1
