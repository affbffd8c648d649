"""Starts and stops the demo's processes, each with a log of its own, and keeps count of the hub's CPU time."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulators.demo_site import DemoRun


class DemoError(Exception):
    """The demo cannot go on; the text says why and where to look."""


def program(name: str) -> str:
    """Return the path of a command of this environment.

    Raises:
        DemoError: it is not installed.
    """
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if not found:
        raise DemoError(f"the command {name} is not installed in this environment")
    return found


@dataclass(slots=True)
class Processes:
    """All processes of one demo."""

    run: DemoRun
    hub_cpu_s: float = 0.0
    """CPU seconds that ended `amihub` processes used."""

    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, command: Sequence[str], *, environment: dict[str, str] | None = None) -> None:
        """Start a process that stays; its output goes to `logs/{name}.log`.

        Raises:
            DemoError: one of that name runs already: nobody would stop it.
        """
        if name in self._running and self._running[name].poll() is None:
            raise DemoError(f"{name} runs already")
        log = self._log(name)
        with log.open("ab") as stream:
            self._running[name] = subprocess.Popen(
                command, stdout=stream, stderr=stream, env=environment or self.run.environment, start_new_session=True
            )

    def amihub(self, *arguments: str, expect: Sequence[int] = (0,), say: Callable[[str], None] | None = None) -> str:
        """Run `amihub` with these arguments to its end and return what it printed; `say` gets each line as it comes.

        Raises:
            DemoError: it ended with another code than expected.
        """
        command = [program("amihub"), *arguments]
        log = self._log("amihub")
        with log.open("ab") as stream:
            stream.write(f"$ amihub {' '.join(arguments)}\n".encode())
            stream.flush()
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stream, env=self.run.environment)
            lines = []
            for line in process.stdout or ():
                lines.append(line)
                if say is not None:
                    say(line.decode().rstrip())
            _, status, usage = os.wait4(process.pid, 0)
            stream.writelines(lines)
        self.hub_cpu_s += usage.ru_utime + usage.ru_stime
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in expect:
            raise DemoError(f"amihub {' '.join(arguments)} ended with {process.returncode}; see {log}")
        return b"".join(lines).decode()

    def words(self, *arguments: str) -> list[str]:
        """Return the lines of a command that ends with 1 where a person should look at something.

        Raises:
            DemoError: it said nothing: it broke.
        """
        lines = self.amihub(*arguments, expect=(0, 1)).strip().splitlines()
        if not lines:
            raise DemoError(f"amihub {' '.join(arguments)} broke; see {self._log('amihub')}")
        return lines

    def last_words(self, *arguments: str) -> str:
        """Return the last line of such a command."""
        return self.words(*arguments)[-1]

    def report(self, name: str, *arguments: str) -> Any:
        """Keep what a command answers as JSON as `reports/{name}.json`, where auditors look, and return it."""
        said = self.amihub(*arguments, expect=(0, 1))
        path = self.run.folder / "reports" / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(said)
        return json.loads(said)

    def check(self) -> None:
        """Look whether everybody still runs.

        Raises:
            DemoError: somebody died.
        """
        for name, process in self._running.items():
            if process.poll() is not None:
                raise DemoError(f"{name} ended with {process.returncode}; see {self._log(name)}")

    def stop(self) -> None:
        """Stop everything that was started, the last one first."""
        for name, process in reversed(list(self._running.items())):
            self._stop(name, process)
        self._running.clear()

    def _stop(self, name: str, process: subprocess.Popen[bytes]) -> None:
        if process.poll() is not None:
            return
        _signal_group(process, signal.SIGTERM)
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                process.returncode = os.waitstatus_to_exitcode(status)
                if name == "hub":
                    self.hub_cpu_s += usage.ru_utime + usage.ru_stime
                return
            time.sleep(0.05)
        _signal_group(process, signal.SIGKILL)
        process.wait()

    def _log(self, name: str) -> Path:
        folder = self.run.folder / "logs"
        folder.mkdir(exist_ok=True)
        return folder / f"{name}.log"


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal to a process and all it started (they share a session of their own)."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return


def start_outside(processes: Processes) -> None:
    """Start the CIS and the MDMS."""
    run, python = processes.run, sys.executable
    folder = str(run.folder)
    processes.start("cis", [python, "-m", "simulators.cis", "--run", folder, "--port", str(run.ports["cis"])])
    hub = f"https://127.0.0.1:{run.ports['hub']}/cim/ReceiveMeterReadings"
    ports = ["--port", str(run.ports["mdms"]), "--sftp-port", str(run.ports["mdms_sftp"])]
    processes.start("mdms", [python, "-m", "simulators.mdms", "--run", folder, *ports, "--hub", hub])
