"""Unbilled revenue: the register of each business day, counted once the day has ended."""

from datetime import UTC, datetime, timedelta

from airflow.sdk import AsyncCallback, DeadlineAlert, DeadlineReference, Param, TriggerRule, dag, task

from services.airflow_callbacks import pass_is_stuck
from services.airflow_passes import refuse_failed
from services.airflow_policy import RETRY_BY_ERROR
from services.airflow_unbilled import PAGE, STEPS, counted, verdict
from services.site_file import load_site

FORM = {
    "steps": Param(STEPS[0], enum=STEPS, title="Steps", description="The oldest day due, today up to now, or one day."),
    "day": Param(None, type=["null", "string"], format="date", title="Day", description="The one day, counted anew."),
    "note": Param("", type="string", title="Why", description="Kept in the log of the first task."),
}


@task(retries=2, retry_policy=RETRY_BY_ERROR)
def count(params=None):
    return counted(params)


@task(task_id="verdict", trigger_rule=TriggerRule.ALL_DONE)
def say(ti=None, dag_run=None):
    totals = verdict()
    refuse_failed(ti, dag_run, ["count"], totals)
    return totals


@dag(
    dag_id="unbilled_register",
    schedule="*/15 * * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["billing", "revenue"],
    doc_md=PAGE,
    default_args={"owner": "billing"},
    params=FORM,
    deadline=DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(hours=1),
        callback=AsyncCallback(pass_is_stuck, kwargs={"interface": "unbilled register"}),
    ),
)
def unbilled_register():
    """Count the day that is due, verdict. The register shows; it never makes a run red by what it shows."""
    count() >> say()


if load_site().model.unbilled is not None:
    unbilled_register()
