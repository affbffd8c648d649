"""Bringing a database to the tables of this version: `amihub db upgrade`, and `make migration` for developers.

`python -m store.migrate regenerate` writes migration 0001 anew from the models. That is right until the first
release only; after it, `python -m store.migrate add WORDS` writes the difference as the next step.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlmodel.sql.sqltypes import AutoString

from store.session import asking_database, open_engine
from store.tables import METADATA

FOLDER = Path(__file__).parent / "migrations"


def _render(kind: str, thing: Any, _context: Any) -> str | bool:
    """Return how a column type is written in a migration, or False for Alembic's own way."""
    if kind == "type" and isinstance(thing, AutoString):
        return "sa.String()"
    if kind == "type" and type(thing).__module__ == "store.columns":
        return f"columns.{type(thing).__name__}()"
    return False


OPTIONS: dict[str, Any] = {
    "target_metadata": METADATA,
    "render_as_batch": True,
    "compare_type": True,
    "render_item": _render,
    "transaction_per_migration": True,
}
"""How Alembic compares and writes: batch mode, because SQLite cannot alter a column in place."""


def upgrade(url: str) -> str:
    """Bring the database to the newest revision and return it; one that is there already stays as it is."""
    engine = open_engine(url)
    with asking_database(), engine.begin() as connection:
        command.upgrade(_config(connection), "head")
    engine.dispose()
    return head()


def status(url: str) -> tuple[str, str]:
    """Return the database's revision (empty before the first upgrade) and the newest one."""
    engine = open_engine(url)
    with asking_database(), engine.begin() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    engine.dispose()
    return current or "", head()


def head() -> str:
    """Return the newest revision."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def differences(url: str) -> list[Any]:
    """Return what the models have and the database has not, or the other way round, as Alembic names it."""
    engine = open_engine(url)
    with engine.begin() as connection:
        found: list[Any] = compare_metadata(MigrationContext.configure(connection, opts=OPTIONS), METADATA)
    engine.dispose()
    return found


def regenerate() -> Path:
    """Write migration 0001 anew from the models, in place of all steps, and return its file."""
    for step in FOLDER.glob("versions/[0-9]*.py"):
        step.unlink()
    return add("The whole schema", number="0001")


def add(words: str, *, number: str = "") -> Path:
    """Write the difference between the steps so far and the models as the next step, and return its file."""
    number = number or f"{int(head() or 0) + 1:04}"
    with TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{folder}/blank.db")
        with engine.begin() as connection:
            config = _config(connection)
            if number != "0001":
                command.upgrade(config, "head")
            script = command.revision(config, message=words, autogenerate=True, rev_id=number)
        engine.dispose()
    return Path(script.path)  # type: ignore[union-attr]


def _config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration for the steps in this package."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["regenerate"]:
            sys.stdout.write(f"{regenerate()}\n")
        case ["add", *words] if words:
            sys.stdout.write(f"{add(' '.join(words))}\n")
        case _:
            sys.exit(__doc__)
