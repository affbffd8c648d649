"""Every commit looked at from a second connection: what goes out is there together with the state that causes it (I6).

Whoever killed the process at that instant, or read the database then, would find both or neither.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, Table, select

from store.deliveries import Delivery
from store.master_changes import CHANGE
from store.master_statements import MASTER_STATEMENT
from store.master_subscribers import CURSOR, TOLD
from store.session import Session, Transaction

DELIVERY: Table = Delivery.__table__  # type: ignore[attr-defined]


@dataclass
class Watch:
    """Looks at a database whenever a transaction has ended."""

    engine: Engine
    """Its own: another connection than that of the flows."""

    commits: int = 0
    tellings: int = 0
    """Tellings that were seen with their delivery."""

    def over(self, inner: Transaction) -> Transaction:
        """Return the same opener of transactions, watched."""

        @contextmanager
        def watched() -> Iterator[Session]:
            with inner() as session:
                yield session
            with self.engine.connect() as connection:
                self._look(connection)

        return watched

    def _look(self, connection: Connection) -> None:
        self.commits += 1
        self.tellings += _assert_told_with_cursor(connection)
        _assert_known_with_its_line(connection)


def _assert_told_with_cursor(connection: Connection) -> int:
    """Assert that cursor, note, file and what is kept of its objects came by one commit; return the tellings."""
    deliveries = list(connection.execute(select(DELIVERY.c.causation_id, DELIVERY.c.delivery_id)))
    causes = {row.causation_id for row in deliveries}
    cursors = {row.subscriber: row for row in connection.execute(select(CURSOR))}
    told = {(row.kind, row.object_id): row for row in connection.execute(select(TOLD).where(TOLD.c.telling != ""))}
    for row in told.values():
        assert row.telling in causes, "told, as the hub has it, and in no delivery"
        assert row.sequence <= cursors[row.subscriber].position, "told of what the cursor has not passed"
    assert sum(row.files for row in cursors.values()) == len(deliveries), "a file without its cursor, or the reverse"
    said = MASTER_STATEMENT.c
    notes = list(connection.execute(select(MASTER_STATEMENT).where(said.how == "we_told").order_by(said.number)))
    caused = {row.delivery_id: row.causation_id for row in deliveries}
    assert {row.delivery_id for row in notes} == set(caused), "a file without a note of what it tells, or the reverse"
    for thing, delivery_id in {(row.kind, row.object_id): row.delivery_id for row in notes}.items():
        assert thing in told, "in a file, and not told, as the hub has it"
        assert told[thing].telling == caused[delivery_id], "in a later file than the hub has it"
    return len({row.telling for row in told.values()})


def _assert_known_with_its_line(connection: Connection) -> None:
    """Assert that what was applied is in the log, and what is in the log was said, by one commit."""
    said, line = MASTER_STATEMENT.c, CHANGE.c
    query = select(said.message_id, said.object_id, said.disposition).where(said.how != "we_told")
    statements = list(connection.execute(query))
    changes = connection.execute(select(line.message_id, line.object_id).where(line.kind != "load"))
    lines = {(row.message_id, row.object_id) for row in changes}
    applied = {(row.message_id, row.object_id) for row in statements if row.disposition == "APPLIED"}
    assert applied <= lines, "applied, and the log knows nothing of it"
    spoken = {row.message_id for row in statements}
    assert {message_id for message_id, _ in lines} <= spoken, "in the log, and nobody said it"
