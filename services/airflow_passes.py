"""One step of a billing pass as an Airflow task runs it: open the hub, call the flow, return small counts for XCom."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass, replace
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

log = logging.getLogger(__name__)

PAGE = """### Billing exchange: `{interface}`

One run is **one pass**: take in what arrived, advance everything that is due, hand on what is ready, say how it stands.
State and next due times live in the hub's store: a pass may be late, repeated or killed; the next goes on from there.
A pass with nothing due ends in its first task.

* `take_in`: request, reference, billed and acknowledgement files; NEM12 readings
* `advance`: a batch of items asks the MDMS, is calculated, validated, held or made ready
* `hand_on`: parts of the drop, corrections, notices, closing account; the relay (`amihub serve`) carries them
* `verdict`: the run-closing equations; red when a business deadline was crossed or a run does not balance

Open work: `amihub work list`. The chain behind one bill: `amihub explain ACCOUNT`.
"""
"""What the DAG's page says."""


def passed(step: str, interface: str, *arguments: Any) -> Any:
    """Run one step of a pass and return what Airflow keeps of it: counts, labels, control totals; never rows.

    Raises:
        HubError: as the flow raises; `services.airflow_policy` decides what is tried again.
    """
    from services import billing_pass
    from services.hub import open_hub

    with open_hub() as hub:
        result = getattr(billing_pass, step)(hub, interface, *arguments)
    log.info("%s of %s: %s", step, interface, _loggable(result))
    return asdict(result) if is_dataclass(result) and not isinstance(result, type) else result


def _loggable(result: Any) -> Any:
    """Return a result as the task's log may show it: problems are counted, for their reasons may quote a payload."""
    problems = getattr(result, "problems", ())
    if not problems:
        return result
    return f"{replace(result, problems=())}; {len(problems)} problems: `amihub work list`, `amihub parked list`"


def goes_on(interface: str, params: Mapping[str, Any]) -> bool:
    """Take in what arrived, and return whether the pass has more to do: it ends here when nothing is due."""
    log.info("steps: %s; why: %s", params["steps"], params["note"] or "on schedule")
    passed("take_in", interface)
    return params["steps"] == "whole pass" and bool(passed("is_due", interface))


def refuse_failed(ti: Any, dag_run: Any, tasks: Sequence[str], totals: Mapping[str, Any]) -> None:
    """Fail the pass when one of its tasks failed or its verdict names a failure.

    A leaf that runs whatever came before would else make the run green although a batch failed.

    Raises:
        AirflowFailException: the pass is red; the reasons are named.
    """
    states = ti.get_task_states(dag_id=ti.dag_id, task_ids=list(tasks), run_ids=[dag_run.run_id])
    failed = [name for name, state in states.get(dag_run.run_id, {}).items() if state in ("failed", "upstream_failed")]
    reasons = [f"task {name} failed" for name in sorted(failed)] + list(totals["failures"])
    if reasons:
        raise AirflowFailException("; ".join(reasons))
