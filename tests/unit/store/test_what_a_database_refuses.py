"""A database that is away, or not upgraded, is said so; a wrong statement of ours stays the defect that it is."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, ProgrammingError

from canonical.errors import MisconfiguredError, UnavailableError
from store.session import Transaction, open_engine, transactions


@pytest.mark.parametrize("statement", ["SELEKT 1", "SELECT key FROM delivery AS a, delivery AS b"])
def test_a_wrong_statement_is_a_defect_and_no_outage(transaction: Transaction, statement: str) -> None:
    with pytest.raises((OperationalError, ProgrammingError)), transaction() as session:
        session.execute(text(statement))


def test_a_table_that_is_not_there_is_a_database_that_was_not_upgraded(transaction: Transaction) -> None:
    with pytest.raises(MisconfiguredError, match="no_such_table"), transaction() as session:
        session.execute(text("SELECT 1 FROM no_such_table"))


def test_a_full_database_is_away(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/hub.db")
    blobs = text("CREATE TABLE blobs AS SELECT zeroblob(100000) AS a")
    with transactions(engine)() as session:
        session.execute(text("PRAGMA max_page_count = 2"))
    with pytest.raises(UnavailableError, match="full"), transactions(engine)() as session:
        session.execute(blobs)
    engine.dispose()
