"""Work is never lost: the same code and key is counted, each act is kept, open work stays open."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from canonical.work import WorkItem
from store import work
from store.session import Transaction

NOW = datetime(2026, 7, 1, 10, tzinfo=UTC)
ITEM = WorkItem(
    "w1", "6007 NO_READ", "R1", "billing-desk", "no read", NOW, Decimal("12.5"), request_id="R1", run_id="run"
)


def test_the_same_thing_again_is_the_same_item_counted(transaction: Transaction) -> None:
    with transaction() as session:
        work.raise_work(session, [ITEM], now=NOW)
        work.raise_work(session, [replace(ITEM, summary="still none")], now=NOW + timedelta(hours=1))
        (row,) = work.listed(session)
        acts = [act["act"] for act in work.acts(session, "w1")]

    assert (row["seen"], row["summary"], row["at_risk_kwh"]) == (2, "still none", Decimal("12.5"))
    assert acts == ["opened", "seen_again"]


def test_every_act_is_kept_with_who_when_and_why(transaction: Transaction) -> None:
    with transaction() as session:
        work.raise_work(session, [ITEM], now=NOW)
        work.act(session, ["w1"], "waived", state="WAIVED", by="Ada", reason="known fault", now=NOW)
        acts = [(act["act"], act["by"], act["reason"], act["at"]) for act in work.acts(session, "w1")]

        assert work.listed(session) == []
        assert [row["work_id"] for row in work.listed(session, state="WAIVED")] == ["w1"]
    assert acts[-1] == ("waived", "Ada", "known fault", NOW)


def test_closed_work_that_comes_again_is_open_again(transaction: Transaction) -> None:
    with transaction() as session:
        work.raise_work(session, [ITEM], now=NOW)
        work.act(session, ["w1"], "resolved", state="RESOLVED", by="hub", reason="came", now=NOW)
        work.raise_work(session, [ITEM], now=NOW)

        assert [row["state"] for row in work.listed(session)] == ["OPEN"]


def test_work_is_listed_by_due_time_and_queue(transaction: Transaction) -> None:
    later = replace(ITEM, work_id="w2", key="R2", due_at=NOW + timedelta(days=1), queue="meter-ops")
    with transaction() as session:
        work.raise_work(session, [later, ITEM], now=NOW)

        assert [row["work_id"] for row in work.listed(session)] == ["w1", "w2"]
        assert [row["work_id"] for row in work.listed(session, queue="meter-ops")] == ["w2"]
