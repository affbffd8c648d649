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
