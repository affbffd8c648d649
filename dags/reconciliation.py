"""Reconciliation: one portion of the comparison of what systems hold, and how it stands at the end of a round."""

from datetime import UTC, datetime, timedelta

from airflow.sdk import AsyncCallback, DeadlineAlert, DeadlineReference, Param, TriggerRule, dag, task

from services.airflow_callbacks import pass_is_stuck
from services.airflow_passes import refuse_failed
from services.airflow_policy import RETRY_BY_ERROR
from services.airflow_reconciliation import PAGE, compared, verdict
from services.site_file import load_site

STEPS = ["next portion", "everything"]
FORM = {
    "steps": Param(STEPS[0], enum=STEPS, title="Steps", description="The next portion, or all partitions at once."),
    "note": Param("", type="string", title="Why", description="Kept in the log of the first task."),
}


@task(retries=2, retry_policy=RETRY_BY_ERROR)
def compare(params=None):
    return compared(params)


@task(task_id="verdict", trigger_rule=TriggerRule.ALL_DONE)
def say(ti=None, dag_run=None):
    totals = verdict()
    refuse_failed(ti, dag_run, ["compare"], totals)
    return totals


@dag(
    dag_id="reconciliation",
    schedule="*/15 * * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["master data", "reconciliation"],
    doc_md=PAGE,
    default_args={"owner": "integration"},
    params=FORM,
    deadline=DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(hours=1),
        callback=AsyncCallback(pass_is_stuck, kwargs={"interface": "reconciliation"}),
    ),
)
def reconciliation():
    """Compare the next portion, verdict. Differences are work for people and never make a run red by themselves."""
    compare() >> say()


if load_site().model.reconcile is not None:
    reconciliation()
