"""Airflow for real: standalone on SQLite, runs triggered over REST with no logical date, a small city billed by it."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread

import psutil
import pytest
from demo_by_hand import run_demo
from secret_night import files_below, found_in

pytestmark = [
    pytest.mark.airflow,
    pytest.mark.slow,
    pytest.mark.timeout(900),
]


LISTENERS: set[tuple[str, str]] = set()
"""Program and address of whatever listened while the demo ran."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run folder of a demo in which Airflow billed one business day of a small city, to the auditor's content."""
    folder = tmp_path_factory.mktemp("live")
    settings = {"ENGINE": "airflow", "DAYS": "1", "SABOTAGE": ""}
    ended, said = run_demo(folder, settings, timeout_s=860, watching=_listening)
    assert ended == 0, said[-6000:]
    return folder / "run"


@contextmanager
def _listening(pid: int) -> Iterator[None]:
    """Note, once a second, who of a process and all below it listens where."""
    over = Event()

    def look() -> None:
        while not over.wait(1):
            for process in _family(pid):
                try:
                    found = process.net_connections("tcp")
                    LISTENERS.update((process.name(), one.laddr.ip) for one in found if one.status == "LISTEN")
                except psutil.Error:
                    continue  # it has ended

    watch = Thread(target=look)
    watch.start()
    try:
        yield
    finally:
        over.set()
        watch.join()


def _family(pid: int) -> list[psutil.Process]:
    try:
        top = psutil.Process(pid)
        return [top, *top.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


@pytest.fixture(scope="module")
def metadata(run: Path) -> Iterator[sqlite3.Connection]:
    """Airflow's own database after that day."""
    with closing(sqlite3.connect(run / "airflow" / "airflow.db")) as connection:
        yield connection


def test_whatever_the_demo_starts_listens_to_this_machine_alone(run: Path) -> None:
    assert len(LISTENERS) >= 3, "the CIS, the MDMS, the hub and Airflow's pages at the least"
    assert {address for _, address in LISTENERS} <= {"127.0.0.1", "::1"}, LISTENERS


def test_passes_triggered_without_a_logical_date_succeed(metadata: sqlite3.Connection) -> None:
    runs = metadata.execute(
        "select dag_id, state, logical_date, data_interval_start from dag_run where run_type = 'manual'"
    ).fetchall()

    billing = {"billing_exchange__mass", "billing_exchange__interval"}
    assert {dag for dag, *_ in runs} == {*billing, "unbilled_register"}
    assert {logical_date for _, _, logical_date, _ in runs} == {None}
    assert all(state == "success" for dag, state, *_ in runs if not dag.endswith("mass"))


def test_a_batch_is_named_on_its_mapped_task(metadata: sqlite3.Connection) -> None:
    labels = metadata.execute(
        "select rendered_map_index from task_instance where task_id = 'advance' and state = 'success'"
        " and dag_id like 'billing_exchange%'"
    ).fetchall()

    assert labels
    assert all(label and "/" in label for (label,) in labels), labels


def test_the_verdict_leaves_an_asset_event_with_control_totals(metadata: sqlite3.Connection) -> None:
    extras = [json.loads(extra) for (extra,) in metadata.execute("select extra from asset_event").fetchall()]

    assert extras
    assert {"interface", "failures", "control_totals"} <= set(extras[-1])


def test_the_evenings_unbilled_register_is_counted_by_its_dag(metadata: sqlite3.Connection, run: Path) -> None:
    query = "select value from xcom where dag_id = 'unbilled_register' and task_id = 'count' and key = 'return_value'"
    counted = [str(value) for (value,) in metadata.execute(query)]

    with closing(sqlite3.connect(run / "hub" / "hub.db")) as hub:
        days = hub.execute("select day, state, entries from unbilled_run where day = '2026-11-17'").fetchall()
    assert [(day, state) for day, state, _ in days] == [("2026-11-17", "DONE")]
    assert any(f'"entries": {days[0][2]}' in value for value in counted), counted


def test_no_private_key_is_in_a_log_or_in_airflows_database(run: Path) -> None:
    keys = {path.name: path.read_text().splitlines()[2][10:40] for path in (run / "keys").glob("hub*") if _is_key(path)}

    assert len(keys) >= 3
    places = [*files_below(run / "logs", besides=()), *files_below(run / "airflow", besides=())]
    assert found_in(keys, iter(places)) == []


def _is_key(path: Path) -> bool:
    return "PRIVATE KEY" in path.read_text()


def test_nothing_personal_and_no_row_travels_between_tasks(metadata: sqlite3.Connection) -> None:
    values = [str(value) for (value,) in metadata.execute("select value from xcom").fetchall()]

    assert values
    assert all(len(value) < 20_000 for value in values)
    assert not [value for value in values if "AC00" in value or "PRIVATE KEY" in value]
