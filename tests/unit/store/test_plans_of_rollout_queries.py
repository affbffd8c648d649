"""What the sequence asks the store costs what it finds, however many orders, steps and readings there are."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from store import rollout_steps
from store.session import open_engine, transactions
from store.tables import METADATA

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def test_looks_at_awaited_steps_neither_sort_them_nor_read_those_before(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/hub.db")
    METADATA.create_all(engine)
    plans = _plans(engine)

    with transactions(engine)() as session:
        rollout_steps.awaited(session, "HEARD", limit=500, behind="a")
        rollout_steps.awaited(session, "VERIFIED", limit=500, behind="a", due_by=NOW)
    engine.dispose()

    assert all("rollout_step_state (state=? AND step=? AND order_id>?)" in plan for plan in plans)
    assert not any("TEMP B-TREE" in plan for plan in plans)
    assert len(plans) == 2


def test_steps_that_rest_are_not_read_to_find_those_that_are_due(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/hub.db")
    METADATA.create_all(engine)
    plans = _plans(engine)

    with transactions(engine)() as session:
        rollout_steps.due(session, now=NOW, limit=500)
    engine.dispose()

    assert plans[0] == "SCAN rollout_step USING INDEX rollout_step_due"  # in order of id, as far as its limit goes


def test_readings_of_exchanges_are_found_each_at_its_own_instant(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/hub.db")
    METADATA.create_all(engine)
    plans = _plans(engine)

    with transactions(engine)() as session:
        rollout_steps.readings_at(session, {(f"U{n}", NOW + timedelta(seconds=n)) for n in range(2_000)})
    engine.dispose()

    assert len(plans) == 3
    assert all("register_reading_at (usage_point=? AND taken_at=?)" in plan for plan in plans)


def _plans(engine: Engine) -> list[str]:
    """Return a list to which the plan of every query of an engine is added."""
    found: list[str] = []

    def explain(conn: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if statement.startswith(("SELECT", "WITH")):
            own = conn.connection.driver_connection.cursor()
            rows = own.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
            found.append("\n".join(row[3] for row in rows))

    event.listen(engine, "before_cursor_execute", explain)
    return found
