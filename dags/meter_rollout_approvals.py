"""Approvals of a meter rollout: a person is asked for what waits, and what was approved is done."""

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import AsyncCallback, DeadlineAlert, DeadlineReference, Param, TriggerRule, dag, task

from services.airflow_approvals import APPROVE, NOT_NOW, PAGE, asks_people, carried_out, questions, verdict
from services.airflow_callbacks import pass_is_stuck
from services.airflow_passes import refuse_failed
from services.airflow_policy import RETRY_BY_ERROR
from services.site_file import load_site

OUTSIDE = {"pool": "rollout", "retries": 2, "retry_policy": RETRY_BY_ERROR}
PATIENCE = timedelta(hours=4)
STEPS = ["ask", "look only"]
FORM = {
    "steps": Param(STEPS[0], enum=STEPS, title="Steps", description="Ask for what waits, or only say what does."),
    "note": Param("", type="string", title="Why", description="Kept in the log of the first task."),
}


@task(**OUTSIDE)
def waiting(params=None):
    return questions(params)


@task(**OUTSIDE)
def carry_out(asked, answers):
    return carried_out(asked, answers)


@task(task_id="verdict", trigger_rule=TriggerRule.ALL_DONE)
def say(ti=None, dag_run=None):
    totals = verdict()
    refuse_failed(ti, dag_run, ["waiting", "ask", "carry_out"], totals)
    return totals


@dag(
    dag_id="meter_rollout_approvals",
    schedule="*/15 * * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["rollout", "approvals"],
    doc_md=PAGE,
    default_args={"owner": "rollout"},
    params=FORM,
    deadline=DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=PATIENCE + timedelta(hours=1),
        callback=AsyncCallback(pass_is_stuck, kwargs={"interface": "meter_rollout_approvals"}),
    ),
)
def meter_rollout_approvals():
    """Ask, do what was approved, verdict. A task that waits for a person takes no slot of a worker."""
    asked = waiting()
    # Airflow 3.3 may lose an answer that comes within a second of its question: then it is asked once more.
    ask = HITLOperator.partial(
        task_id="ask", pool="rollout", retries=2, retry_delay=timedelta(seconds=30),
        options=[APPROVE, NOT_NOW], defaults=[NOT_NOW], response_timeout=PATIENCE,
        map_index_template="{{ task.subject }}",
    ).expand_kwargs(asked)  # fmt: skip
    carry_out(asked, ask.output) >> say()


if asks_people(load_site().model):
    meter_rollout_approvals()
