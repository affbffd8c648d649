"""`make bench`: run every benchmark in a process of its own and write benchmarks/results.json.

`python -m benchmarks NAME ...` runs only those. Each is a module with `run() -> {key: figures}`; figures are ratios
taken in one run (see docs/benchmarks.md). A goal that is missed is named and makes the exit code 1.
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
    "billing_drop",
    "store_upsert",
    "sftp_put",
    "billing_run",
)

GOALS: dict[str, tuple[str, float]] = {
    "meter_readings_decode.cpu_ratio_to_floor": ("<=", 2.0),
    "meter_readings_decode.cpu_ratio_irregular": ("<=", 2.6),
    "meter_readings_decode.cpu_ratio_indented": ("<=", 2.0),
    "meter_readings_decode.cpu_ratio_indented_irregular": ("<=", 2.6),
    "meter_readings_decode.cpu_ratio_prefixed": ("<=", 2.0),
    "meter_readings_decode.cpu_ratio_prefixed_irregular": ("<=", 2.6),
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
    "billing_drop_write.x_csv": (">=", 2),
    "billing_drop_write.peak_mb": ("<=", 64),
    "billing_drop_parse.x_csv_checked": (">=", 1),
    "billing_drop_parse.peak_mb": ("<=", 64),
    "store_upsert.ratio_to_copy": (">=", 0.25),
    "sftp_put.ratio_to_openssh": (">=", 0.55),
    "billing_flow.growth": ("<=", 1.15),
    "billing_run.growth": ("<=", 1.15),
    "billing_run.wall_s_50000": ("<=", 900),
}
"""What each figure must reach."""


def measured(name: str) -> dict[str, Any]:
    """Return what one benchmark prints as JSON, run in a fresh process."""
    run = subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True, stdout=subprocess.PIPE, text=True)
    figures: dict[str, Any] = json.loads(run.stdout.strip().splitlines()[-1])
    return figures


def missed(results: dict[str, Any]) -> list[str]:
    """Return one sentence for each goal that the results do not reach."""
    said = []
    for path, (sign, goal) in GOALS.items():
        key, figure = path.split(".")
        value = results.get(key, {}).get(figure)
        if value is not None and not (value <= goal if sign == "<=" else value >= goal):
            said.append(f"{path} is {value}, goal {sign} {goal}")
    return said


def main(names: list[str]) -> int:
    """Run the named benchmarks (all without names), keep their figures, name missed goals."""
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in names or NAMES:
        started = time.monotonic()
        print(f"{name} ...", flush=True)
        for key, figures in measured(name).items():
            results[key] = figures
            print(f"  {key}: {json.dumps(figures)}")
        print(f"  took {time.monotonic() - started:.0f} s", flush=True)
    RESULTS.write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")
    misses = missed(results)
    print("\n".join(["missed goals:", *misses] if misses else ["every goal that was measured is reached"]))
    return int(bool(misses))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
