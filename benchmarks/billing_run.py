"""A business day of 5,000 and of 50,000 accounts with the simulators outside: CPU of the hub, growth, and wall time.

The city, the CIS over SFTP and the MDMS over SOAP are the demo's (`python -m simulators.demo --bench N`): a calm day,
every process of the hub counted (`amihub billing run`, one process a pass, and `amihub serve`), its start included. The
first-time load of the city comes before the day and is not counted (`benchmarks.master_load` measures it).
The auditor must agree, or the run does not count. `benchmarks.billing_flow` measures the flow without carriers.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

SMALL, LARGE = 5_000, 50_000
ROOT = Path(__file__).parents[1]


def day(accounts: int) -> dict[str, Any]:
    """Return what the demo's bench prints for one business day of that many usage points.

    Raises:
        SystemExit: the auditor found a disagreement, or a process broke; its own words are shown.
    """
    command = [sys.executable, "-m", "simulators.demo", "--bench", str(accounts)]
    ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if ended.returncode:
        raise SystemExit(f"the day of {accounts} accounts did not end well: {ended.stdout[-2000:]}")
    found: dict[str, Any] = json.loads(ended.stdout.strip().splitlines()[-1])
    return found


def run(small: int = SMALL, large: int = LARGE) -> dict[str, dict[str, float]]:
    """Return CPU seconds at both sizes, growth of the CPU of one account, and the wall seconds of the larger day."""
    lesser, greater = day(small), day(large)
    growth = (greater["cpu_s"] / large) / (lesser["cpu_s"] / small)
    return {
        "billing_run": {
            f"cpu_s_{small}": lesser["cpu_s"],
            f"cpu_s_{large}": greater["cpu_s"],
            f"wall_s_{large}": greater["wall_s"],
            "growth": round(growth, 3),
        }
    }


if __name__ == "__main__":
    sizes = [int(word) for word in sys.argv[1:]] or [SMALL, LARGE]
    print(json.dumps(run(*sizes)))
