"""`amihub history show` on a site of its own: text, JSON and page, on the terminal or into a file."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from belief_world import BeliefWorld, agreement, day, meter, point
from typer.testing import CliRunner
from upgraded import upgraded

from canonical.codes.identity import UNKNOWN_USAGE_POINT
from canonical.errors import RejectedError
from canonical.master_data import Customer, CustomerAccount
from services import cli_history
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

[roles.cis]
adapter = "cis_cim"
kind = "customer_system"
clock = "UTC"
multiplier = "raw"

[roles.mdms]
adapter = "mdms_cim"
kind = "meter_data_system"
clock = "UTC"
multiplier = "raw"

[billing]

[store]
url = "sqlite:///hub.db"
"""


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BeliefWorld]:
    (tmp_path / "site.toml").write_text(SITE)
    (tmp_path / "var").mkdir()
    monkeypatch.setenv("AMIHUB_SITE", str(tmp_path / "site.toml"))
    url = f"sqlite:///{tmp_path}/var/hub.db"
    upgraded(url)
    engine = open_engine(url)
    found = BeliefWorld(transactions(engine))
    for thing in (
        point(), meter("1"), agreement(), CustomerAccount("A1", "C1", valid_from=day(0)),
        Customer("C1", "residential", "Jane Doe", "555", valid_from=day(0)),
    ):  # fmt: skip
        found.tell("cis", "create", thing, heard=day(1))
    found.answer("mdms", at=day(2))
    yield found
    engine.dispose()


def run(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(cli_history.app, list(words), catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.output


def test_the_whole_time_line_is_printed_without_instants(world: BeliefWorld) -> None:
    said = run("NMI-U1")

    assert said.startswith("usage point U1 (NMI-U1): ")
    assert "told by cis, message cis-1" in said


def test_instants_without_an_offset_are_utc_and_one_alone_means_the_other_is_now(world: BeliefWorld) -> None:
    asked = json.loads(run("U1", "--at", "2026-01-05", "--known-at", "2026-01-02T19:00:00-05:00", "--format", "json"))
    alone = json.loads(run("U1", "--known-at", "2026-01-02", "--format", "json"))

    assert asked["asked"] == {"at": "2026-01-05T00:00:00Z", "known_at": "2026-01-03T00:00:00Z"}
    assert {one["system"]: one["status"] for one in asked["answers"] if one["kind"] == "usage_point"} == {
        "hub": "holds", "cis": "holds", "mdms": "holds",
    }  # fmt: skip
    assert alone["asked"]["known_at"] == "2026-01-02T00:00:00Z"
    assert {one["status"] for one in alone["answers"] if one["system"] == "mdms"} == {"unknown"}


def test_a_page_goes_into_a_file(world: BeliefWorld, tmp_path: Path) -> None:
    place = tmp_path / "u1.html"

    said = run("G1", "--format", "html", "--output", str(place))

    assert f"{place}: " in said
    assert place.read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("form", ["text", "json", "html"])
def test_personal_data_is_printed_only_when_asked_for(world: BeliefWorld, form: str) -> None:
    assert "Jane" not in run("U1", "--format", form)
    assert "555" not in run("U1", "--at", "2026-01-05", "--format", form).replace("#555", "")
    assert "Jane Doe" in run("U1", "--format", form, "--personal")


def test_what_is_no_instant_is_said_with_the_option(world: BeliefWorld) -> None:
    assert "is no instant" in run("U1", "--at", "yesterday", code=2)


def test_what_nobody_told_of_is_refused_with_its_code(world: BeliefWorld) -> None:
    with pytest.raises(RejectedError) as refused:
        run("U9")

    assert refused.value.code == UNKNOWN_USAGE_POINT
    assert "history" in {group.name for group in app.registered_groups}
