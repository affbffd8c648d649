"""What tests share: an empty hub database, on SQLite always and on a private PostgreSQL where servers may run."""

import gc
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

sys.path.append(str(Path(__file__).parent))

from servers.postgres import RELAXED, find_programs, private_postgres
from servers.rabbitmq import RabbitServer, find_scripts, private_rabbitmq
from store.session import Transaction, open_engine, transactions

NewDatabase = Callable[[], str]
"""Makes an empty database with all tables and returns its URL."""


gc.disable()  # until everything is collected: what is collected stays


def pytest_collection_finish() -> None:
    """Keep thousands of tests and their modules out of the collector's rounds: each would look at all of them."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name long or packed bytes by their argument: an archive's bytes hold the second in which it was packed.

    Workers that collect a second apart would else find different tests, and none would run.
    """
    return argname if isinstance(val, bytes) and (len(val) > 40 or not val.isascii()) else None


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of the private server's database `postgres`; started once, when the first test asks."""
    try:
        find_programs()
    except FileNotFoundError as missing:
        pytest.fail(str(missing), pytrace=False)
    with private_postgres(RELAXED) as url:
        yield url


@pytest.fixture(scope="session")
def rabbitmq_server() -> Iterator[RabbitServer]:
    """A private broker that nobody kills; started once, when the first test asks."""
    try:
        find_scripts()
    except FileNotFoundError as missing:
        pytest.fail(str(missing), pytrace=False)
    with private_rabbitmq() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_databases(postgres_server: str) -> NewDatabase:
    """Maker of PostgreSQL databases, copied from one that has all tables."""
    numbers = count(1)
    _on_server(postgres_server, "CREATE DATABASE hub_template")
    _create_tables(_database(postgres_server, "hub_template"))

    def new() -> str:
        name = f"hub_{next(numbers)}"
        _on_server(postgres_server, f"CREATE DATABASE {name} TEMPLATE hub_template STRATEGY file_copy")
        return _database(postgres_server, name)

    return new


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database that has all tables, to be copied."""
    file = tmp_path_factory.mktemp("template") / "hub.db"
    _create_tables(f"sqlite:///{file}")
    return file


@pytest.fixture
def sqlite_databases(sqlite_template: Path, tmp_path: Path) -> NewDatabase:
    """Maker of SQLite databases in the test's own folder."""
    numbers = count(1)

    def new() -> str:
        file = tmp_path / f"hub_{next(numbers)}.db"
        shutil.copyfile(sqlite_template, file)
        return f"sqlite:///{file}"

    return new


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.servers)])
def databases(request: pytest.FixtureRequest) -> NewDatabase:
    """Maker of hub databases; a test that takes it runs once for each kind."""
    maker: NewDatabase = request.getfixturevalue(f"{request.param}_databases")
    return maker


@pytest.fixture
def engine(databases: NewDatabase) -> Iterator[Engine]:
    """Engine on an empty hub database of each kind."""
    engine = open_engine(databases())
    yield engine
    engine.dispose()


@pytest.fixture
def transaction(engine: Engine) -> Transaction:
    """Opener of transactions on an empty hub database of each kind."""
    return transactions(engine)


@pytest.fixture
def now() -> datetime:
    """An instant to act at, where any will do."""
    return datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


def _create_tables(url: str) -> None:
    """Create every table of the hub."""
    from store.tables import METADATA

    engine = open_engine(url)
    METADATA.create_all(engine)
    engine.dispose()


def _database(server: str, name: str) -> str:
    """Return the URL of another database of the server."""
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def _on_server(server: str, statement: str) -> None:
    """Run a statement that may not stand in a transaction."""
    engine = open_engine(server)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(statement))
    engine.dispose()
