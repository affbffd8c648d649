"""CIM simulators as separate programs for tests: started with books of their own, spoken to over TLS, stopped."""

import json
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx

ROOT = Path(__file__).resolve().parents[1]
PASSWORD = "river-of-nine"


@dataclass(frozen=True, slots=True)
class CimSystem:
    """One running simulator."""

    name: str
    url: str
    """Base of its services."""

    ca_file: str

    def settings(self, **more: Any) -> dict[str, Any]:
        """Return the settings of a role that speaks to it."""
        return {"url": self.url, "user": "amihub", "password": PASSWORD, "ca_file": self.ca_file, **more}

    def control(self, what: str, body: Any = None) -> Any:
        """Give an order (`send`, `answers`, `readings`), or without a body look into a book (`books/link`)."""
        url = self.url.replace("/cim", f"/control/{what}")
        context = ssl.create_default_context(cafile=self.ca_file)
        with httpx.Client(verify=context, auth=("amihub", PASSWORD), timeout=60) as client:
            answer = client.get(url) if body is None else client.post(url, content=json.dumps(body))
        answer.raise_for_status()
        return answer.json()


@contextmanager
def cim_system(
    kind: Literal["cim_cis", "cim_mdms", "rollout_hes", "rollout_wams"],
    name: str,
    folder: Path,
    *,
    port: int,
    hub: str = "",
    hub_password: str = "",
    queue: str = "",
    broker: str = "",
) -> Iterator[CimSystem]:
    """Run a simulator on a port; `folder` holds `keys/ca.pem` and `keys/<name>.pem`, its books go below it.

    With `queue` it hears and speaks over the queues of that name at the broker.
    """
    keys = folder / "keys"
    command = [
        *(sys.executable, "-m", f"simulators.{kind}", "--name", name, "--port", str(port)),
        *("--books", str(folder / name), "--cert", str(keys / f"{name}.pem"), "--ca", str(keys / "ca.pem")),
        *(("--hub", hub) if hub else ()),
        *(("--queue", queue) if queue else ()),
    ]
    secrets = {"CIM_PASSWORD": PASSWORD, "CIM_HUB_PASSWORD": hub_password, "PYTHONPATH": str(ROOT)}
    secrets |= {"CIM_BROKER": broker} if broker else {}
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=os.environ | secrets, stdout=log, stderr=log)
    system = CimSystem(name, f"https://127.0.0.1:{port}/cim", str(keys / "ca.pem"))
    try:
        _wait(system, process, folder / f"{name}.log")
        yield system
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait(system: CimSystem, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until a simulator answers."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            system.control("books/sent")
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"{system.name} does not answer: {log.read_text()}")
