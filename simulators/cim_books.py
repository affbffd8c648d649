"""The books of a CIM simulator: what it heard, what it holds, what belongs together, what it was told and said."""

import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS heard (
  number INTEGER PRIMARY KEY, at TEXT, source TEXT, verb TEXT, noun TEXT, message_id TEXT, correlation_id TEXT,
  result TEXT, errors TEXT, body TEXT, answer TEXT);
CREATE TABLE IF NOT EXISTS object (
  class TEXT, id TEXT, mrid TEXT, state TEXT, since TEXT, xml TEXT, PRIMARY KEY (class, id));
CREATE TABLE IF NOT EXISTS link (
  kind TEXT, id TEXT, usage_point TEXT, start TEXT, end TEXT, PRIMARY KEY (kind, id, usage_point, start));
CREATE TABLE IF NOT EXISTS exchange (
  usage_point TEXT, removed TEXT, installed TEXT, at TEXT, xml TEXT, PRIMARY KEY (usage_point, removed, installed, at));
CREATE TABLE IF NOT EXISTS reading (
  usage_point TEXT, meter TEXT, reading_type TEXT, at TEXT, value TEXT, quality TEXT, reason TEXT,
  PRIMARY KEY (usage_point, meter, reading_type, at, quality));
CREATE TABLE IF NOT EXISTS sent (
  message_id TEXT PRIMARY KEY, at TEXT, verb TEXT, noun TEXT, status INTEGER, result TEXT, errors TEXT);
CREATE TABLE IF NOT EXISTS work (
  order_id TEXT PRIMARY KEY, state TEXT, usage_point TEXT, name TEXT, old_meter TEXT, model TEXT, day TEXT,
  begins TEXT, ends TEXT, wave TEXT, contractor TEXT, attempt INTEGER, told INTEGER, xml TEXT);
CREATE TABLE IF NOT EXISTS device (
  meter TEXT PRIMARY KEY, mrid TEXT, state TEXT, since TEXT, usage_point TEXT, keys TEXT, registered TEXT);
CREATE INDEX IF NOT EXISTS heard_id ON heard (message_id);
CREATE INDEX IF NOT EXISTS object_mrid ON object (class, mrid);
CREATE INDEX IF NOT EXISTS object_id ON object (id);
CREATE INDEX IF NOT EXISTS link_point ON link (kind, usage_point);
CREATE INDEX IF NOT EXISTS device_mrid ON device (mrid);
"""

TABLES = ("heard", "object", "link", "exchange", "reading", "sent", "work", "device")


class CimBooks:
    """The books, open for reading and writing."""

    def __init__(self, folder: Path) -> None:
        """Open the books of a folder, or begin them."""
        folder.mkdir(parents=True, exist_ok=True)
        self.db = sqlite3.connect(folder / "books.sqlite", timeout=30, check_same_thread=False)
        self.db.row_factory = sqlite3.Row
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=NORMAL")
        self.db.executescript(_SCHEMA)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return every row of a table, in the order in which they were written.

        Raises:
            KeyError: there is no such table.
        """
        if table not in TABLES:
            raise KeyError(table)
        return [dict(row) for row in self.db.execute(f"SELECT * FROM {table} ORDER BY rowid")]  # noqa: S608

    def rows_of(self, table: str, *columns: str, value: str) -> list[dict[str, Any]]:
        """Return the rows that hold a value in one of some columns."""
        where = " OR ".join(f"{column} = ?" for column in columns)
        query = f"SELECT * FROM {table} WHERE {where}"  # noqa: S608
        return [dict(row) for row in self.db.execute(query, (value,) * len(columns))]

    def write(self, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Write rows; one of the same key takes the place of an earlier one."""
        found = list(rows)
        if found:
            marks = ",".join("?" * len(found[0]))
            with self.db:
                self.db.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", found)  # noqa: S608

    def strike(self, table: str, columns: tuple[str, ...], keys: Iterable[tuple[Any, ...]]) -> None:
        """Take rows out by the values of some columns."""
        where = " AND ".join(f"{column} = ?" for column in columns)
        with self.db:
            self.db.executemany(f"DELETE FROM {table} WHERE {where}", list(keys))  # noqa: S608

    def has(self, kind: str, identity: str) -> bool:
        """Return whether an object of a class stands, by its id or its mRID."""
        query = "SELECT 1 FROM object WHERE class = ? AND id = ? AND state = 'open'"
        by_mrid = query.replace("id =", "mrid =")  # two searches by an index: one with OR goes through all of a class
        row = self.db.execute(f"{query} UNION ALL {by_mrid}", (kind, identity, kind, identity)).fetchone()
        return row is not None

    def id_of(self, kind: str, identity: str) -> str:
        """Return the id under which an object is kept that is named by id or mRID."""
        query = "SELECT id FROM object WHERE class = ? AND id = ?"
        by_mrid = query.replace("AND id =", "AND mrid =")
        row = self.db.execute(f"{query} UNION ALL {by_mrid}", (kind, identity, kind, identity)).fetchone()
        return str(row["id"]) if row is not None else identity

    def open_links(self, kind: str, *, identity: str = "", usage_point: str = "") -> list[dict[str, Any]]:
        """Return the links that have no end, of an object or of a usage point."""
        query = "SELECT * FROM link WHERE kind = ? AND end IS NULL AND id = ?"
        by_point = query.replace("id =", "usage_point =")
        return [dict(row) for row in self.db.execute(f"{query} UNION {by_point}", (kind, identity, kind, usage_point))]

    def end_link(self, kind: str, identity: str, usage_point: str, end: str) -> None:
        """End a link that stands."""
        with self.db:
            self.db.execute(
                "UPDATE link SET end = ? WHERE kind = ? AND id = ? AND usage_point = ? AND end IS NULL",
                (end, kind, identity, usage_point),
            )

    def answered(self, message_id: str) -> bytes | None:
        """Return what a message was answered the first time, None for a new one."""
        row = self.db.execute("SELECT answer FROM heard WHERE message_id = ?", (message_id,)).fetchone()
        return bytes(row["answer"], "utf-8") if row is not None else None


def stamp() -> str:
    """Return the present for the books."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
