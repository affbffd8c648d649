"""`amihub rollout correct|confirm`: nothing changes without a name and a reason."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.meter_rollout.corrections import Corrected
from services.cli import app
from services.cli_rollout_correct import _lines


@pytest.mark.parametrize(
    "arguments",
    [
        ["--cross", "U1,U2", "--confirm", "--by", "ann"],
        ["--premise", "R1"],
        ["--cross", "U1,U2", "--accept", "R1"],
        [],
    ],
)
def test_what_is_not_asked_whole_is_refused_before_anything_is_opened(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AMIHUB_SITE", str(tmp_path / "nowhere.toml"))

    assert CliRunner().invoke(app, ["rollout", "correct", *arguments]).exit_code == 2


def test_a_preview_says_that_nothing_was_changed_and_names_bills() -> None:
    found = Corrected(("U1: a -> b",), 2, ("o1",), ("U1",))

    lines = _lines(found, is_preview=True)

    assert "nothing was changed yet" in lines[0]
    assert lines[1:] == [
        "  U1: a -> b",
        "  2 readings move with their meters",
        "  told again: o1",
        "  bills that rest on the old belief, for a person: U1",
    ]


@pytest.mark.parametrize(
    ("command", "examples"),
    [
        ("correct", ["--cross U1,U2,U3", "--premise RESULT --to U7", "--accept RESULT", "--confirm --by ann --reason"]),
        ("confirm", ["RESULT --rule EX08 --by ann --reason"]),
    ],
)
def test_help_shows_each_decision_by_an_example(command: str, examples: list[str]) -> None:
    shown = CliRunner().invoke(app, ["rollout", command, "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"}).output

    assert [one for one in examples if one not in " ".join(shown.split())] == []


def test_a_decision_that_is_not_whole_is_answered_by_an_example() -> None:
    said = CliRunner().invoke(app, ["rollout", "correct", "--cross", "U1,U2", "--confirm"], env={"COLUMNS": "200"})

    assert '--by ann --reason "photos of both plates"' in said.output
