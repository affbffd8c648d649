"""`amihub billing`, `work` and `explain` as a person types them, over the store of a night that was really played."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from billing_story import Story

from store import migrate
from store.session import open_engine, transactions

FOLDER = Path(__file__).parent / "night_with_every_kind_of_answer"
pytestmark = pytest.mark.slow
AMIHUB = Path(sys.executable).with_name("amihub")
SITE = """
[site]
name = "By hand"
zone = "America/Toronto"
env = "TEST"
sender = "AMIHUB"
data = "var"
demo_clock = "clock.json"

[roles.cis]
adapter = "cis_flatfile"
kind = "customer_system"
clock = "OFFSET_IN_MESSAGE"
multiplier = "raw"
[roles.cis.settings]
host = "127.0.0.1"
port = 9
user = "amihub"
password = "none"
host_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGrCVbPqlj0KFTDQqYXDGF7dJrDtcD5lmyQ0r7HFUg6m"]

[billing.mass]
customer_system = "cis"
partner = "CISMASS"
inboxes = ["cis"]
determinants = "mdms"
zone = "America/Toronto"
storm_districts = ["WEST"]

[work.owners]
billing = "bill-desk"
"""


@dataclass(frozen=True)
class Desk:
    """A site in a folder, and the command line over it."""

    folder: Path

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run one command."""
        env = {**os.environ, "AMIHUB_SITE": str(self.folder / "site.toml"), "COLUMNS": "200"}
        return subprocess.run([str(AMIHUB), *words], capture_output=True, text=True, env=env, timeout=120, check=False)

    def said(self, *words: str) -> str:
        """Return what a command printed that must succeed."""
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def json(self, *words: str) -> Any:
        """Return what a command says with --json."""
        return json.loads(self.said(*words, "--json"))

    def refused(self, *words: str) -> str:
        """Return what a command said that must fail, on one line each: what is wrong, what to do."""
        done = self.run(*words)
        assert done.returncode != 0, done.stdout
        assert "Traceback" not in done.stderr
        return done.stderr


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    folder = tmp_path_factory.mktemp("desk")
    (folder / "site.toml").write_text(SITE)
    (folder / "clock.json").write_text(json.dumps({"wall": 0, "business": "2026-07-01T22:00:00+00:00", "rate": 0}))
    (folder / "var").mkdir()
    url = f"sqlite:///{folder}/var/hub.db"
    migrate.upgrade(url)
    engine = open_engine(url)
    Story(FOLDER, transactions(engine), folder / "partners").play()
    engine.dispose()
    return Desk(folder)


def test_status_shows_every_hop_and_why_items_have_no_figure(desk: Desk) -> None:
    (run,) = desk.json("billing", "status", "mass", "--closed")

    assert (run["scheduled"], run["accepted"], run["rejected"]) == (4, 3, 1)
    assert run["answers"] == {"READY": 1, "HELD": 1, "EXPIRED": 1}
    assert [row["reason"] for row in run["unanswered"]] == ["6007 NO_READ", "6023 DETERMINANT_MISMATCH"]
    assert run["breaks"] == []
    text = desk.said("billing", "status", "mass", "--closed")
    assert "accepted 3 = expired 1, held 1, ready 1; rejected 1, repeated 0" in text
    assert "unanswered: 1 x 6023 DETERMINANT_MISMATCH" in text


def test_without_open_runs_status_names_the_command_that_shows_closed_ones(desk: Desk) -> None:
    said = desk.said("billing", "status", "mass")

    assert said == "mass: no open run. `amihub billing runs mass` shows closed ones.\n"
    assert "accepted 3/4" in desk.said("billing", "runs", "mass")


def test_an_unknown_interface_names_those_that_exist(desk: Desk) -> None:
    said = desk.refused("billing", "status", "masss")

    assert "'masss'" in said
    assert "mass" in said.split("this site has")[1]
    assert "What to do:" in said


def test_a_pass_whose_partner_is_away_says_so_and_ends(desk: Desk) -> None:
    done = desk.run("billing", "run", "mass")

    assert "! cis:" in done.stdout
    assert "Traceback" not in done.stderr


def test_explain_shows_the_whole_chain_of_a_bill_by_every_name_that_it_has(desk: Desk) -> None:
    text = desk.said("explain", "R1")

    for words in (
        "REQUEST R1", "asked in BR_CISMASS_AMIHUB_TEST_ON_07_20260701_000001_r0.dat, line", "v1 ACTUAL",
        "350 - 100 = 250; x 1 = 250 kWh", "KWH_TOTAL = 250 kWh (MDMS, VALIDATED)",
        "KW_MAX = 8.5 kW at 2026-06-17 21:15:00Z (VALIDATED), reset 1 times, last 2026-07-01 04:00:00Z",
        "SENT v1 in BD_AMIHUB_CISMASS_TEST_ON_07_20260701", "BILL-R1",
    ):  # fmt: skip
        assert words in text
    (chain,) = desk.json("explain", "R1")
    assert chain["item"]["state"] == "BILLED"
    for name in ("AU1", "GU1", "U1", "NMIU1", "0001", "ACM/0001"):
        assert [each["item"]["request_id"] for each in desk.json("explain", name)] == ["R1"]


def test_explain_of_a_held_item_names_both_figures_and_the_work(desk: Desk) -> None:
    text = desk.said("explain", "R2")

    assert "the meter data system says 90, the reads say 50" in text
    assert "6023 DETERMINANT_MISMATCH" in text


def test_explain_of_nothing_known_says_what_to_do(desk: Desk) -> None:
    said = desk.refused("explain", "NOBODY-KNOWS")

    assert "'NOBODY-KNOWS'" in said
    assert "What to do:" in said


def test_work_is_listed_shown_assigned_and_waived_with_who_and_why(desk: Desk) -> None:
    items = desk.json("work", "list", "--queue", "bill-desk")
    (unread,) = [item for item in items if item["code"] == "6007 NO_READ"]
    assert unread["key"] == "R3"
    assert "6007 NO_READ  R3" in desk.said("work", "list")

    assert "assigned to Bo" in desk.said("work", "assign", unread["work_id"][:8], "--to", "Bo", "--as", "Ada",
                                         "--reason", "he knows the house")  # fmt: skip
    desk.said("work", "waive", unread["work_id"], "--as", "Bo", "--reason", "billed next month")

    shown = desk.json("work", "show", unread["work_id"])
    assert (shown["item"]["state"], shown["item"]["owner"]) == ("WAIVED", "Bo")
    assert [(act["act"], act["by"], act["reason"]) for act in shown["acts"][-2:]] == [
        ("assigned", "Ada", "he knows the house"), ("waived", "Bo", "billed next month"),
    ]  # fmt: skip
    again = desk.refused("work", "waive", unread["work_id"], "--as", "Bo", "--reason", "again")
    assert "it is WAIVED already" in again
    assert "What to do:" in again


def test_released_work_is_billed_by_the_next_pass(desk: Desk) -> None:
    (held,) = [item for item in desk.json("work", "list") if item["code"] == "6023 DETERMINANT_MISMATCH"]

    said = desk.said("work", "release", held["work_id"], "--as", "Ada", "--reason", "the meter was tested")

    assert "released" in said
    assert "by Ada: released: the meter was tested" in desk.said("explain", "R2")


def test_a_work_item_that_nobody_has_is_refused_with_advice(desk: Desk) -> None:
    said = desk.refused("work", "show", "ffffffff-none")

    assert "0 work items answer to 'ffffffff-none'" in said
    assert "What to do:" in said


def test_a_decision_without_a_name_or_a_reason_is_not_taken(desk: Desk) -> None:
    assert "--as" in desk.refused("work", "waive", "x", "--reason", "because")
    assert "--reason" in desk.refused("billing", "storm", "on", "NORTH", "--by", "Ada")


def test_storm_mode_is_switched_listed_and_refused_where_it_makes_no_sense(desk: Desk) -> None:
    assert "WEST  no estimates by the site file, interface mass" in desk.said("billing", "storm", "list")
    act = ("--by", "Ada", "--reason", "ice on the lines")

    assert "storm mode is on" in desk.said("billing", "storm", "on", "NORTH", *act)
    assert "NORTH  no estimates  since 2026-07-01 22:00Z" in desk.said("billing", "storm", "list")
    assert "since 2026-07-01 22:00Z by Ada" in desk.refused("billing", "storm", "on", "NORTH", *act)
    assert "estimates are billed again" in desk.said("billing", "storm", "override", "NORTH", *act)
    assert "storm mode is off" in desk.said("billing", "storm", "off", "NORTH", *act)

    told = desk.json("billing", "storm", "list")
    assert [one["act"] for one in told["storms"][0]["acts"]] == ["storm_on", "storm_override", "storm_off"]
    assert told["site_file"] == {"mass": ["WEST"]}
    typo = desk.refused("billing", "storm", "on", "NORHT", *act)
    assert "'NORHT'" in typo
    assert "amihub billing storm list" in typo
