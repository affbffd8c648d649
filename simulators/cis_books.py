"""The CIS's own books: what it asked for, was told, what it loaded, billed, cancelled. Quantities are exact text.

The auditor reads these tables and nothing of the hub.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS request (
  request_id TEXT PRIMARY KEY, interface TEXT, business_date TEXT, reason TEXT, usage_point TEXT, account TEXT,
  agreement TEXT, period_start TEXT, period_end TEXT, replaces TEXT, file TEXT,
  verdict TEXT DEFAULT '', code TEXT DEFAULT '', told TEXT DEFAULT '');
CREATE TABLE IF NOT EXISTS file (
  name TEXT PRIMARY KEY, direction TEXT, sha256 TEXT, verdict TEXT, reason TEXT, at TEXT);
CREATE TABLE IF NOT EXISTS answer (
  determinant_id TEXT, version INTEGER, request_id TEXT, account TEXT, usage_point TEXT, status TEXT, code TEXT,
  supersedes TEXT, unit TEXT, total TEXT, file TEXT, at TEXT,
  PRIMARY KEY (determinant_id, version));
CREATE TABLE IF NOT EXISTS notice (
  determinant_id TEXT, version INTEGER, request_id TEXT, account TEXT, total TEXT, file TEXT, at TEXT,
  PRIMARY KEY (determinant_id, version, file));
CREATE TABLE IF NOT EXISTS quantity (
  determinant_id TEXT, version INTEGER, code TEXT, unit TEXT, bucket TEXT, quantity TEXT);
CREATE TABLE IF NOT EXISTS demand (
  determinant_id TEXT, version INTEGER, code TEXT, value TEXT, at TEXT);
CREATE TABLE IF NOT EXISTS bill (
  bill_id TEXT PRIMARY KEY, determinant_id TEXT, version INTEGER, request_id TEXT, quantity TEXT, unit TEXT, event TEXT,
  at TEXT, extract TEXT DEFAULT '');
CREATE TABLE IF NOT EXISTS closing (file TEXT, kind TEXT, code TEXT, count INTEGER);
CREATE TABLE IF NOT EXISTS step (name TEXT PRIMARY KEY, at TEXT);
CREATE TABLE IF NOT EXISTS event (at TEXT, text TEXT);
CREATE INDEX IF NOT EXISTS answer_by_request ON answer (request_id);
CREATE INDEX IF NOT EXISTS bill_by_determinant ON bill (determinant_id);
"""


class CisBooks:
    """The books, open for writing."""

    def __init__(self, path: Path) -> None:
        """Open the books, or begin them."""
        self.db = sqlite3.connect(path, timeout=30, check_same_thread=False)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=NORMAL")
        self.db.executescript(_SCHEMA)

    def note(self, text: str, at: datetime) -> None:
        """Write a line into the log of the books."""
        with self.db:
            self.db.execute("INSERT INTO event VALUES (?, ?)", (at.isoformat(timespec="seconds"), text))

    def done(self, name: str) -> bool:
        """Return whether a scripted step was taken."""
        return self.db.execute("SELECT 1 FROM step WHERE name = ?", (name,)).fetchone() is not None

    def mark(self, name: str, at: datetime) -> None:
        """Remember that a scripted step was taken."""
        with self.db:
            self.db.execute("INSERT OR IGNORE INTO step VALUES (?, ?)", (name, at.isoformat()))

    def asked(self, rows: Iterable[Sequence[object]]) -> None:
        """Write down request lines that were sent (the columns of `request` up to `file`)."""
        with self.db:
            self.db.executemany(
                "INSERT OR REPLACE INTO request (request_id, interface, business_date, reason, usage_point, account, "
                "agreement, period_start, period_end, replaces, file) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
                rows,
            )

    def told(self, rows: Iterable[tuple[str, str, str, str]]) -> None:
        """Write down item verdicts: (verdict, code, reason, request id). A later duplicate verdict changes nothing."""
        with self.db:
            self.db.executemany(
                "UPDATE request SET verdict = ?, code = ?, told = ? WHERE request_id = ? AND verdict = ''", rows
            )

    def file(self, name: str, direction: str, sha256: str, verdict: str, reason: str, at: datetime) -> None:
        """Write down a file that came or went, and what was said of it."""
        with self.db:
            self.db.execute(
                "INSERT OR REPLACE INTO file VALUES (?,?,?,?,?,?)",
                (name, direction, sha256, verdict, reason, at.isoformat(timespec="seconds")),
            )

    def next_number(self, name: str) -> int:
        """Return the next number of a series (sequences of file names), starting at 1."""
        with self.db:
            self.db.execute("CREATE TABLE IF NOT EXISTS series (name TEXT PRIMARY KEY, last INTEGER)")
            self.db.execute(
                "INSERT INTO series VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET last = last + 1", (name,)
            )
            row = self.db.execute("SELECT last FROM series WHERE name = ?", (name,)).fetchone()
        return int(row[0])
