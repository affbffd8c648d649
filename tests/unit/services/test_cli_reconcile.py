"""`amihub reconcile`: what differs is found, explained, repaired or waived by command; personal values stay hidden."""

import csv
import io
import json
from pathlib import Path

import pytest
from recon_by_hand import NOW, World, held, meter, point
from typer.testing import CliRunner, Result
from upgraded import upgraded

from canonical.codes.reconciliation import DIFFERENCE_NOT_FOUND
from canonical.errors import RejectedError
from services import hub
from services.cli_reconcile import app
from services.reconciliation_pass import policy_of
from services.site_file import load_site
from store.session import open_engine, transactions

pytestmark = pytest.mark.slow

ROLE = """
[roles.{name}]
adapter = "masters_flatfile"
kind = "{kind}"
clock = "UTC"
multiplier = "raw"
"""
SITE = """
[site]
name = "Example"
zone = "America/Toronto"
env = "TEST"
sender = "AMIHUB"
data = "var"
[masters]
inboxes = ["cis", "mdms", "oms"]
granularity = { cis = "day" }
systems = { oms = "oms" }
[subscribers.meters]
role = "mdms"
kinds = ["usage_point", "meter"]
mode = "batch"
[reconcile]
in_transit_hours = 2
owners = { "usage_point.name" = "oms" }
[[reconcile.repair]]
classes = ["FIELD_DIFF"]
systems = ["mdms"]
""" + "".join(
    ROLE.format(name=name, kind=kind)
    for name, kind in (("cis", "customer_system"), ("mdms", "meter_data_system"), ("oms", "partner"))
)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A site whose MDMS holds two usage points on other routes and lacks a meter; its CIS holds another name."""
    (tmp_path / "var").mkdir()
    (tmp_path / "site.toml").write_text(SITE)
    url = f"sqlite:///{tmp_path}/var/hub.db"
    upgraded(url)
    world = World(transactions(open_engine(url)))
    world.believes(point("U1"), point("U2"), point("U3"), meter(1), meter(2))
    world.believes(held("customer", "C1", kind="residential", name="Ann Example"))
    world.drops("mdms", [point("U1", route="R8"), point("U2", route="R9"), point("U3"), meter(1)])
    world.drops("cis", [held("customer", "C1", kind="residential", name="Anne Example")])
    monkeypatch.setenv("AMIHUB_SITE", str(tmp_path / "site.toml"))
    monkeypatch.setattr(hub, "machine_now", lambda: NOW)
    return world


def said(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), catch_exceptions=False)


def test_a_run_says_what_it_did_and_exits_1_while_something_differs(site: World) -> None:
    ran = said("run")

    assert ran.exit_code == 1
    assert "2 extracts in force" in ran.stdout
    assert "1024 partitions compared" in ran.stdout
    assert "4 differences, 4 opened, 0 closed, round complete" in ran.stdout


def test_a_report_as_json_names_each_difference_with_class_cause_and_next_step(site: World) -> None:
    said("run")

    told = json.loads(said("report", "--json").stdout)

    named = {(one["system"], one["class"], one["kind"], one["object_id"], one["field"]) for one in told["differences"]}
    assert ("mdms", "FIELD_DIFF", "usage_point", "U1", "route") in named
    assert {one["system"] for one in told["differences"]} == {"mdms", "hub"}
    assert {one["cause"] for one in told["differences"]} <= {"lost", "out_of_band"}
    allowed = [one for one in told["differences"] if one["field"] == "route"]
    assert {one["next"] for one in allowed} == {"repair: allowed without a person"}
    assert told["round"]["compared"] == 1024


def test_names_and_addresses_are_shown_only_where_they_are_asked_for(site: World) -> None:
    said("run")

    hidden = (
        said("report", "--list").stdout + said("report", "--json").stdout + said("report", "--format", "csv").stdout
    )
    shown = said("report", "--list", "--personal").stdout

    assert "Example" not in hidden
    assert "(personal)" in hidden
    assert "Anne Example" in shown


def test_a_report_as_csv_has_one_line_for_each_difference(site: World) -> None:
    said("run")

    rows = list(csv.DictReader(io.StringIO(said("report", "--format", "csv", "--system", "mdms").stdout)))

    assert [(row["class"], row["field"]) for row in rows] == [
        ("FIELD_DIFF", "route"), ("FIELD_DIFF", "route"), ("MISSING_IN_X", ""),
    ]  # fmt: skip


def test_a_dry_run_says_what_would_be_sent_and_sends_nothing(site: World) -> None:
    said("run")

    dry = said("repair", "--allowed", "--dry-run").stdout

    assert dry.count("tell mdms of usage_point") == 2
    assert dry.count("again, by its feed meters") == 2
    assert "2 would be sent" in dry
    assert {row["state"] for row in site.rows()} == {"open"}


def test_what_the_site_allows_is_repaired_by_one_command_and_only_that(site: World) -> None:
    said("run")

    done = said("repair", "--allowed")

    assert done.exit_code == 0
    assert done.stdout.endswith("2 repairs sent\n")
    states = {(row["system"], row["field"]): row["state"] for row in site.rows()}
    assert states[("mdms", "route")] == "repairing"
    assert states[("mdms", "")] == states[("hub", "name")] == "open"


def test_a_person_may_repair_more_with_name_and_reason(site: World) -> None:
    said("run")

    refused = said("repair", "--class", "MISSING_IN_X")
    done = said("repair", "--class", "MISSING_IN_X", "--by", "ann", "--reason", "asked by the owner")

    assert refused.exit_code == 2
    assert done.stdout.endswith("1 repairs sent\n")
    (row,) = [row for row in site.rows() if row["klass"] == "MISSING_IN_X"]
    assert (row["state"], row["by"], row["reason"]) == ("repairing", "ann", "asked by the owner")


def test_what_is_waived_stays_visible_under_the_name_of_who_did(site: World) -> None:
    said("run")

    waived = said("waive", "--system", "mdms", "--field", "route", "--by", "ann", "--reason", "migrated next month")
    said("run")

    assert waived.stdout == "2 differences waived\n"
    told = json.loads(said("report", "--json", "--system", "mdms", "--field", "route").stdout)
    assert {(one["class"], one["by"], one["next"]) for one in told["differences"]} == {
        ("KNOWN_WAIVED", "ann", "nothing: waived by ann")
    }


def test_one_difference_is_shown_with_what_was_done_about_it(site: World) -> None:
    said("run")
    (row,) = [row for row in site.rows() if row["klass"] == "MISSING_IN_X"]

    shown = said("show", row["difference_id"][:12]).stdout

    assert "MISSING_IN_X" in shown
    assert "found      hub: " in shown


def test_an_id_that_names_nothing_is_refused_by_code(site: World) -> None:
    with pytest.raises(RejectedError) as refused:
        said("show", "no-such-id")

    assert refused.value.code == DIFFERENCE_NOT_FOUND


def test_status_says_how_old_each_extract_is(site: World) -> None:
    said("run", "--portion")

    stood = said("status").stdout

    assert "mdms     as of 2026-03-02 06:00Z (0.0 h ago), 4 lines MX_1.dat" in stood
    assert "round 1 is at partition 64 of 1024" in stood


def test_the_policy_follows_the_site(site: World) -> None:
    policy = policy_of(load_site().model)

    assert policy.of("cis").grain.granularity == "day"
    assert policy.owner_of("usage_point", "name") == "oms"
    assert policy.owner_of("agreement", "tariff") == "cis"
    assert policy.owner_of("meter", "multiplier") == "mdms"
    assert policy.feeds == {"mdms": ("meters",)}
    assert policy.feeds_kind("meters", "meter")
    assert not policy.feeds_kind("meters", "agreement")
