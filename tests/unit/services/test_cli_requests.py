"""`amihub requests`: people see how far requests are, and let failed objects be tried again."""

from pathlib import Path

import pytest
from served_cim import hub_of, uuid
from served_questions import ask
from typer.testing import CliRunner

from services.cim_site import requests_pass
from services.cli import app


def test_requests_are_listed_shown_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with hub_of(tmp_path) as hub:
        ask(hub, "up-1", "unknown-2", number=4)
        ask(hub, "up-1", "unknown-1", asynchronous=True, number=5)
        requests_pass(hub)
        monkeypatch.setenv("AMIHUB_SITE", str(hub.site.path))

        def run(*arguments: str) -> str:
            return CliRunner().invoke(app, ["requests", *arguments]).output

        listed, shown = run("list"), run("show", uuid(4))
        waiting, again = run("list", "--state", "paused"), run("retry", uuid(4))
        missing = CliRunner().invoke(app, ["requests", "show", "teapot"])

    assert ("2 requests" in listed, "1 requests" in waiting) == (True, True)
    assert "FAILED          unknown-2  inquiry  1155 DEP_NOT_FOUND" in shown
    assert "SUCCESSFUL      up-1  inquiry" in shown
    assert "nothing of it failed, or its caller waited" in again
    assert isinstance(missing.exception, Exception)
