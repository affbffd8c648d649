"""One step of the unbilled-revenue register as an Airflow task runs it: open the hub, count, return small counts."""

import logging
from collections.abc import Mapping
from datetime import date
from typing import Any

log = logging.getLogger(__name__)

PAGE = """### Unbilled revenue

One run is **one pass**: the oldest business day that has ended and is not counted whole is counted, for every agreement
and every meter without one. With nothing due it ends in its first task: so the register of a day is made in the first
quarter of an hour after the day's local end, and days that were missed follow one a pass.
A pass may be late, repeated or killed: the same day again replaces its entries.

* `count`: the day that is due; by hand also today so far, or any one day anew
* `verdict`: red when counting failed

How it stands: `amihub unbilled report`. Proof: `amihub unbilled balance --since DAY`.
"""
"""What the DAG's page says."""

DUE, TODAY, ONE = "what is due", "today so far", "one day"
STEPS = [DUE, TODAY, ONE]
"""What a pass may be asked to count."""


def counted(params: Mapping[str, Any]) -> dict[str, Any]:
    """Count what is asked for, and return the day and the number of entries; nothing when no day is due.

    Raises:
        ValueError: one day is asked for, and `day` is none.
        HubError: as the flow raises; `services.airflow_policy` decides what is tried again.
    """
    from services.hub import open_hub
    from services.unbilled_pass import due_pass, unbilled_pass

    log.info("steps: %s; why: %s", params["steps"], params["note"] or "on schedule")
    chosen = date.fromisoformat(params["day"] or "") if params["steps"] == ONE else None
    with open_hub() as hub:
        done = due_pass(hub) if params["steps"] == DUE else unbilled_pass(hub, day=chosen)
    if done is None:
        log.info("no day is due")
        return {}
    log.info("counted: %s", done)
    return {"day": done.day.isoformat(), "as_of": done.as_of.isoformat(), "entries": done.entries}


def verdict() -> dict[str, Any]:
    """Return which days are due still; nothing of it makes a pass red."""
    from services.hub import open_hub
    from services.unbilled_pass import standing

    with open_hub() as hub:
        return standing(hub)
