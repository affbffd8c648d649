"""The file of the embedded queue: tables, letters as rows and back, and what goes wrong with a file.

Time is the database's own clock, so that all processes that share the file mean the same instant.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from canonical.codes import messaging as codes
from canonical.errors import MisconfiguredError, UnavailableError
from messaging.letters import Letter
from messaging.properties import INSTANTS

NOW = "((julianday('now') - 2440587.5) * 86400.0)"
"""Seconds since 1970, to the millisecond, by the clock of the database."""

TABLES = (
    """CREATE TABLE IF NOT EXISTS letter (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        key TEXT NOT NULL,
        rank INTEGER NOT NULL,
        parked INTEGER NOT NULL DEFAULT 0,
        stored_at REAL NOT NULL,
        due_at REAL NOT NULL,
        useful_until REAL,
        holder TEXT NOT NULL DEFAULT '',
        held_until REAL NOT NULL DEFAULT 0,
        returns INTEGER NOT NULL DEFAULT 0,
        retries INTEGER NOT NULL DEFAULT 0,
        code TEXT NOT NULL DEFAULT '',
        reason TEXT NOT NULL DEFAULT '',
        properties TEXT NOT NULL,
        body BLOB NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS ix_letter_next ON letter (key, parked, rank, number)",
    "CREATE INDEX IF NOT EXISTS ix_letter_held ON letter (held_until) WHERE holder <> ''",
    "CREATE INDEX IF NOT EXISTS ix_letter_useful ON letter (useful_until) WHERE useful_until IS NOT NULL",
)

_ABSENT = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY)
"""Primary result codes that only a person can mend."""


def open_file(path: Path) -> sqlite3.Connection:
    """Return a connection to the file, made with its tables where it is not there.

    Raises:
        MisconfiguredError: it cannot be opened, or is no such file.
        UnavailableError: it is locked for longer than 30 s.
    """
    with mishaps(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            for statement in TABLES:
                connection.execute(statement)
            connection.execute("COMMIT")
        except sqlite3.Error:
            connection.close()
            raise
        return connection


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Run a short write transaction."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextmanager
def mishaps(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system raise into what to do next.

    Raises:
        MisconfiguredError: the file cannot be opened or written, or is no database.
        UnavailableError: anything that may pass.
    """
    try:
        yield
    except OSError as error:
        raise MisconfiguredError(str(error.strerror), code=codes.QUEUE_FILE_UNUSABLE, where=path.name) from error
    except sqlite3.Error as error:
        primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if primary in _ABSENT:
            raise MisconfiguredError(str(error), code=codes.QUEUE_FILE_UNUSABLE, where=path.name) from error
        raise UnavailableError(str(error), code=codes.BROKER_AWAY, where=path.name) from error


_TEXTS = (
    *("message_id", "source", "correlation_id", "causation_id", "verb", "noun", "schema_version", "lane", "priority"),
    *("reply_to", "content_type", "content_encoding"),
)


def properties_to_text(letter: Letter) -> str:
    """Return everything of a letter but its body as JSON."""
    told: dict[str, str] = {name: value for name in _TEXTS if (value := getattr(letter, name))}
    told |= {name: value.isoformat() for name in INSTANTS if (value := getattr(letter, name))}
    return json.dumps(told, ensure_ascii=False)


def letter_from_text(text: str, body: bytes) -> Letter:
    """Return the letter that was put there."""
    told: Mapping[str, str] = json.loads(text)
    texts: dict[str, Any] = {name: told.get(name, "") for name in _TEXTS}
    instants = {name: datetime.fromisoformat(told[name]) if name in told else None for name in INSTANTS}
    return Letter(body=body, **(texts | instants))
