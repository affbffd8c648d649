"""What lets the hub make a pass: its own command line, or Airflow over REST."""

import json
import secrets
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import httpx

from simulators.demo_plan import BOTH
from simulators.demo_processes import DemoError, Processes, program

PATIENCE_S = 600.0

UNBILLED = "unbilled_register"
"""DAG of the register of unbilled revenue."""


def _dag_of(interface: str) -> str:
    """Return the DAG of a billing interface."""
    return f"billing_exchange__{interface}"


class Engine(Protocol):
    """Lets the hub make passes and waits for their end."""

    def prepare(self) -> None:
        """Begin to come up; return at once."""
        ...

    def ready(self) -> None:
        """Wait until passes can be made."""
        ...

    def passes(self, interfaces: Sequence[str]) -> list[str]:
        """Make one pass of each interface and return a word on each."""
        ...

    def count_unbilled(self) -> str:
        """Have the register of unbilled revenue counted up to now, and return a word on it."""
        ...

    def where(self) -> str:
        """Return what a person can look at, or an empty text."""
        ...


class CommandLine:
    """`amihub billing run`, one pass after the other."""

    def __init__(self, processes: Processes) -> None:
        """Use the hub of these processes."""
        self._processes = processes

    def prepare(self) -> None:
        """There is nothing to bring up."""

    def ready(self) -> None:
        """It is always ready."""

    def passes(self, interfaces: Sequence[str]) -> list[str]:
        """Make one pass of each interface; a pass that says that something is wrong (exit 1) is a pass all the same."""
        return [self._processes.words("billing", "run", interface)[0] for interface in interfaces]

    def count_unbilled(self) -> str:
        """Count today so far by `amihub unbilled run`."""
        return self._processes.amihub("unbilled", "run").strip().splitlines()[-1]

    def where(self) -> str:
        """Return nothing: there is no page to look at."""
        return ""


class Airflow:
    """Airflow standalone on SQLite, its DAG runs triggered over REST with no logical date."""

    def __init__(self, processes: Processes) -> None:
        """Use the run folder and hub of these processes."""
        self._processes, self._run = processes, processes.run
        self._home = processes.run.folder / "airflow"
        self._password = secrets.token_urlsafe(9)
        self._base = f"http://127.0.0.1:{processes.run.ports['airflow']}"
        self._client = httpx.Client(base_url=self._base, timeout=60)

    def _environment(self) -> dict[str, str]:
        """Return the settings of a small Airflow: parallelism 4 is what SQLite stands; one user."""
        port = self._run.ports["airflow"]
        root = Path(__file__).resolve().parents[1]
        settings = {
            "API__PORT": str(port),
            "API__HOST": "127.0.0.1",
            "CORE__DAGS_FOLDER": str(root / "dags"),
            "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "CORE__EXECUTION_API_SERVER_URL": f"{self._base}/execution/",
            "CORE__LAZY_LOAD_PLUGINS": "False",
            "CORE__LOAD_EXAMPLES": "False",
            "CORE__PARALLELISM": "4",
            "CORE__SIMPLE_AUTH_MANAGER_USERS": "demo:admin",
            "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self._home / "passwords.json"),
            "DAG_PROCESSOR__REFRESH_INTERVAL": "20",
            "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",
            "LOGGING__LOGGING_LEVEL": "WARNING",
            "SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
            "TRIGGERER__CAPACITY": "10",
        }
        named = {f"AIRFLOW__{name}": value for name, value in settings.items()}
        # Airflow serves its logs on every address of the machine; this folder's `airflow` leaves that server out.
        path = f"{root / 'deploy' / 'loopback'}:{Path(sys.executable).parent}:{self._run.environment.get('PATH', '')}"
        return self._run.environment | named | {"AIRFLOW_HOME": str(self._home), "PATH": path}

    def prepare(self) -> None:
        """Make Airflow's home, its database and pools, and start it."""
        self._home.mkdir(parents=True)
        passwords = self._home / "passwords.json"
        passwords.write_text(json.dumps({"demo": self._password}))
        passwords.chmod(0o600)
        amihub = program("amihub")
        script = f'airflow db migrate && "{amihub}" airflow bootstrap && exec airflow standalone'
        self._processes.start("airflow", ["/bin/sh", "-c", script], environment=self._environment())

    def ready(self) -> None:
        """Wait until scheduler and DAGs are there, and log in."""
        _wait_for(self._is_healthy, "Airflow", self._processes)
        token = self._client.post("/auth/token", json={"username": "demo", "password": self._password})
        self._client.headers["Authorization"] = f"Bearer {token.json()['access_token']}"
        _wait_for(self._has_dags, "the DAGs", self._processes)

    def _is_healthy(self) -> bool:
        try:
            answer = self._client.get("/api/v2/monitor/health")
        except httpx.HTTPError:
            return False
        states = answer.json() if answer.status_code == 200 else {}
        return all(
            states.get(part, {}).get("status") == "healthy" for part in ("metadatabase", "scheduler", "dag_processor")
        )

    def _has_dags(self) -> bool:
        found = self._client.get("/api/v2/dags").json().get("dags", [])
        return {*map(_dag_of, BOTH), UNBILLED} <= {dag["dag_id"] for dag in found}

    def passes(self, interfaces: Sequence[str]) -> list[str]:
        """Trigger one DAG run of each interface and wait until all have ended."""
        states = self._run_dags({_dag_of(interface): {} for interface in interfaces})
        return [f"{interface}: DAG run {states[_dag_of(interface)]}" for interface in interfaces]

    def count_unbilled(self) -> str:
        """Count today so far by a run of the register's DAG."""
        states = self._run_dags({UNBILLED: {"steps": "today so far", "note": "the demo's evening"}})
        return f"{UNBILLED}: DAG run {states[UNBILLED]}"

    def _run_dags(self, asked: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
        """Trigger one run of each DAG with its conf, wait until all have ended, and return their states.

        Raises:
            DemoError: a run was not taken, or came to no end.
        """
        runs = {dag: self._trigger(dag, conf) for dag, conf in asked.items()}
        states: dict[str, str] = {}

        def ended() -> bool:
            for dag, address in runs.items():
                state: Any = self._client.get(address).json().get("state")
                if state in ("success", "failed"):
                    states[dag] = state
            return len(states) == len(runs)

        _wait_for(ended, f"the DAG runs {', '.join(runs)}", self._processes)
        return states

    def _trigger(self, dag: str, conf: Mapping[str, str]) -> str:
        """Trigger a run with no logical date, and return its address."""
        answer = self._client.post(f"/api/v2/dags/{dag}/dagRuns", json={"logical_date": None, "conf": dict(conf)})
        if answer.status_code >= 300:
            raise DemoError(f"{dag} was not triggered: {answer.status_code} {answer.text[:300]}")
        return f"/api/v2/dags/{dag}/dagRuns/{answer.json()['dag_run_id']}"

    def where(self) -> str:
        """Return the address of Airflow's pages and who may look."""
        return f"Airflow: {self._base}  user demo, password {self._password}"


def _wait_for(done: Callable[[], bool], what: str, processes: Processes) -> None:
    """Wait until something is so.

    Raises:
        DemoError: it never was, or a process died over it.
    """
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        processes.check()
        if time.monotonic() > deadline:
            raise DemoError(f"{what}: waited {PATIENCE_S:.0f} s in vain; see {processes.run.folder / 'logs'}")
        time.sleep(0.4)
