"""One step of reconciliation as an Airflow task runs it: open the hub, do it, return small counts for XCom."""

import logging
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

log = logging.getLogger(__name__)

PAGE = """### Reconciliation

One run is **one pass**: extracts that came (`MX_..._FULL_...`) are brought in force, the next portion of the 1,024
partitions is compared, and at the end of a round links are looked at as a whole, work is brought up to date, and what
the site allows is repaired (`[reconcile] automatic`). A pass may be late, repeated or killed; the next goes on.

* `compare`: digests first; only where they differ are objects read, then fields, then the books for the cause
* `verdict`: red when a task failed; differences are work, `amihub work list`, and make no run red

How it stands: `amihub reconcile report`. Everything now: `amihub reconcile run`.
"""
"""What the DAG's page says."""


def compared(params: Mapping[str, Any]) -> dict[str, Any]:
    """Compare the next portion, or everything, and return counts.

    Raises:
        HubError: as the flow raises; `services.airflow_policy` decides what is tried again.
    """
    from services.hub import open_hub
    from services.reconciliation_pass import reconciliation_pass

    log.info("steps: %s; why: %s", params["steps"], params["note"] or "on schedule")
    with open_hub() as hub:
        done = reconciliation_pass(hub, whole=params["steps"] == "everything")
    log.info("reconciliation: %s", done)
    return asdict(done)


def verdict() -> dict[str, Any]:
    """Return how many differences there are by class; nothing of it makes a pass red."""
    from services.hub import open_hub
    from services.reconciliation_pass import standing

    with open_hub() as hub:
        return {"differences": standing(hub), "failures": []}
