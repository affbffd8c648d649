"""Opening the hub's database: engine, transactions, the write discipline of SQLite."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExecutionContext, make_url
from sqlalchemy.exc import ArgumentError, OperationalError, ProgrammingError
from sqlmodel import Session, create_engine

from canonical.codes.configuration import STORE_AWAY, STORE_NOT_UPGRADED, STORE_URL
from canonical.errors import MisconfiguredError, UnavailableError

__all__ = ["Session", "Transaction", "asking_database", "open_engine", "shown_url", "transactions"]

Transaction = Callable[[], AbstractContextManager[Session]]
"""Opens one short write transaction: committed at the end of the block, rolled back whole on any error."""


def open_engine(url: str) -> Engine:
    """Return an engine for `url`: WAL, full sync and BEGIN IMMEDIATE on SQLite; psycopg on PostgreSQL.

    A transaction that has read and then writes after another's commit fails at once on SQLite, whatever the
    timeout; taking the write lock first (BEGIN IMMEDIATE) makes it wait instead.

    Raises:
        MisconfiguredError: `url` is no database address (`STORE_URL`).
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        # The address is not repeated: a password may stand in it.
        raise MisconfiguredError("[store] url is no database address", code=STORE_URL) from error
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_immediate)
        return engine
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    engine = create_engine(parsed, pool_pre_ping=True)
    event.listen(engine, "before_cursor_execute", _ask_in_binary)
    return engine


def shown_url(url: str) -> str:
    """Return a database address as it may be shown: without password, and without what stands behind a `?`."""
    return make_url(url).set(query={}).render_as_string(hide_password=True)


CACHE = "cache_size=-32768"
"""KiB of pages that a connection keeps: those that a batch changes are written once, and not read again in between."""


def _prepare_sqlite(connection: object, _record: object) -> None:
    """Set durability and take transaction control from the driver."""
    connection.isolation_level = None  # type: ignore[attr-defined]
    cursor = connection.cursor()  # type: ignore[attr-defined]
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "foreign_keys=ON", CACHE):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _ask_in_binary(
    _connection: object, cursor: Any, _statement: str, _parameters: object, context: ExecutionContext, _many: bool
) -> None:
    """Have PostgreSQL send bytes as they are, not as digits, where a statement's options say `in_binary`."""
    if context.execution_options.get("in_binary"):
        cursor.format = 1


def _begin_immediate(connection: object) -> None:
    """Take the write lock at the start of every transaction."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")  # type: ignore[attr-defined]


def transactions(engine: Engine) -> Transaction:
    """Return the opener of transactions that flows are given.

    A transaction raises, rolled back whole:
        MisconfiguredError: the database has not the tables of this version (`STORE_NOT_UPGRADED`).
        UnavailableError: it does not answer, is locked, full or not writable (`STORE_AWAY`).
    """

    @contextmanager
    def transaction() -> Iterator[Session]:
        with asking_database(), Session(engine, expire_on_commit=False) as session, session.begin():
            yield session

    return transaction


@contextmanager
def asking_database() -> Iterator[None]:
    """Turn what the database refuses inside the block into our errors; a wrong statement of ours stays a surprise.

    Raises:
        MisconfiguredError: `STORE_NOT_UPGRADED`.
        UnavailableError: `STORE_AWAY`.
    """
    try:
        yield
    except (OperationalError, ProgrammingError) as error:
        if _lacks_tables(error):
            raise MisconfiguredError(str(error.orig), code=STORE_NOT_UPGRADED) from error
        if isinstance(error, ProgrammingError) or _is_wrong_statement(error):
            raise
        raise UnavailableError(str(error.orig), code=STORE_AWAY) from error


def _is_wrong_statement(error: OperationalError) -> bool:
    """Whether SQLite did not understand the statement; it says that by the class that says it is locked or full."""
    return getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR


def _lacks_tables(error: OperationalError | ProgrammingError) -> bool:
    """Whether the database said that a table or column is not there: SQLite in words, PostgreSQL by SQLSTATE."""
    if getattr(error.orig, "sqlstate", None) in ("42P01", "42703"):
        return True
    said = str(error.orig)
    return said.startswith(("no such table", "no such column")) or "has no column named" in said
