"""Airflow for real: standalone on SQLite, runs triggered over REST with no logical date, a small city billed by it."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.airflow,
    pytest.mark.slow,
    pytest.mark.xdist_group("airflow"),
    pytest.mark.timeout(900),
]


@pytest.fixture(scope="module")
def metadata(tmp_path_factory: pytest.TempPathFactory) -> sqlite3.Connection:
    """Airflow's own database after it billed one business day of a small city, to the auditor's content."""
    folder = tmp_path_factory.mktemp("live") / "run"
    settings = {"ENGINE": "airflow", "ONCE": "1", "POINTS": "120", "DAYS": "1", "SABOTAGE": ""}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "AMIHUB"))}
    ended = subprocess.run(
        [sys.executable, "-m", "simulators.demo", "--run", str(folder)],
        cwd=ROOT, env=kept | settings, capture_output=True, text=True, check=False, timeout=880,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-2000:]
    return sqlite3.connect(folder / "airflow" / "airflow.db")


def test_passes_triggered_without_a_logical_date_succeed(metadata: sqlite3.Connection) -> None:
    runs = metadata.execute(
        "select dag_id, state, logical_date, data_interval_start from dag_run where run_type = 'manual'"
    ).fetchall()

    assert {dag for dag, *_ in runs} == {"billing_exchange__mass", "billing_exchange__interval"}
    assert {logical_date for _, _, logical_date, _ in runs} == {None}
    assert all(state == "success" for dag, state, *_ in runs if dag.endswith("interval"))


def test_a_batch_is_named_on_its_mapped_task(metadata: sqlite3.Connection) -> None:
    labels = metadata.execute(
        "select rendered_map_index from task_instance where task_id = 'advance' and state = 'success'"
    ).fetchall()

    assert labels
    assert all(label and "/" in label for (label,) in labels)


def test_the_verdict_leaves_an_asset_event_with_control_totals(metadata: sqlite3.Connection) -> None:
    extras = [json.loads(extra) for (extra,) in metadata.execute("select extra from asset_event").fetchall()]

    assert extras
    assert {"interface", "failures", "control_totals"} <= set(extras[-1])


def test_nothing_personal_and_no_row_travels_between_tasks(metadata: sqlite3.Connection) -> None:
    values = [str(value) for (value,) in metadata.execute("select value from xcom").fetchall()]

    assert values
    assert all(len(value) < 20_000 for value in values)
    assert not [value for value in values if "AC00" in value or "PRIVATE KEY" in value]
