"""What runs on one machine listens to that machine alone."""

import os
import subprocess
import tomllib
from pathlib import Path

import pytest

from services.airflow_bootstrap import standalone_environment
from simulators.demo_engine import Airflow
from simulators.demo_processes import Processes
from simulators.demo_site import DemoRun, site_text
from simulators.masters_roles import make_master_keys, port_name
from simulators.sftp_server import make_keys

ROOT = Path(__file__).resolve().parents[2]
PORTS = {name: number for number, name in enumerate(("cis", "mdms", "mdms_sftp", "hub", "airflow"), 20_000)}


@pytest.mark.parametrize(
    ("command", "run"),
    [
        ("scheduler", "-m airflow scheduler --skip-serve-logs"),
        ("triggerer", "-m airflow triggerer --skip-serve-logs"),
        ("api-server --port 1", "-m airflow api-server --port 1"),
        ("standalone", "-m airflow standalone"),
    ],
)
def test_the_airflow_of_one_machine_starts_no_log_server(tmp_path: Path, command: str, run: str) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$@"\n')
    python.chmod(0o755)

    said = subprocess.run(
        [ROOT / "deploy" / "loopback" / "airflow", *command.split()],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert said.stdout.strip() == run


def test_the_demo_starts_that_airflow_and_its_pages_are_for_this_machine(tmp_path: Path) -> None:
    engine = Airflow(Processes(DemoRun(tmp_path, PORTS, {})))

    environment = engine._environment()

    first = environment["PATH"].split(os.pathsep)[0]
    assert (Path(first) / "airflow").samefile(ROOT / "deploy" / "loopback" / "airflow")
    assert os.access(Path(first) / "airflow", os.X_OK)
    assert environment["AIRFLOW__API__HOST"] == "127.0.0.1"


def test_the_settings_for_one_machine_and_the_hub_of_the_demo_listen_to_it_alone(tmp_path: Path) -> None:
    for name in ("cis_host", "mdms_host"):
        make_keys(tmp_path / "keys", name=name)
    make_master_keys(tmp_path / "keys", ["gis"])
    site = tomllib.loads(site_text(tmp_path, PORTS | {port_name("gis"): 1}, systems=["gis"], part_size=8))

    assert site["serve"].get("host", "127.0.0.1") == "127.0.0.1"
    assert standalone_environment(home=tmp_path, dags=tmp_path, port=1)["AIRFLOW__API__HOST"] == "127.0.0.1"
