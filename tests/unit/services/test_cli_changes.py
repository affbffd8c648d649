"""`amihub changes`: subscribers told through real adapters, looked at, told again; what waits for a person decided."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result
from upgraded import upgraded

from canonical.holdings import Holding, Withdrawn
from canonical.ids import meter_mrid
from canonical.messages import FileFacts, FileIdentity, Item
from flows.file_handling import FileContext
from flows.master_data_sync import Policy
from flows.master_data_sync.file_changes import ChangesHandler
from flows.routing import Routes
from services.cli_changes import app
from services.hub import open_hub
from services.site_file import load_site
from store.deliveries import Delivery
from store.rows import rows_of
from store.session import Transaction, open_engine, transactions

pytestmark = pytest.mark.slow

SITE = """
[site]
name = "Example"
zone = "UTC"
env = "TEST"
sender = "AMIHUB"
data = "var"
demo_clock = "clock.json"

[roles.mdms]
adapter = "mdms_cim"
kind = "meter_data_system"
clock = "UTC"
multiplier = "applied"
settings = { services_url = "https://mdms.example/cim", user = "amihub", password = "river-of-nine" }
[roles.gis]
adapter = "masters_flatfile"
kind = "partner"
clock = "UTC"
multiplier = "raw"
[roles.gis.settings]
host = "sftp.gis.example"
user = "amihub"
host_keys = ["ssh-ed25519 AAAA"]
receiver = "GIS"
env = "TEST"
[masters]
inboxes = ["gis"]
[subscribers.meters]
role = "mdms"
[subscribers.maps]
role = "gis"
mode = "batch"
interval_minutes = 1
begin = "full"
"""
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
METER = meter_mrid("ACME", "1")
MANY = {"manufacturer": "ACME", "serial": "1", "commodity": "ELECTRICITY", "multiplier": "40", "model": "AX"}
HELD = [
    Holding("customer", "C1", SINCE, None, {"kind": "residential", "name": "Ada Sample"}),
    Holding("account", "A1", SINCE, None, {"customer": "C1", "cycle": "07"}),
    Holding("location", "L1", SINCE, None, {"street": "Main", "number": "5", "town": "Example"}),
    Holding("usage_point", "U1", SINCE, None, {"name": "NMI1", "zone": "UTC", "commodity": "ELECTRICITY",
                                              "read_source": "AMI", "route": "R1", "location": "L1"}),
    Holding("meter", METER, SINCE, None, MANY),
    Holding("installation", f"U1/{METER}", SINCE, None, {"usage_point": "U1", "meter": METER}),
    Holding("agreement", "G1", SINCE, None, {"account": "A1", "usage_point": "U1", "tariff": "TOU",
                                            "net_metering": "false", "customer_class": "RESIDENTIAL"}),
    Holding("topology", "U1", SINCE, None, {"transformer": "T1", "feeder": "F1"}),
]  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Transaction:
    """A site whose subscribers have begun before anything is told."""
    (tmp_path / "var").mkdir()
    (tmp_path / "site.toml").write_text(SITE)
    set_clock(tmp_path, SINCE)
    url = f"sqlite:///{tmp_path}/var/hub.db"
    upgraded(url)
    monkeypatch.setenv("AMIHUB_SITE", str(tmp_path / "site.toml"))
    assert load_site().store_url
    found = run("feed")
    assert found.exit_code == 0, found.output
    return transactions(open_engine(load_site().store_url))


def set_clock(folder: Path, business: datetime) -> None:
    """Let the site's business time stand still."""
    (folder / "clock.json").write_text(json.dumps({"wall": 0, "business": business.isoformat(), "rate": 0}))


def run(*words: str) -> Result:
    """Run a command of `amihub changes`."""
    return CliRunner().invoke(app, list(words), catch_exceptions=False)


def take(
    transaction: Transaction, number: int, items: list[Any], *, now: datetime = SINCE, policy: Policy | None = None
) -> list[str]:
    """Take a file of changes of the CIS, and return its verdicts."""
    facts = FileFacts({"watermark": now.isoformat()}, {}, {}, 0, 0)
    file = FileContext(f"f-{number}", "cis", f"MX_{number}", FileIdentity("masters", "CIS"), facts, "0" * 64, now)
    lines = [Item(line, one.object_id, one) for line, one in enumerate(items, 2)]

    def nobody(role: str, message: Any) -> Any:
        raise AssertionError(role, message)

    with transaction() as session:
        found = ChangesHandler(policy or Policy(), Routes(), nobody).handle(session, file, lines, now=now)
    return [one.verdict for one in found]


def test_every_kind_is_told_in_the_words_of_its_adapter(desk: Transaction, tmp_path: Path) -> None:
    take(desk, 1, HELD)
    set_clock(tmp_path, SINCE + timedelta(hours=1))

    run("feed")

    status = {row["kind"]: (row["state"], row["code"]) for row in json.loads(run("status", "meters", "--json").output)}
    assert status == {
        **dict.fromkeys(("customer", "account", "location", "meter", "agreement"), ("awaiting", "")),
        **dict.fromkeys(("usage_point", "installation"), ("awaiting", "")),
    }
    assert {row["state"] for row in json.loads(run("status", "maps", "--json").output)} == {"awaiting"}
    (file,) = (tmp_path / "var" / "spool").rglob("MX_*CHANGES*.dat")
    text = file.read_text()
    assert [text.count(f"\n{tag}|") for tag in ("CUS", "ACC", "LOC", "UPT", "MTR", "INS", "AGR", "TOP")] == [1] * 8


def test_what_changes_ends_or_never_was_is_told_in_the_adapters_words_too(desk: Transaction, tmp_path: Path) -> None:
    take(desk, 1, HELD)
    run("feed")
    later = SINCE + timedelta(days=30)
    set_clock(tmp_path, later)
    ended = [Holding(one.kind, one.object_id, one.valid_from, later, one.facts) for one in HELD]
    assert set(take(desk, 2, ended, now=later)) == {"ACCEPTED"}
    run("feed")
    gone = [Withdrawn(one.kind, one.object_id, later) for one in HELD]
    assert set(take(desk, 3, gone, now=later + timedelta(days=1))) == {"ACCEPTED"}
    set_clock(tmp_path, later + timedelta(days=1))

    run("feed")

    with desk() as session:
        rows = rows_of(session, Delivery.__table__.select())  # type: ignore[attr-defined]
    nouns = {(row["verb"], row["noun"]) for row in rows if row["destination"] == "mdms"}
    assert {("create", "UsagePointConfig"), ("close", "UsagePointConfig"), ("delete", "UsagePointConfig")} <= nouns
    assert {("close", "MasterDataLinkageConfig"), ("delete", "MeterConfig"), ("close", "MeterConfig")} <= nouns
    *_, last = sorted((tmp_path / "var" / "spool").rglob("MX_*CHANGES*.dat"))
    assert last.read_text().count("\nDEL|") == len(HELD)


def test_cursors_objects_and_lines_are_shown_and_an_object_is_told_again(desk: Transaction) -> None:
    take(desk, 1, HELD[3:5])
    run("feed")

    assert "0 lines behind" in run("cursors").output
    assert "usage_point U1 begun from 2026-01-01 00:00" in run("list").output
    shown = run("show", "U1").output
    assert "cis" in shown
    assert "awaiting      told 2026-01-01 00:00, 1 times" in shown
    assert run("resend", "meters", "U1").exit_code == 0
    assert run("resend", "meters", "U9").exit_code == 1
    run("feed")
    assert "2 times" in run("show", "U1").output
    assert json.loads(run("show", "U1", "--json").output)[0]["object_id"] == "U1"
    assert "maps" in run("cursors", "--json").output


def test_a_person_decides_on_what_reaches_far_back(desk: Transaction, tmp_path: Path) -> None:
    take(desk, 1, HELD)
    later = SINCE + timedelta(days=200)
    set_clock(tmp_path, later)
    guarded = Policy(max_backdate=timedelta(days=60))
    back = [Holding("usage_point", "U1", SINCE + timedelta(days=1), None, {"route": "R9"})]
    take(desk, 2, back, now=later, policy=guarded)

    waiting = run("waiting").output.split()[0]
    refused = run("refuse", waiting, "--reason", "not so", "--as", "Ann")
    assert refused.output == "refused\n"

    take(desk, 3, back, now=later, policy=guarded)
    waiting = run("waiting").output.split()[0]
    assert "APPLIED" in run("approve", waiting, "--reason", "it is so", "--as", "Ann").output
    assert run("waiting").output == ""


def test_old_lines_go_when_every_subscriber_has_read_them(desk: Transaction, tmp_path: Path) -> None:
    take(desk, 1, HELD[:2])
    set_clock(tmp_path, SINCE + timedelta(days=500))

    assert run("prune", "--older-than", "400d").output == "dropped 0 lines\n"
    run("feed")
    assert run("prune", "--older-than", "400d").output == "dropped 1 lines\n"


def test_the_hub_feeds_nobody_where_the_site_has_no_subscribers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from services.master_data_feed import feed_pass

    (tmp_path / "site.toml").write_text(SITE.split("[subscribers.meters]")[0])
    monkeypatch.setenv("AMIHUB_SITE", str(tmp_path / "site.toml"))

    with open_hub() as hub:
        assert feed_pass(hub) == []
