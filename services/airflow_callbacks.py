"""What Airflow calls when a pass is stuck: an event that a person sees in the triggerer's log and on the run."""

import logging
from collections.abc import Mapping
from typing import Any

log = logging.getLogger(__name__)


async def pass_is_stuck(interface: str, context: Mapping[str, Any] | None = None, **_kwargs: Any) -> None:
    """Say that a pass has not ended in time: identifiers and the next step, nothing of its data.

    Business deadlines are the flow's own and are judged by its verdict; this guards against a pass that hangs.
    """
    run = (context or {}).get("dag_run", {})
    log.error(
        "pass of %s is stuck: run %s. Next: look at its running task's log; the next pass starts "
        "where this one stands, nothing is lost",
        interface,
        run.get("run_id", "?") if isinstance(run, Mapping) else getattr(run, "run_id", "?"),
    )
