"""One bad line in 100,000 is refused alone and named; the others count, and memory stays flat."""

import re
import sqlite3
import sys
from pathlib import Path

import pytest
from hub_by_hand import HubByHand, reference_file, reference_name, upt

from servers.openssh import private_sshd

pytestmark = [pytest.mark.servers, pytest.mark.slow]

LINES = 100_000
BAD = 61_803
"""Place of the bad line among the usage points, from 0."""

MEMORY_MB = 400
"""What the process may hold; the file itself is a small part of it."""

MEASURED = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
print("peak_kb", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""
"""Runs one command as its only child, so that the peak is that command's."""


def test_of_100_000_lines_one_is_refused_and_named_and_99_999_are_applied(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [upt(f"up-{n}") for n in range(LINES)]
    lines[BAD] = upt(f"up-{BAD}", valid_from="yesterday")
    with private_sshd() as server:
        hub = HubByHand(tmp_path / "site", server, command=(sys.executable, "-c", MEASURED))
        hub.found()
        hub.offer(reference_name(1), reference_file(1, *lines))

        run = hub.amihub("billing", "run", "mass")

        answer = hub.answer(reference_name(1))
        peak = int(re.findall(r"peak_kb (\d+)", run.err)[-1]) / 1024
    with capsys.disabled():
        print(f"\n{LINES:,} lines: {run.seconds:.1f} s, peak {peak:.0f} MB")
    assert run.code == 0, run.text
    assert answer is not None
    refused = [item for item in answer["items"] if item["verdict"] != "ACCEPTED"]
    assert answer["verdict"] == "ACCEPTED_WITH_ERRORS"
    assert [(item["key"], item["line"], item["code"]) for item in refused] == [(f"up-{BAD}", BAD + 2, "7011 BAD_FIELD")]
    assert refused[0]["reason"]
    with sqlite3.connect(hub.folder / "var" / "hub.db") as store:
        held = {row[0] for row in store.execute("SELECT usage_point FROM usage_point")}
    assert held == {f"up-{n}" for n in range(LINES) if n != BAD}
    assert peak < MEMORY_MB
