"""What is due comes in whole batches, by run, step and line."""

from datetime import UTC, datetime, timedelta
from typing import Any

from store import billing_items
from store.session import Transaction

NOW = datetime(2026, 7, 1, 10, tzinfo=UTC)


def _item(line: int, **more: Any) -> dict[str, Any]:
    return {
        "item_id": f"i{line}", "interface": "mass", "run_id": "run", "line": line, "request_id": f"R{line}",
        "reason": "CYCLE", "commodity": "ELECTRICITY", "usage_point": f"U{line}", "agreement": "", "account": "",
        "cycle": "07", "period_start": NOW - timedelta(days=30), "period_end": NOW, "replaces": "", "asked_as": "",
        "fingerprint": "", "deadline": None, "state": "ACCEPTED", "step": "check", "next_due_at": NOW, "failures": 0,
        "determinant_id": f"d{line}", "supersedes_id": "", "version": 0, "sent_version": 0, "status": "", "code": "",
        "answer": "", "quantity_micro": 0, "unit": "kWh", "released": False, "via": "", "recheck": False, **more,
    }  # fmt: skip


def test_items_due_come_in_batches_of_the_size_asked_for(transaction: Transaction) -> None:
    with transaction() as session:
        billing_items.add(session, [_item(line) for line in range(2, 1202)], now=NOW)

        groups = billing_items.due(session, "mass", now=NOW, size=500, limit=1000)

    assert [(g.first_line, g.last_line, g.items) for g in groups] == [
        (2, 501, 500),
        (502, 1001, 500),
        (1002, 1201, 200),
    ]


def test_a_batch_holds_one_step_of_one_run_and_nothing_that_is_due_later(transaction: Transaction) -> None:
    later = NOW + timedelta(minutes=1)
    rows = [_item(2), _item(3, step="reread_1"), _item(4, next_due_at=later), _item(5), _item(6, next_due_at=None)]
    with transaction() as session:
        billing_items.add(session, rows, now=NOW)

        groups = billing_items.due(session, "mass", now=NOW, size=500, limit=1000)
        lines = [[row["line"] for row in billing_items.due_items(session, "mass", g, now=NOW)] for g in groups]

    assert [group.step for group in groups] == ["check", "reread_1"]
    assert lines == [[2, 5], [3]]


def test_no_more_batches_come_than_one_pass_may_map(transaction: Transaction) -> None:
    with transaction() as session:
        billing_items.add(session, [_item(line) for line in range(1, 31)], now=NOW)

        assert len(billing_items.due(session, "mass", now=NOW, size=2, limit=10)) == 10


def test_a_change_sets_every_item_to_its_own_values(transaction: Transaction) -> None:
    with transaction() as session:
        billing_items.add(session, [_item(1), _item(2)], now=NOW)
        billing_items.change(
            session,
            [
                {"item_id": "i1", "state": "READY", "quantity_micro": 5, "next_due_at": None},
                {"item_id": "i2", "state": "HELD", "quantity_micro": 7, "next_due_at": NOW},
            ],
        )
        rows = billing_items.by_ids(session, {"i1", "i2"})

    assert [(row["state"], row["quantity_micro"], row["next_due_at"]) for row in rows] == [
        ("READY", 5, None),
        ("HELD", 7, NOW),
    ]


def test_the_history_keeps_every_step_of_a_path(transaction: Transaction) -> None:
    with transaction() as session:
        billing_items.add(session, [_item(1)], now=NOW)
        billing_items.note(
            session, [billing_items.Change("i1", ("ACCEPTED", "READY", "VALIDATED"), "250 kWh")], now=NOW
        )
        steps = [(row["from_state"], row["to_state"]) for row in billing_items.history(session, "i1")]

    assert steps == [("REQUESTED", "ACCEPTED"), ("ACCEPTED", "READY"), ("READY", "VALIDATED")]
