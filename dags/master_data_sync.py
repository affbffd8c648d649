"""Master data: one pass over what came and what waits."""

from datetime import UTC, datetime, timedelta

from airflow.sdk import AsyncCallback, DeadlineAlert, DeadlineReference, Param, TriggerRule, dag, task

from services.airflow_callbacks import pass_is_stuck
from services.airflow_masters import PAGE, goes_on, passed, verdict
from services.airflow_passes import refuse_failed
from services.airflow_policy import RETRY_BY_ERROR
from services.site_file import load_site

OUTSIDE = {"retries": 2, "retry_policy": RETRY_BY_ERROR}
STEPS = ["whole pass", "take in only"]
FORM = {
    "steps": Param(STEPS[0], enum=STEPS, title="Steps", description="Take files in and stop, or the whole pass."),
    "note": Param("", type="string", title="Why", description="Kept in the log of the first task."),
}


@task.short_circuit(pool="sftp", ignore_downstream_trigger_rules=True, **OUTSIDE)
def take_in(params=None):
    return goes_on(params)


@task(**OUTSIDE)
def advance():
    return passed("advance")


@task(task_id="verdict", trigger_rule=TriggerRule.ALL_DONE)
def say(ti=None, dag_run=None):
    totals = verdict()
    refuse_failed(ti, dag_run, ["take_in", "advance"], totals)
    return totals


@dag(
    dag_id="master_data_sync",
    schedule="*/15 * * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["master data"],
    doc_md=PAGE,
    default_args={"owner": "integration"},
    params=FORM,
    deadline=DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(hours=2),
        callback=AsyncCallback(pass_is_stuck, kwargs={"interface": "master data"}),
    ),
)
def master_data_sync():
    """Take in, advance what waits, verdict. A load of a million objects may take a good hour of one run."""
    take_in() >> advance() >> say()


if load_site().model.masters is not None:
    master_data_sync()
