"""Billing exchange: one pass over what is due, for each billing interface of the site."""

from datetime import UTC, datetime, timedelta

from airflow.sdk import Asset, AsyncCallback, DeadlineAlert, DeadlineReference, Metadata, Param, TriggerRule, dag, task

from services.airflow_callbacks import pass_is_stuck
from services.airflow_passes import PAGE, goes_on, passed, refuse_failed
from services.airflow_policy import RETRY_BY_ERROR
from services.site_file import load_site

OUTSIDE = {"retries": 2, "retry_policy": RETRY_BY_ERROR}
STEPS = ["whole pass", "take in only"]
FORM = {
    "steps": Param(STEPS[0], enum=STEPS, title="Steps", description="Take files in and stop, or the whole pass."),
    "note": Param("", type="string", title="Why", description="Kept in the log of the first task."),
}


def drop(interface: str) -> Asset:
    return Asset(name=f"billing_drop__{interface}", uri=f"amihub://billing/{interface}")


@task.short_circuit(pool="sftp", ignore_downstream_trigger_rules=True, **OUTSIDE)
def take_in(interface: str, params=None):
    return goes_on(interface, params)


@task(retries=1)
def plan(interface: str):
    return passed("plan", interface)


@task(pool="mdms", map_index_template="{{ task.op_kwargs['batch'] }}", **OUTSIDE)
def advance(interface: str, batch: str):
    return passed("advance", interface, batch)


@task(pool="sftp", trigger_rule=TriggerRule.ALL_DONE, **OUTSIDE)
def hand_on(interface: str):
    return passed("hand_on", interface)


@task(trigger_rule=TriggerRule.ALL_DONE)
def verdict(interface: str, ti=None, dag_run=None):
    totals = passed("verdict", interface)
    yield Metadata(drop(interface), totals)
    refuse_failed(ti, dag_run, ["take_in", "plan", "advance", "hand_on"], totals)


def billing_exchange(interface: str):
    @dag(
        dag_id=f"billing_exchange__{interface}",
        schedule="*/15 * * * *",
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        tags=["billing"],
        doc_md=PAGE.format(interface=interface),
        default_args={"owner": "billing"},
        params=FORM,
        deadline=DeadlineAlert(
            reference=DeadlineReference.DAGRUN_QUEUED_AT,
            interval=timedelta(minutes=30),
            callback=AsyncCallback(pass_is_stuck, kwargs={"interface": interface}),
        ),
    )
    def one_pass():
        """Take in, advance what is due, hand on, verdict. Windows and cut-offs are the flow's own."""
        batches = plan(interface)
        take_in(interface) >> batches
        advanced = advance.partial(interface=interface).expand(batch=batches)
        advanced >> hand_on(interface) >> verdict.override(outlets=[drop(interface)])(interface)

    return one_pass()


for name in load_site().billing_interfaces:
    billing_exchange(name)
