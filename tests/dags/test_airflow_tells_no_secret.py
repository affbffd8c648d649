"""Airflow's logs and database hold no secret and nothing of a payload, whatever a pass stumbles over."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_by_hand import HubByHand
from secret_night import NIGHT, SecretNight, files_below, found_in, mark

from servers.openssh import private_sshd

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [
    pytest.mark.airflow,
    pytest.mark.servers,
    pytest.mark.slow,
    pytest.mark.timeout(900),
]

PASS = """
from airflow.dag_processing.dagbag import DagBag
from airflow.utils.db import initdb
initdb()
dag = DagBag(dag_folder=DAGS).dags["billing_exchange__mass"]
run = dag.test(run_conf={})
print("ended", run.state)
"""


@pytest.fixture
def night(tmp_path: Path) -> Iterator[SecretNight]:
    marks = {name: mark(name[:2]) for name in ("SFTP password", "MDMS password", "personal value")}
    with private_sshd() as server:
        marks["private key"] = server.private_key.read_text().splitlines()[2][10:40]
        database = f"sqlite:///{tmp_path}/hub.db?timeout=31"
        environment = {
            "CIS_PASSWORD": marks["SFTP password"],
            "MDMS_PASSWORD": marks["MDMS password"],
            "HUB_DATABASE": database,
        }
        hub = HubByHand(tmp_path / "site", server, environment)
        hub.found(site=NIGHT, mdms_port="9", ca_file="/dev/null")
        yield SecretNight(hub, marks, mark("quoted"), database)


def test_a_pass_in_airflow_tells_no_secret(night: SecretNight, tmp_path: Path) -> None:
    night.stumble()
    first = _pass(night, tmp_path)
    night.hub.write_site(NIGHT.replace('private_key = "{private_key}"', ""), mdms_port="9", ca_file="/dev/null")
    second = _pass(night, tmp_path)

    assert "ended" in first
    assert "SFTP_LOGIN_REFUSED" in second
    marks = night.secrets | {"quoted value": night.quoted}
    home = list(files_below(tmp_path / "airflow", besides=()))
    assert any(name.endswith("airflow.db") for name, _ in home)
    assert "take_in of mass" in first, "the log of a task is in it"
    told = found_in(marks, iter([("first pass", first), ("second pass", second), *home]))
    assert told == [], "\n".join(told)


def _pass(night: SecretNight, tmp_path: Path) -> str:
    """Run one pass as Airflow's tasks do, and return everything that it printed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "AMIHUB"))}
    home = tmp_path / "airflow"
    settings = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AMIHUB_SITE": str(night.hub.folder / "site.toml"),
    }
    ended = subprocess.run(
        [sys.executable, "-c", PASS.replace("DAGS", repr(str(ROOT / "dags")))],
        cwd=ROOT, env=kept | settings | night.hub.environment, capture_output=True, text=True, check=False, timeout=850,
    )  # fmt: skip
    return ended.stdout + ended.stderr
