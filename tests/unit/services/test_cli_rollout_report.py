"""`amihub rollout report` in every form: the same figures, no network, nobody's name or address."""

import csv
import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from rollout_report_world import SECRETS, World, build
from typer.testing import CliRunner
from upgraded import upgraded

from services import hub
from services.cli import app
from store.session import open_engine, transactions

pytestmark = pytest.mark.slow

SITE = """
[site]
name = "Example"
zone = "America/Toronto"
env = "TEST"
sender = "AMIHUB"
data = "var"

[roles.mdms]
adapter = "mdms_cim"
kind = "meter_data_system"
clock = "UTC"
multiplier = "applied"
"""


def _site(folder: Path, monkeypatch: pytest.MonkeyPatch, *, orders: int) -> World:
    (folder / "var").mkdir()
    (folder / "site.toml").write_text(SITE)
    url = f"sqlite:///{folder}/var/hub.db"
    upgraded(url)
    engine = open_engine(url)
    world = build(transactions(engine), 11, orders=orders)
    engine.dispose()
    monkeypatch.setenv("AMIHUB_SITE", str(folder / "site.toml"))
    monkeypatch.setattr(hub, "machine_now", lambda: world.end + timedelta(hours=1))
    return world


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site whose rollout goes on, with trouble."""
    _site(tmp_path, monkeypatch, orders=60)
    return tmp_path


def test_every_form_tells_the_same_figures(desk: Path) -> None:
    table = run("report")
    told = json.loads(run("report", "--json"))
    assert run("report", "--csv", str(desk / "r.csv")).startswith("wrote ")

    with (desk / "r.csv").open(newline="", encoding="utf-8") as file:
        cells = {(row["table"], row["name"], row["measure"]): row["value"] for row in csv.DictReader(file)}
    assert told["listed"] > 0 < told["done"]
    assert f"{told['done']} of {told['listed']}" in table
    assert cells["rollout", "*", "done"] == str(told["done"])
    assert sum(int(value) for (of, _, what), value in cells.items() if (of, what) == ("day", "done")) == told["done"]
    for one in told["deviations"]:
        assert cells["deviation", one["code"], "open"] == str(one["open"]) == str(sum(one["ages"].values()))
        assert re.search(rf"{one['code']} +{one['raised']} +{one['open']} ", table)


def test_the_page_has_its_plots_and_needs_nothing_else(desk: Path) -> None:
    run("report", "--html", str(desk / "r.html"))

    page = (desk / "r.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert set(re.findall(r'https?://[^"\s<]+', page)) == {"http://www.w3.org/2000/svg"}
    assert page.count("<svg") == page.count("</svg>") == 5
    assert "prefers-color-scheme: dark" in page
    assert "<polyline" in page
    assert ">before</text>" in page, "what is left begins with what there was"
    assert "8005 PREMISE_MISMATCH" in page


def test_no_form_tells_who_lives_or_works_where(desk: Path) -> None:
    told = run("report") + run("report", "--json")
    run("report", "--csv", str(desk / "r.csv"), "--html", str(desk / "r.html"))
    told += (desk / "r.csv").read_text(encoding="utf-8") + (desk / "r.html").read_text(encoding="utf-8")

    assert not [secret for secret in (*SECRETS, "Ada") if secret in told]


def test_a_wave_and_a_past_day_are_told_by_themselves(desk: Path) -> None:
    whole, north = json.loads(run("report", "--json")), json.loads(run("report", "north-1", "--json"))
    before = json.loads(run("report", "--day", "2026-11-01", "--json"))

    assert (north["wave"], north["unplanned"]) == ("north-1", 0)
    assert 0 < north["listed"] < whole["listed"]
    assert (before["day"], before["until"]) == ("2026-11-01", "2026-11-02T04:59:59.999999Z")
    assert before["done"] < whole["done"]


def test_every_form_opens_with_no_order_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _site(tmp_path, monkeypatch, orders=0)

    table = run("report")
    run("report", "--html", str(tmp_path / "r.html"), "--csv", str(tmp_path / "r.csv"))

    assert "0 of 0  exchanges done" in table
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "Nothing is planned, and nothing was done." in page
    assert "No deviation is open." in page


def run(*words: str) -> str:
    """Run a command of the topic and return what it printed."""
    done = CliRunner().invoke(app, ["rollout", *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return str(done.output)
