"""The demo as a process of its own; whatever happens, nothing that it started outlives the test."""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def run_demo(
    folder: Path,
    settings: dict[str, str],
    *,
    timeout_s: float = 580,
    watching: Callable[[int], AbstractContextManager[None]] = lambda _pid: nullcontext(),
) -> tuple[int, str]:
    """Run the demo in `folder`/run to its end; return its exit code and its words. `watching` gets its process id."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "AMIHUB"))}
    demo = subprocess.Popen(
        [sys.executable, "-m", "simulators.demo", "--run", str(folder / "run")],
        cwd=ROOT, env=kept | {"CHAPTER": "billing", "ONCE": "1", "POINTS": "120"} | settings,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        with watching(demo.pid):
            said, _ = demo.communicate(timeout=timeout_s)
    finally:
        if demo.poll() is None:
            demo.terminate()  # it then stops what it started
            demo.communicate(timeout=60)
    return demo.returncode, said
