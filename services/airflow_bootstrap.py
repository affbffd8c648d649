"""What Airflow needs before its scheduler starts: pools, and settings that are safe on SQLite."""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

POOLS = {
    "mdms": (2, "Questions to the MDMS at one time"),
    "rollout": (2, "Batches of a meter rollout at one time; billing has slots of its own"),
    "sftp": (2, "Passes that read or write a partner's files at one time"),
}
"""Name, slots and meaning of each pool that the DAGs use; a test holds the DAGs to these names."""


def airflow_program() -> str:
    """Return the `airflow` command of this environment."""
    beside = Path(sys.executable).with_name("airflow")
    return str(beside) if beside.exists() else str(shutil.which("airflow"))


def bootstrap() -> list[str]:
    """Create or update every pool in Airflow's database; return one line for each.

    Raises:
        subprocess.CalledProcessError: Airflow refused (is its database migrated?).
    """
    pools = {name: {"slots": slots, "description": why} for name, (slots, why) in POOLS.items()}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(pools, file)
        file.flush()
        subprocess.run(  # noqa: S603 - our own program, no shell
            [airflow_program(), "pools", "import", file.name], check=True, stdout=subprocess.DEVNULL
        )
    return [f"pool {name}: {slots} slots ({why})" for name, (slots, why) in POOLS.items()]


def standalone_environment(*, home: Path, dags: Path, port: int) -> dict[str, str]:
    """Return the settings under which `airflow standalone` runs safely on SQLite.

    Parallelism stays at 4: with the default of 32 the scheduler dies of "database is locked".
    """
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__CORE__LAZY_LOAD_PLUGINS": "False",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "30",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "120",
    }
