"""One step of a master data pass as an Airflow task runs it: open the hub, do it, return small counts for XCom."""

import logging
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

log = logging.getLogger(__name__)

PAGE = """### Master data

One run is **one pass**: take in what arrived, advance what waits, say how it stands.
State lives in the hub's store: a pass may be late, repeated or killed; the next goes on from there, in the middle of
a file behind its last chunk.

* `take_in`: files of masters (`[masters] inboxes`): whole ones into the first-time load that awaits them, else as
  snapshots for reconciliation; changes one by one
* `advance`: an open load tries its orphans, replays the queued changes and ends; what waits is tried again;
  subscribers are told what changed since their last turn
* `verdict`: red while a load is paused

A load: `amihub load status`. Open work: `amihub work list`. What waits: `amihub cim waiting`.
"""
"""What the DAG's page says."""


def passed(step: str) -> dict[str, Any]:
    """Run one step of a pass and return what Airflow keeps of it: counts; problems are counted, never quoted.

    Raises:
        HubError: as the flow raises; `services.airflow_policy` decides what is tried again.
    """
    from services import master_data_pass
    from services.hub import open_hub

    with open_hub() as hub:
        done = getattr(master_data_pass, step)(hub)
    kept = {**asdict(done), "problems": len(done.problems)}
    log.info("%s of master data: %s", step, done)
    return kept


def goes_on(params: Mapping[str, Any]) -> bool:
    """Take in what arrived, and return whether the pass goes on: it may be asked to stop here."""
    log.info("steps: %s; why: %s", params["steps"], params["note"] or "on schedule")
    passed("take_in")
    return bool(params["steps"] == "whole pass")


def verdict() -> dict[str, Any]:
    """Return how master data stands, with what makes the pass red."""
    from services.hub import open_hub
    from services.master_data_pass import standing

    with open_hub() as hub:
        return standing(hub)
