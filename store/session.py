"""Opening the hub's database: engine, transactions, the write discipline of SQLite."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import Engine, event
from sqlalchemy.engine import make_url
from sqlmodel import Session, create_engine

__all__ = ["Session", "Transaction", "open_engine", "transactions"]

Transaction = Callable[[], AbstractContextManager[Session]]
"""Opens one short write transaction: committed at the end of the block, rolled back whole on any error."""


def open_engine(url: str) -> Engine:
    """Return an engine for `url`: WAL, full sync and BEGIN IMMEDIATE on SQLite; psycopg on PostgreSQL.

    A transaction that has read and then writes after another's commit fails at once on SQLite, whatever the
    timeout; taking the write lock first (BEGIN IMMEDIATE) makes it wait instead.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_immediate)
        return engine
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    return create_engine(parsed, pool_pre_ping=True)


def _prepare_sqlite(connection: object, _record: object) -> None:
    """Set durability and take transaction control from the driver."""
    connection.isolation_level = None  # type: ignore[attr-defined]
    cursor = connection.cursor()  # type: ignore[attr-defined]
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: object) -> None:
    """Take the write lock at the start of every transaction."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")  # type: ignore[attr-defined]


def transactions(engine: Engine) -> Transaction:
    """Return the opener of transactions that flows are given."""

    @contextmanager
    def transaction() -> Iterator[Session]:
        with Session(engine, expire_on_commit=False) as session, session.begin():
            yield session

    return transaction
