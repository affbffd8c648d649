"""Waves as stories: houses, read dates and rules given; then who is visited when, and who is not and why.

given/wave.toml (a section [rollout.waves.NAME]), houses.csv, calendar.csv (cycle, read date); then/orders.csv, in the
order of the days; usage points that the rules do not choose are not listed.
"""

import csv
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from wave_town import House, build

from flows.meter_rollout.planner import plan
from services.site_model import SiteModel
from services.site_rollout import waves_of
from store import rollout_plans
from store.session import Transaction

STORIES = sorted(folder.parent for folder in Path(__file__).parent.glob("*/given"))
NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
SITE = {"name": "Example", "zone": "America/Toronto", "env": "TEST", "sender": "AMIHUB"}


@pytest.mark.parametrize("story", STORIES, ids=lambda folder: folder.name)
def test_a_wave_is_planned_as_its_story_says(story: Path, transaction: Transaction) -> None:
    given = tomllib.loads((story / "given" / "wave.toml").read_text())
    [rules] = waves_of(SiteModel.model_validate({"site": SITE, "roles": {}, "rollout": {"waves": given}})).values()
    dates = [(row["cycle"], row["read_date"]) for row in _rows(story / "given" / "calendar.csv")]
    with transaction() as session:
        build(session, [_house(row) for row in _rows(story / "given" / "houses.csv")], read_dates=dates)

    plan(rules, transaction=transaction, now=NOW, by="Ada")

    with transaction() as session:
        orders = rollout_plans.of_day(session, rules.wave, states=["PLANNED", "EXCLUDED"], days=[], limit=1000)
    said = [
        {
            "usage_point": row["usage_point_name"],
            "state": row["state"],
            "day": row["planned_day"],
            "place": str(row["place"] or ""),
            "code": row["code"],
            "reason": row["reason"],
        }
        for row in sorted(orders, key=lambda row: (row["planned_day"] or "~", row["place"], row["usage_point"]))
    ]
    assert said == _rows(story / "then" / "orders.csv")


def _house(row: dict[str, str]) -> House:
    """Return the house of a line; what is not said is usual."""
    texts: dict[str, Any] = {
        name: row[name] for name in ("district", "route", "cycle", "customer_class", "model") if row.get(name)
    }
    return House(
        int(row["number"]),
        street=row.get("street") or "Elm",
        net_metering=row.get("net_metering") == "yes",
        special_need=row.get("special_need") or "",
        **texts,
    )


def _rows(file: Path) -> list[dict[str, str]]:
    """Return the lines of a CSV file by its header."""
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))
