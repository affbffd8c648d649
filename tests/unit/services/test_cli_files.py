"""`amihub files`: the ledger as a person sees it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from canonical.messages import OfferedFile
from services import cli_files
from store import files
from store.session import open_engine, transactions

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
SITE = """
[site]
name = "Small Town"
zone = "UTC"
env = "TEST"
sender = "AMIHUB"
[roles.cis]
adapter = "cis_flatfile"
kind = "customer_system"
clock = "UTC"
multiplier = "raw"
"""


@pytest.fixture
def site(sqlite_databases: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = sqlite_databases()  # type: ignore[operator]
    (tmp_path / "site.toml").write_text(SITE + f'[store]\nurl = "{url}"\n')
    monkeypatch.setenv("AMIHUB_SITE", str(tmp_path / "site.toml"))
    engine = open_engine(url)
    with transactions(engine)() as session:
        (row,) = files.see(session, "cis", [OfferedFile("A.dat", 3, 0.0, True)], now=NOW, machine_now=NOW)
        row.state, row.code, row.counts = "held", "7084 SEQUENCE_GAP", {"accepted": 0}
    engine.dispose()


@pytest.mark.usefixtures("site")
def test_files_are_listed_shown_and_released_by_a_named_person() -> None:
    run = CliRunner().invoke

    listed = run(cli_files.app, ["list", "--state", "held"])
    shown = run(cli_files.app, ["show", "A.dat"])
    file_id = next(line.split()[-1] for line in shown.output.splitlines() if line.startswith("file id"))
    released = run(cli_files.app, ["release", file_id, "--as", "kim"])

    assert "2026-03-02 06:00Z  cis        held                 A.dat  7084 SEQUENCE_GAP" in listed.output
    assert "1 files" in listed.output
    assert released.exit_code == 0
    assert "kim" in run(cli_files.app, ["show", "A.dat", "--json"]).output
    assert run(cli_files.app, ["show", "B.dat"]).exit_code == 1
