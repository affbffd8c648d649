"""`amihub rollout`: a wave goes from its plan to its signature by commands that say what to do next."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner
from upgraded import upgraded
from wave_town import House, build

from canonical.codes.rollout_waves import ROLLOUT_STATE, USAGE_POINT_UNKNOWN, WAVE_UNKNOWN
from canonical.errors import HubError
from services import hub
from services.cli_rollout import app
from store import deliveries, rollout_orders, rollout_results, rollout_steps
from store.rows import rows_of
from store.session import open_engine, transactions

pytestmark = pytest.mark.slow

SITE = """
[site]
name = "Example"
zone = "America/Toronto"
env = "TEST"
sender = "AMIHUB"
data = "var"

[roles.wams]
adapter = "wams_cim"
kind = "work_system"
clock = "UTC"
multiplier = "raw"
  [roles.wams.settings]
  url = "https://wams.example/cim"
  user = "amihub"
  password = "secret"
  ca_file = "ca.pem"

[rollout]
work_system = "wams"

[rollout.waves.north-1]
first_day = 2026-12-01
last_day = 2026-12-04
capacity_per_day = 2
districts = ["NORTH"]
exclude = { "N4" = "opt-out" }
hardware = [{ model = "NEW-1" }]
"""
CREW = """
[roles.crew]
adapter = "contractor_file"
kind = "work_system"
clock = "UTC"
multiplier = "raw"
  [roles.crew.settings]
  host = "sftp.example"
  user = "amihub"
  private_key = "key"
  host_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"]
  outbox = "/out"
  inbox = "/in"
  receiver = "CREW"
  env = "TEST"
"""
NOW = datetime(2026, 11, 30, 15, tzinfo=UTC)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A site with a wave of four houses, one of them opted out; its database."""
    (tmp_path / "var").mkdir()
    (tmp_path / "site.toml").write_text(SITE)
    url = f"sqlite:///{tmp_path}/var/hub.db"
    upgraded(url)
    engine = open_engine(url)
    with transactions(engine)() as session:
        build(session, [*(House(n) for n in (1, 2, 3, 4)), House(5, district="SOUTH")])
    engine.dispose()
    monkeypatch.setenv("AMIHUB_SITE", str(tmp_path / "site.toml"))
    monkeypatch.setattr(hub, "machine_now", lambda: NOW)
    return url


def test_a_wave_is_planned_frozen_and_released_and_its_orders_lie_in_the_queue_of_the_work_system(desk: str) -> None:
    assert run("plan", "north-1", "--dry-run")[0].endswith("would be planned")
    assert run("status") == [
        "wave                 state      days                       listed     done    ended      out"
    ]
    planned = run("plan", "north-1")
    assert planned[0] == "wave north-1: 3 of 4 usage points planned"
    assert planned[-1].endswith("`amihub rollout freeze north-1 --by NAME`")
    assert "3 orders, 1 excluded" in run("freeze", "north-1", "--by", "Ada")[0]
    assert run("release", "north-1", "--day", "2026-12-01", "--by", "Ada")[0] == "wave north-1: 2 orders released"

    engine = open_engine(desk)
    with transactions(engine)() as session:
        rows = rows_of(session, deliveries.DELIVERY.select())
    engine.dispose()
    assert [(row["destination"], row["noun"], row["lane"]) for row in rows] == [
        ("wams", "MeterServiceRequests", "UP-000001"),
        ("wams", "MeterServiceRequests", "UP-000002"),
    ]


def test_a_wave_without_usage_points_says_where_to_look_and_is_not_frozen(desk: str) -> None:
    site = Path(os.environ["AMIHUB_SITE"])
    site.write_text(SITE.replace('["NORTH"]', '["NOWHERE"]'))

    planned = run("plan", "north-1")

    assert planned == [
        "wave north-1: 0 of 0 usage points planned",
        "  nobody lies on its districts and routes: look at the section of the wave, and at `amihub load report`",
    ]
    with pytest.raises(HubError, match="its list is empty"):
        run("freeze", "north-1", "--by", "Ada")


def test_status_tells_planned_from_done_by_day_for_people_and_programs(desk: str) -> None:
    run("plan", "north-1"), run("freeze", "north-1", "--by", "Ada")
    run("release", "north-1", "--day", "2026-12-01", "--by", "Ada")

    lines = run("status", "north-1")
    [said] = json.loads("\n".join(run("status", "north-1", "--json")))

    assert "  2026-12-01 Tue        2        0        2        0        0        0         0" in lines
    assert any("frozen by Ada" in line for line in lines)
    assert (said["state"], said["states"]) == ("RELEASED", {"ELIGIBLE": 1, "EXCLUDED": 1, "RELEASED": 2})
    assert said["verdicts"] == {"8044 EXCLUDED_BY_RULE": 1, "PLANNED": 3}


def test_explain_says_why_a_usage_point_is_in_or_out(desk: str) -> None:
    assert any("wave north-1: no order; in, as soon as" in line for line in run("explain", "N1"))
    run("plan", "north-1"), run("freeze", "north-1", "--by", "Ada")

    out = "\n".join(run("explain", "N4"))
    away = "\n".join(run("explain", "UP-000005"))
    [known] = json.loads("\n".join(run("explain", "N1", "--json")))

    assert "wave north-1: EXCLUDED (8044 EXCLUDED_BY_RULE: excluded by name: opt-out)" in out
    assert "wave north-1: no order; out: 8043 NOT_OF_WAVE: its district is SOUTH; the wave takes NORTH" in away
    assert [line["state"] for line in known["orders"][0]["history"]] == ["ELIGIBLE"]


def test_explain_shows_completions_and_steps_with_their_ids(desk: str) -> None:
    run("plan", "north-1"), run("freeze", "north-1", "--by", "Ada")
    order = rollout_orders.order_id_of("north-1", "UP-000001")
    completion = {
        "result_id": "result-1", "business_key": "b", "order_id": order, "usage_point": "UP-000001", "outcome": "DONE",
        "content": {"address": "1 Elm"}, "source": "crew", "message_id": "m", "state": "HELD", "told_at": NOW,
        "codes": ["8008 FINAL_READ_IMPLAUSIBLE"], "effective_at": NOW,
    }  # fmt: skip
    step = {"order_id": order, "step": "CIS_PAIR", "attempt": 1, "role": "cis", "state": "PENDING", "began_at": NOW,
            "origin": "hub", "delivery_id": "", "operation": 0, "code": "",
            "reason": "", "due_at": None, "ended_at": None,
            "work_id": "", "facts": None}  # fmt: skip
    engine = open_engine(desk)
    with transactions(engine)() as session:
        rollout_results.insert(session, [completion])
        rollout_steps.plan(session, [step])
    engine.dispose()

    lines = run("explain", "N1")
    said = "\n".join(run("explain", "N1", "--json"))

    assert "    completion result-1 of crew: DONE, HELD  8008 FINAL_READ_IMPLAUSIBLE" in lines
    assert "    step CIS_PAIR         cis        PENDING" in lines
    assert json.loads(said)[0]["orders"][0]["completions"][0]["result_id"] == "result-1"
    assert "1 Elm" not in said


@pytest.mark.parametrize("several", ["orders_per_message = 2", 'work_system = "crew"\norders_per_message = 50'])
def test_orders_go_several_in_a_message_or_a_file_where_the_wave_says_so(
    desk: str, tmp_path: Path, several: str
) -> None:
    (tmp_path / "site.toml").write_text(SITE.replace("capacity_per_day = 2", f"capacity_per_day = 2\n{several}") + CREW)
    run("plan", "north-1"), run("freeze", "north-1", "--by", "Ada")

    run("release", "north-1", "--all", "--by", "Ada")

    engine = open_engine(desk)
    with transactions(engine)() as session:
        rows = rows_of(session, deliveries.DELIVERY.select())
    engine.dispose()
    assert [row["lane"] for row in rows] == ["field orders of north-1"] * 2  # two days


def test_a_wave_is_paused_resumed_and_aborted_under_a_name(desk: str) -> None:
    run("plan", "north-1"), run("freeze", "north-1", "--by", "Ada")
    run("release", "north-1", "--day", "2026-12-01", "--by", "Ada")

    assert "is paused" in run("pause", "north-1", "--by", "Bo", "--reason", "storm")[0]
    assert run("resume", "north-1", "--by", "Bo") == ["wave north-1 is RELEASED again"]
    assert run("abort", "north-1", "--by", "Ada", "--reason", "no budget") == [
        "wave north-1 is aborted: 3 orders cancelled, 2 of them withdrawn from the crews; 0 exchanges go on"
    ]


def test_mistakes_are_named_with_what_to_do(desk: str) -> None:
    with pytest.raises(HubError) as unknown:
        run("plan", "north-9")
    with pytest.raises(HubError) as early:
        run("plan", "north-1"), run("release", "north-1", "--all", "--by", "Ada")
    with pytest.raises(HubError) as nobody:
        run("explain", "N99")
    asked = CliRunner().invoke(app, ["release", "north-1", "--by", "Ada"])

    assert (unknown.value.code, early.value.code, nobody.value.code) == (
        WAVE_UNKNOWN,
        ROLLOUT_STATE,
        USAGE_POINT_UNKNOWN,
    )
    assert unknown.value.reason == "the site file has no [rollout.waves.north-9]; it has north-1"
    assert early.value.reason == "wave 'north-1' is PLANNED: freeze it first"
    assert asked.exit_code == 2


def test_a_pass_is_one_command(desk: str) -> None:
    run("plan", "north-1"), run("freeze", "north-1", "--by", "Ada")

    assert "0 problems" in run("run")[0]


def run(*words: str) -> list[str]:
    """Run a command of the topic and return its lines."""
    done = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return str(done.output).splitlines()
