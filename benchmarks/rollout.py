"""What a day of meter exchanges costs (`benchmarks.rollout_day`), and the cost of one exchange at two sizes.

* `validate_s_10k`: wall seconds from the first of 10,000 lines taken in to the last one judged
* `sync_s_10k`: wall seconds from there to 10,000 orders closed; `messages_10k` were carried
* `growth`: CPU of one exchange, both together, in a day of 100,000 over that in days of 1,000
* `peak_mb`: ru_maxrss of the process that does 10,000, at its end
"""

import json
import signal
import subprocess
import sys
from statistics import median

Figures = dict[str, float]

SMALL, DAY, LARGE = 1_000, 10_000, 100_000
EVERY_S = 180
"""After so many seconds the large day stands still for a small one: no machine is equally fast for half an hour."""


def run(large: int = LARGE) -> dict[str, Figures]:
    """Return the figures of the day, and the growth of the cost of one exchange."""
    ten = _figures(_begun(DAY))
    most, small = _with_small_days_between(large)
    least = median(one["cpu_ms"] for one in small)
    return {
        "rollout": {
            "validate_s_10k": round(ten["validate_s"], 1),
            "sync_s_10k": round(ten["sync_s"], 1),
            "growth": round(most["cpu_ms"] / least, 3),
            "cpu_ms_1k": round(least, 2),
            "cpu_ms_10k": round(ten["cpu_ms"], 2),
            "cpu_ms_large": round(most["cpu_ms"], 2),
            "large": large,
            "days_of_1k": len(small),
            "messages_10k": ten["messages"],
            "peak_mb": round(ten["peak_mb"]),
            "peak_mb_large": round(most["peak_mb"]),
        }
    }


def _with_small_days_between(large: int) -> tuple[Figures, list[Figures]]:
    """Return the figures of a large day and of small ones, done while it stood still, before it and behind it."""
    small = [_figures(_begun(SMALL))]
    process = _begun(large)
    while True:
        try:
            process.wait(EVERY_S)
            break
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGSTOP)
            try:
                small.append(_figures(_begun(SMALL)))
            finally:
                process.send_signal(signal.SIGCONT)
    return _figures(process), [*small, _figures(_begun(SMALL))]


def _begun(number: int) -> "subprocess.Popen[str]":
    """Begin a day in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.rollout_day", str(number)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _figures(process: "subprocess.Popen[str]") -> Figures:
    """Return what a day said at its end.

    Raises:
        SystemExit: it did not come to its end.
    """
    said, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"a day ended with {process.returncode}")
    return Figures(json.loads(said.strip().splitlines()[-1]))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run()) + "\n")
