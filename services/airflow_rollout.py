"""One step of a rollout pass as an Airflow task runs it: open the hub, do it, return small counts for XCom."""

import logging
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

log = logging.getLogger(__name__)

PAGE = """### Meter rollout

One run is **one pass**: take in what arrived, judge completions, tell systems what is due, look which meters are heard.
State lives in the hub's store: a pass may be late, repeated or killed; each batch is whole or not done at all.

* `take_in`: shipments, completions of contractors, manual reads (`[rollout] inboxes`)
* `validate`: a batch of completions against the rules EX01 to EX20; what does not pass is work
* `advance`: a batch of orders a step on in their sequence; only what the steps before have made true
* `verify`: meters heard, first days read, strays; waves brought on
* `hand_out`: manual routes of the next days (`[rollout] routes_ahead_days`), without whoever is certified by now
* `verdict`: red when a task failed; a wave that waits for a person is named, and holds nothing up

A person freezes and releases waves: `amihub rollout freeze|release WAVE`. How it stands: `amihub rollout status`.
Open work: `amihub work list --queue rollout`.
"""
"""What the DAG's page says."""


def passed(step: str, *arguments: str) -> dict[str, Any]:
    """Run one step of a pass and return what Airflow keeps of it: counts; problems are counted, never quoted.

    Raises:
        HubError: as the flow raises; `services.airflow_policy` decides what is tried again.
    """
    from services import rollout_pass
    from services.hub import open_hub

    with open_hub() as hub:
        done = getattr(rollout_pass, step)(hub, *arguments)
    kept = {**asdict(done), "problems": len(done.problems)}
    log.info("%s of the rollout: %s", step, kept)
    return kept


def goes_on(params: Mapping[str, Any]) -> bool:
    """Take in what arrived, and return whether the pass goes on: it may be asked to stop here."""
    log.info("steps: %s; why: %s", params["steps"], params["note"] or "on schedule")
    passed("take_in")
    return bool(params["steps"] == "whole pass")


def batches(step: str) -> list[str]:
    """Return names of the batches of `validation` or of `advance` that are due."""
    from services import rollout_pass
    from services.hub import open_hub

    with open_hub() as hub:
        found: list[str] = getattr(rollout_pass, f"{step}_batches")(hub)
    log.info("%d batches for %s", len(found), step)
    return found


def verdict() -> dict[str, Any]:
    """Return how the rollout stands, with the waves that wait for a person."""
    from services.hub import open_hub
    from services.rollout_pass import standing

    with open_hub() as hub:
        found = standing(hub)
    for wave in found["waiting_for_approval"]:
        log.warning("wave %s waits for a person: `amihub rollout status %s`", wave, wave)
    return found
