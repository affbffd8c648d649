"""Meter rollout: take in, judge and tell in batches, verify, verdict. A person decides of waves beside it."""

from datetime import UTC, datetime, timedelta

from airflow.sdk import AsyncCallback, DeadlineAlert, DeadlineReference, Param, TriggerRule, dag, task

from services.airflow_callbacks import pass_is_stuck
from services.airflow_passes import refuse_failed
from services.airflow_policy import RETRY_BY_ERROR
from services.airflow_rollout import PAGE, batches, goes_on, passed, verdict
from services.site_file import load_site

OUTSIDE = {"retries": 2, "retry_policy": RETRY_BY_ERROR}
STEPS = ["whole pass", "take in only"]
FORM = {
    "steps": Param(STEPS[0], enum=STEPS, title="Steps", description="Take files in and stop, or the whole pass."),
    "note": Param("", type="string", title="Why", description="Kept in the log of the first task."),
}
NAMES = ["take_in", "plan_validation", "validate", "plan_advance", "advance", "verify"]


@task.short_circuit(pool="sftp", ignore_downstream_trigger_rules=True, **OUTSIDE)
def take_in(params=None):
    return goes_on(params)


@task(retries=1)
def plan_validation():
    return batches("validation")


@task(pool="rollout", map_index_template="{{ task.op_kwargs['batch'] }}", **OUTSIDE)
def validate(batch: str):
    return passed("validate_named", batch)


@task(retries=1, trigger_rule=TriggerRule.ALL_DONE)
def plan_advance():
    return batches("advance")


@task(pool="rollout", map_index_template="{{ task.op_kwargs['batch'] }}", **OUTSIDE)
def advance(batch: str):
    return passed("advance_named", batch)


@task(pool="rollout", trigger_rule=TriggerRule.ALL_DONE, **OUTSIDE)
def verify():
    return passed("verify")


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
    judged = validate.expand(batch=take_in() >> plan_validation())
    planned = plan_advance()
    judged >> planned
    advance.expand(batch=planned) >> verify() >> say()


if load_site().model.rollout is not None:
    meter_rollout()
