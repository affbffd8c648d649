"""Meter rollout: take in, judge and tell in batches, verify, routes, verdict. A person decides of waves beside it."""

from datetime import UTC, datetime, timedelta

from airflow.sdk import AsyncCallback, DeadlineAlert, DeadlineReference, Param, TriggerRule, dag, task

from services.airflow_callbacks import pass_is_stuck
from services.airflow_passes import refuse_failed
from services.airflow_policy import RETRY_BY_ERROR
from services.airflow_rollout import PAGE, batches, goes_on, passed, verdict
from services.site_file import load_site

OUTSIDE = {"retries": 2, "retry_policy": RETRY_BY_ERROR}
BATCH = {"pool": "rollout", "map_index_template": "{{ task.op_kwargs['batch'] }}", **OUTSIDE}
STEPS = ["whole pass", "take in only"]
FORM = {
    "steps": Param(STEPS[0], enum=STEPS, title="Steps", description="Take files in and stop, or the whole pass."),
    "note": Param("", type="string", title="Why", description="Kept in the log of the first task."),
}
NAMES = ["take_in", "plan_validation", "validate", "plan_advance", "advance", "verify", "hand_out"]


@task.short_circuit(pool="rollout", ignore_downstream_trigger_rules=True, **OUTSIDE)
def take_in(params=None):
    return goes_on(params)


@task(retries=1)
def plan(step: str):
    return batches(step)


@task(**BATCH)
def work(step: str, batch: str):
    return passed(step, batch)


@task(pool="rollout", **OUTSIDE)
def whole(step: str):
    return passed(step)


@task(task_id="verdict", trigger_rule=TriggerRule.ALL_DONE)
def say(ti=None, dag_run=None):
    totals = verdict()
    refuse_failed(ti, dag_run, NAMES, totals)
    return totals


@dag(
    dag_id="meter_rollout",
    schedule="*/15 * * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["rollout"],
    doc_md=PAGE,
    default_args={"owner": "rollout"},
    params=FORM,
    deadline=DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(hours=1),
        callback=AsyncCallback(pass_is_stuck, kwargs={"interface": "meter_rollout"}),
    ),
)
def meter_rollout():
    """Take in, judge, tell, verify, verdict. Nothing of it waits for a person."""
    judgeable = plan.override(task_id="plan_validation")("validation")
    due = plan.override(task_id="plan_advance", trigger_rule=TriggerRule.ALL_DONE)("advance")
    verify = whole.override(task_id="verify", trigger_rule=TriggerRule.ALL_DONE)("verify")
    take_in() >> judgeable
    work.override(task_id="validate").partial(step="validate_named").expand(batch=judgeable) >> due
    work.override(task_id="advance").partial(step="advance_named").expand(batch=due) >> verify
    verify >> whole.override(task_id="hand_out")("hand_out") >> say()


if load_site().model.rollout is not None:
    meter_rollout()
