"""The systems of the rollout as running programs: started, told to act over their control endpoints, waited for."""

import json
import ssl
import sys
import time
from typing import Any

import httpx

from simulators.demo_processes import DemoError, Processes
from simulators.rollout_books import SYSTEMS, home_of
from simulators.rollout_sftp import PARTNERS

PROGRAMS = {
    "cis_ws": "cim_cis", "mdms_ws": "cim_mdms", "hes_ws": "rollout_hes", "oms_ws": "cim_cis", "wams_ws": "rollout_wams",
}  # fmt: skip
"""The program that each role is."""

PATIENCE_S = 60.0


def start_systems(processes: Processes) -> None:
    """Start the five systems and the SFTP servers of its partners.

    Raises:
        DemoError: one of them does not answer.
    """
    run, keys = processes.run, processes.run.folder / "keys"
    own = {"CIM_PASSWORD": "ROLLOUT_PASSWORD", "CIM_HUB_PASSWORD": "ROLLOUT_CALLER_PASSWORD"}
    secret = {name: run.secrets[kept] for name, kept in own.items()}
    for name in SYSTEMS:
        command = [
            *(sys.executable, "-m", f"simulators.{PROGRAMS[name]}", "--name", name, "--port", str(run.ports[name])),
            *("--books", str(home_of(run.folder, name)), "--cert", str(keys / f"{name}.pem")),
            *("--hub", f"https://127.0.0.1:{run.ports['hub']}/cim", "--ca", str(keys / "ca.pem")),
        ]
        processes.start(name, command, environment=run.environment | secret)
    sftp = [f"--{name}-port={run.ports[name]}" for name in PARTNERS]
    processes.start("sftp", [sys.executable, "-m", "simulators.rollout_sftp", "--run", str(run.folder), *sftp])
    for name in SYSTEMS:
        _wait(processes, name)


def order(processes: Processes, system: str, act: str, what: Any) -> Any:
    """Have a system do something of its own accord; return what it says.

    Raises:
        DemoError: it did not, or the hub did not take a message of it.
    """
    said = _call(processes, system, f"/control/{act}", what)
    bad = [one for one in said.get("answers", ()) if one["result"] not in ("OK", "PARTIAL")]
    if bad:
        raise DemoError(f"{system} {act}: {bad[0]}")
    return said


def script(processes: Processes, system: str, answers: Any) -> None:
    """Say what a system answers next, by noun (`simulators.cim_web`).

    Raises:
        DemoError: it does not take that.
    """
    _call(processes, system, "/control/answers", answers)


def _call(processes: Processes, system: str, path: str, what: Any) -> Any:
    run = processes.run
    context = ssl.create_default_context(cafile=str(run.folder / "keys" / "ca.pem"))
    with httpx.Client(verify=context, auth=("amihub", run.secrets["ROLLOUT_PASSWORD"]), timeout=600) as client:
        reply = client.post(f"https://127.0.0.1:{run.ports[system]}{path}", content=json.dumps(what))
    if reply.status_code != 200:
        raise DemoError(f"{system} {path}: {reply.status_code} {reply.text[:200]}")
    return reply.json()


def _wait(processes: Processes, system: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        processes.check()
        try:
            _call(processes, system, "/control/answers", {})
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise DemoError(f"{system} does not answer; see {processes.run.folder / 'logs'}")
