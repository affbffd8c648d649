"""`amihub unbilled`: a day is counted and looked at in every form; the page needs no network and hides nothing."""

import csv
import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result
from unbilled_world import City, at
from upgraded import upgraded

from canonical.codes.billing import UNBILLED_NOT_COUNTED
from canonical.codes.configuration import SITE_FILE_INVALID
from canonical.errors import HubError
from services import hub
from services.airflow_unbilled import DUE, ONE, TODAY, counted, verdict
from services.cli_unbilled import app
from services.site_file import load_site
from services.unbilled_pass import unbilled_policy
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

[unbilled]
currency = "CAD"
since = 2026-06-01
[[unbilled.averages]]
commodity = "ELECTRICITY"
rate = 0.14255
daily_use = 20
"""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site with one agreement that is billed to July 1, one without a meter, and a meter without agreement."""
    (tmp_path / "var").mkdir()
    (tmp_path / "site.toml").write_text(SITE)
    url = f"sqlite:///{tmp_path}/var/hub.db"
    upgraded(url)
    engine = open_engine(url)
    city = City(transactions(engine))
    city.point("U1"), city.agreement("G1", "U1"), city.meter("1", "U1")
    city.bill("R1", "U1", "2026-06-01", "2026-07-01", Decimal(300), {"1": Decimal(800)})
    city.read("1", "U1", at("2026-06-01"), Decimal(520)), city.read("1", "U1", at("2026-07-20"), Decimal(920))
    city.point("U2"), city.agreement("<b>=G2</b>", "U2")
    city.meter("3", "U3")
    engine.dispose()
    monkeypatch.setenv("AMIHUB_SITE", str(tmp_path / "site.toml"))
    monkeypatch.setattr(hub, "machine_now", lambda: at("2026-07-20", 6))
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), catch_exceptions=False)


def test_a_day_is_counted_and_its_table_says_what_and_why(desk: Path) -> None:
    counted = run("run")
    table = run("report").output

    assert counted.output == "2026-07-20: 3 entries as of 2026-07-20 10:00Z\n"
    assert "Unbilled at the end of 2026-07-20" in table
    assert re.search(r"IN_CYCLE +1 +120\.000 kWh +17\.11 ", table)
    assert "NO_METER: no meter was ever installed" in table
    assert "NO_SA: meter 3 hangs there; no agreement is active" in table


@pytest.mark.parametrize(
    ("by", "name"),
    [("class", "RESIDENTIAL"), ("cycle", "07"), ("age", "0-5"), ("tariff", "R1"), ("commodity", "ELECTRICITY")],
)
def test_totals_are_grouped_by_what_is_asked_for(desk: Path, by: str, name: str) -> None:
    run("run")

    told = json.loads(run("report", "--by", by, "--format", "json").output)

    assert name in {one["name"] for one in told["groups"]}
    assert sum(one["entries"] for one in told["groups"]) == sum(one["entries"] for one in told["totals"]) == 3
    assert sum(one["quantity_micro"] for one in told["groups"]) == told["totals"][0]["quantity_micro"]


def test_the_csv_has_a_line_for_each_entry_and_no_formula(desk: Path) -> None:
    run("run")

    run("report", "--format", "csv", "--output", str(desk / "unbilled.csv"))

    with (desk / "unbilled.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["usage_point"]: row for row in csv.DictReader(file)}
    assert (rows["U1"]["quantity"], rows["U1"]["money"], rows["U1"]["currency"]) == ("120", "17.11", "CAD")
    assert (rows["U1"]["latest_reads"], rows["U1"]["since"]) == ("1 T=920", "2026-07-01T04:00:00Z")
    assert rows["U2"]["reason"] == "NO_METER"
    assert not any(value.startswith(("=", "+", "@")) for row in rows.values() for value in row.values())


def test_the_page_needs_nothing_else_and_escapes_what_systems_say(desk: Path) -> None:
    run("run", "--date", "2026-07-19")
    run("run")

    run("report", "--format", "html", "-o", str(desk / "unbilled.html"))

    page = (desk / "unbilled.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert set(re.findall(r'https?://[^"\s<]+', page)) == {"http://www.w3.org/2000/svg"}
    assert "&lt;b&gt;=G2&lt;/b&gt;" in page
    assert "<b>=G2" not in page
    assert "prefers-color-scheme: dark" in page
    assert page.count("<svg") == page.count("</svg>") == 2
    assert "2026-07-19: " in page, "the trend has a column for the day before"


def test_a_day_that_was_not_counted_is_refused_by_code(desk: Path) -> None:
    with pytest.raises(HubError) as refused:
        run("report", "--date", "2026-07-01")

    assert refused.value.code == UNBILLED_NOT_COUNTED


def test_the_proof_is_printed_with_its_exceptions(desk: Path) -> None:
    run("run")

    told = run("balance", "--since", "2026-06-01").output

    assert "register 120 + billed 300 + exceptions -20 = delivered 400 kWh" in told
    assert "U1: -20 kWh" in told, "its June was billed 20 kWh beyond what was read"


def test_the_site_says_how_feeds_state_their_values(desk: Path) -> None:
    policy = unbilled_policy(load_site())

    assert (policy.currency, policy.is_applied("mdms"), policy.is_applied("elsewhere")) == ("CAD", True, True)
    assert policy.averages[0].rate == Decimal("0.14255")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("curency = 'CAD'", "unknown key; did you mean 'currency'?"),
        ("currency = 'Canada'", "unbilled.currency: String should match"),
        ("silent_days = 0", "unbilled.silent_days: Input should be greater than or equal to 1"),
        ("[[unbilled.averages]]\ncommodity = 'GAS'\nrat = 1", "did you mean 'rate'?"),
        ("[[unbilled.averages]]\ncommodity = 'GAS'\nrate = 1\n" * 2, "two averages for GAS/any/any"),
    ],
)
def test_a_wrong_line_of_the_site_file_is_named(tmp_path: Path, wrong: str, says: str) -> None:
    (tmp_path / "site.toml").write_text(SITE[: SITE.index("currency")] + wrong)

    with pytest.raises(HubError) as refused:
        load_site(tmp_path / "site.toml")

    assert refused.value.code == SITE_FILE_INVALID
    assert says in refused.value.reason


def _asked(steps: str, day: str | None = None) -> dict[str, str | None]:
    return {"steps": steps, "day": day, "note": ""}


def test_the_task_of_the_dag_counts_the_day_that_ended_and_then_nothing_until_the_next_ends(desk: Path) -> None:
    first, second = counted(_asked(DUE)), counted(_asked(DUE))

    assert first == {"day": "2026-07-19", "as_of": "2026-07-20T04:00:00+00:00", "entries": 3}
    assert second == {}
    assert verdict() == {"due": [], "failures": []}


def test_a_person_may_have_today_or_any_one_day_counted_by_the_dag(desk: Path) -> None:
    assert counted(_asked(TODAY))["day"] == "2026-07-20"
    assert counted(_asked(ONE, "2026-07-03"))["day"] == "2026-07-03"
    assert verdict()["due"] == [f"2026-07-{day:02d}" for day in range(4, 20)]


def test_one_day_without_a_date_is_refused(desk: Path) -> None:
    with pytest.raises(ValueError, match="isoformat"):
        counted(_asked(ONE))
