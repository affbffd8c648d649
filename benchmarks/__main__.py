"""`make bench`: run every benchmark in a process of its own and write benchmarks/results.json.

`python -m benchmarks NAME ...` runs only those. Each is a module with `run() -> {key: figures}`; figures are ratios
taken in one run (see docs/benchmarks.md). Each goal is said to be reached (PASS) or not (FAIL); one that is not, or a
benchmark that breaks, makes the exit code 1.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("results.json")
NAMES = (
    "meter_readings",
    "meter_readings_encode",
    "soap_get_meter_readings",
    "soap_client_decode",
    "nem_read",
    "billing_drop",
    "store_upsert",
    "master_load",
    "relay_sqlite",
    "amqp_publish",
    "amqp_relay",
    "sftp_put",
    "billing_run",
    "reconcile",
    "rollout",
    "unbilled",
)

GOALS: dict[str, tuple[str, float]] = {
    "meter_readings_decode.cpu_ratio_to_floor": ("<=", 2.0),
    "meter_readings_decode.cpu_ratio_irregular": ("<=", 2.6),
    "meter_readings_decode.cpu_ratio_indented": ("<=", 2.0),
    "meter_readings_decode.cpu_ratio_indented_irregular": ("<=", 2.6),
    "meter_readings_decode.cpu_ratio_prefixed": ("<=", 2.0),
    "meter_readings_decode.cpu_ratio_prefixed_irregular": ("<=", 2.6),
    "meter_readings_decode.x_xsdata": (">=", 12),
    "meter_readings_decode.x_zeep": (">=", 20),
    "meter_readings_decode.x_xmlschema": (">=", 20),
    "meter_readings_decode.peak_mb_20": ("<=", 64),
    "meter_readings_decode.peak_mb_200": ("<=", 64),
    "meter_readings_encode.x_xsdata": (">=", 100),
    "meter_readings_encode.x_xmlfile": (">=", 12),
    "meter_readings_encode.x_xsdata_irregular": (">=", 15),
    "meter_readings_encode.x_xmlfile_irregular": (">=", 2),
    "meter_readings_encode.peak_mb_200": ("<=", 64),
    "soap_get_meter_readings.ratio_to_starlette": (">=", 0.5),
    "soap_get_meter_readings.x_spyne": (">=", 7),
    "soap_get_meter_readings.us_96_both_validated": ("<=", 350),
    "soap_client_decode.x_zeep_96": (">=", 10),
    "nem_read.cpu_ratio_uniform": ("<=", 2.5),
    "nem_read.cpu_ratio_mixed": ("<=", 3.5),
    "nem_read.peak_mb": ("<=", 64),
    "billing_drop_write.x_csv": (">=", 2),
    "billing_drop_write.peak_mb": ("<=", 64),
    "billing_drop_parse.x_csv_checked": (">=", 1),
    "billing_drop_parse.peak_mb": ("<=", 64),
    "store_upsert.ratio_to_copy": (">=", 0.25),
    "master_load.objects_per_s": (">=", 5000),
    "master_load.growth": ("<=", 1.15),
    "relay_sqlite.growth_20": ("<=", 1.5),
    "publish.x_confirm_each": (">=", 10),
    "relay.ratio_to_raw_publish_classic": (">=", 0.7),
    "relay.ratio_to_raw_publish_quorum": (">=", 0.55),
    "sftp_put.ratio_to_openssh": (">=", 0.55),
    "billing_flow.growth": ("<=", 1.15),
    "billing_run.growth": ("<=", 1.15),
    "billing_run.wall_s_50000": ("<=", 900),
    "reconcile.s_1m": ("<=", 600),
    "reconcile.s_1m_equal": ("<=", 30),
    "reconcile.peak_mb": ("<=", 256),
    "rollout.validate_s_10k": ("<=", 60),
    "rollout.sync_s_10k": ("<=", 900),
    "rollout.growth": ("<=", 1.15),
    "unbilled.growth": ("<=", 1.15),
}
"""What each figure must reach."""


def measured(name: str) -> dict[str, Any]:
    """Return what one benchmark prints as JSON, run in a fresh process."""
    run = subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True, stdout=subprocess.PIPE, text=True)
    figures: dict[str, Any] = json.loads(run.stdout.strip().splitlines()[-1])
    return figures


def judged(key: str, figures: dict[str, Any]) -> list[tuple[bool, str]]:
    """Return, for each goal of a key, whether its figure reaches it, and that in words; one not measured does not."""
    said = []
    for path, (sign, goal) in GOALS.items():
        own, figure = path.split(".")
        if own != key:
            continue
        value = figures.get(figure)
        reached = value is not None and (value <= goal if sign == "<=" else value >= goal)
        said.append((reached, f"{'PASS' if reached else 'FAIL'} {path} is {value}, goal {sign} {goal}"))
    return said


def main(names: list[str]) -> int:
    """Run the named benchmarks (all without names), keep their figures, judge them by their goals."""
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    verdicts: list[tuple[bool, str]] = []
    for name in names or NAMES:
        started = time.monotonic()
        print(f"{name} ...", flush=True)
        try:
            found = measured(name)
        except subprocess.CalledProcessError as error:
            verdicts.append((False, f"FAIL {name} broke: exit code {error.returncode}"))
            continue
        for key, figures in found.items():
            results[key] = figures
            print(f"  {key}: {json.dumps(figures)}")
            verdicts += judged(key, figures)
        print(f"  took {time.monotonic() - started:.0f} s", flush=True)
        RESULTS.write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")
    print("\n".join(sentence for _, sentence in verdicts))
    misses = sum(not reached for reached, _ in verdicts)
    print(f"{len(verdicts) - misses} goals reached, {misses} missed")
    return int(bool(misses))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
