"""Every DAG loads, and says what an operator and the scheduler need to know."""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.airflow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:.*:UserWarning"),
]


def test_every_dag_loads_without_an_error(dagbag: Any) -> None:
    assert dagbag.import_errors == {}


def billing(dagbag: Any) -> list[Any]:
    return [dag for name, dag in dagbag.dags.items() if name.startswith("billing_exchange__")]


def test_each_billing_interface_of_the_site_has_its_dag(dagbag: Any) -> None:
    assert {dag.dag_id for dag in billing(dagbag)} == {"billing_exchange__mass", "billing_exchange__interval"}


def test_master_data_is_one_chain_without_a_task_for_each_object(dagbag: Any) -> None:
    dag = dagbag.dags["master_data_sync"]

    assert [task.task_id for task in dag.topological_sort()] == ["take_in", "advance", "verdict"]
    assert dag.get_task("take_in").pool == "sftp"


def test_reconciliation_compares_and_says_how_it_stands(dagbag: Any) -> None:
    dag = dagbag.dags["reconciliation"]

    assert [task.task_id for task in dag.topological_sort()] == ["compare", "verdict"]
    assert dag.get_task("compare").retries == 2


def test_the_unbilled_register_is_counted_by_one_task_and_may_be_asked_for_any_day(dagbag: Any) -> None:
    dag = dagbag.dags["unbilled_register"]

    assert [task.task_id for task in dag.topological_sort()] == ["count", "verdict"]
    assert dag.get_task("count").retries == 2
    assert dag.params["steps"] == "what is due"
    assert "day" in dag.params


def test_a_rollout_judges_and_tells_in_batches_of_its_own_pool_and_waits_for_nobody(dagbag: Any) -> None:
    dag = dagbag.dags["meter_rollout"]
    order = [task.task_id for task in dag.topological_sort()]

    assert order == [
        "take_in", "plan_validation", "validate", "plan_advance", "advance", "verify", "hand_out", "verdict",
    ]  # fmt: skip
    assert [name for name in order if dag.get_task(name).is_mapped] == ["validate", "advance"]
    assert {dag.get_task(name).pool for name in ("take_in", "validate", "advance", "verify", "hand_out")} == {"rollout"}
    assert not any("approv" in name for name in order)


def test_where_the_site_asks_for_a_person_airflow_asks_and_no_other_dag_waits_for_it(dagbag: Any) -> None:
    dag = dagbag.dags["meter_rollout_approvals"]
    ask = dag.get_task("ask")

    assert [task.task_id for task in dag.topological_sort()] == ["waiting", "ask", "carry_out", "verdict"]
    assert ask.is_mapped
    assert ask.partial_kwargs["options"] == ["Approve", "Not now"]
    assert ask.partial_kwargs["defaults"] == ["Not now"]
    assert ask.partial_kwargs["response_timeout"]


def test_a_pass_runs_alone_every_quarter_hour_and_never_catches_up(dagbag: Any) -> None:
    for dag in dagbag.dags.values():
        assert dag.max_active_runs == 1
        assert dag.catchup is False
        assert dag.schedule == "*/15 * * * *"


def test_each_dag_explains_itself_offers_a_form_and_guards_against_a_stuck_pass(dagbag: Any) -> None:
    for dag in dagbag.dags.values():
        assert "One run is **one pass**" in dag.doc_md
        assert {"steps", "note"} <= set(dag.params)
        assert dag.deadline
        assert dag.tags


def test_every_pool_that_a_task_names_is_made_by_bootstrap(dagbag: Any) -> None:
    """`dag.test()` passes with a pool that does not exist; the scheduler would never run its tasks."""
    from services.airflow_bootstrap import POOLS

    pools = {task.pool for dag in dagbag.dags.values() for task in dag.tasks}

    assert pools <= {*POOLS, "default_pool"}
    assert set(POOLS) <= pools


def test_whatever_speaks_to_the_outside_is_tried_again_by_the_error_it_raises(dagbag: Any) -> None:
    from services.airflow_policy import RETRY_BY_ERROR

    for dag in dagbag.dags.values():
        for task in dag.tasks:
            if task.task_id in ("take_in", "advance", "hand_on", "compare", "count"):
                assert task.retries >= 1
                assert task.retry_policy is RETRY_BY_ERROR


def test_the_only_leaf_is_the_verdict(dagbag: Any) -> None:
    """A leaf decides whether the run is green; with another leaf a failed batch could pass unseen."""
    for dag in dagbag.dags.values():
        assert [leaf.task_id for leaf in dag.leaves] == ["verdict"]
    for dag in billing(dagbag):
        assert [asset.name for asset in dag.get_task("verdict").outlets] == [dag.dag_id.replace("exchange", "drop")]


@pytest.mark.parametrize(
    ("error", "action"),
    [("UnavailableError", "RETRY"), ("RejectedError", "FAIL"), ("MisconfiguredError", "FAIL")],
)
def test_our_errors_decide_whether_a_task_is_tried_again(error: str, action: str) -> None:
    from canonical import errors
    from canonical.codes.configuration import ROLE_ABSENT
    from services.airflow_policy import RETRY_BY_ERROR

    raised = getattr(errors, error)("said on purpose", code=ROLE_ABSENT)
    matching = [rule for rule in RETRY_BY_ERROR.rules if rule.matches(raised)]

    assert [rule.action.name for rule in matching] == [action]
