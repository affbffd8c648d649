"""The MDMS's own books: what it was asked, what it answered, what it estimated, told and was told to be billed."""

import sqlite3
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS asked (
  at TEXT, usage_point TEXT, period_start TEXT, period_end TEXT, fresh INTEGER, result TEXT);
CREATE TABLE IF NOT EXISTS fresh_read (usage_point TEXT PRIMARY KEY, at TEXT);
CREATE TABLE IF NOT EXISTS estimate (
  usage_point TEXT PRIMARY KEY, period_end TEXT, on_count INTEGER, mid_count INTEGER, off_count INTEGER,
  export_count INTEGER, at TEXT);
CREATE TABLE IF NOT EXISTS billed (
  determinant_id TEXT, version INTEGER, usage_point TEXT, reading_type TEXT, value TEXT, at TEXT,
  PRIMARY KEY (determinant_id, version, reading_type));
CREATE TABLE IF NOT EXISTS told (message_id TEXT PRIMARY KEY, usage_point TEXT, at TEXT, answer TEXT);
CREATE TABLE IF NOT EXISTS file (name TEXT PRIMARY KEY, verdict TEXT, reason TEXT, at TEXT);
CREATE TABLE IF NOT EXISTS step (name TEXT PRIMARY KEY, at TEXT);
"""


class MdmsBooks:
    """The books, open for writing."""

    def __init__(self, path: Path) -> None:
        """Open the books, or begin them."""
        self.db = sqlite3.connect(path, timeout=30, check_same_thread=False)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=NORMAL")
        self.db.executescript(_SCHEMA)

    def done(self, name: str) -> bool:
        """Return whether a scripted step was taken."""
        return self.db.execute("SELECT 1 FROM step WHERE name = ?", (name,)).fetchone() is not None

    def mark(self, name: str, at: datetime) -> None:
        """Remember that a scripted step was taken."""
        with self.db:
            self.db.execute("INSERT OR IGNORE INTO step VALUES (?, ?)", (name, at.isoformat()))

    def asked(self, rows: Iterable[tuple[str, str, str, str, int, str]]) -> None:
        """Write down questions with the result that each got (`OK` or an error code)."""
        with self.db:
            self.db.executemany("INSERT INTO asked VALUES (?,?,?,?,?,?)", rows)

    def billed(self, rows: Iterable[tuple[str, int, str, str, str, str]]) -> int:
        """Write down billed notices, each once; return how many were new."""
        before = self.db.total_changes
        with self.db:
            self.db.executemany("INSERT OR IGNORE INTO billed VALUES (?,?,?,?,?,?)", rows)
        return self.db.total_changes - before

    def estimated(self, row: tuple[str, str, int, int, int, int, str]) -> None:
        """Write down an estimate, once a usage point: (usage point, period end, on, mid, off, export, at)."""
        with self.db:
            self.db.execute("INSERT OR IGNORE INTO estimate VALUES (?,?,?,?,?,?,?)", row)

    def file(self, name: str, verdict: str, reason: str, at: datetime) -> None:
        """Write down a file that was put on offer, and what the hub said of it."""
        with self.db:
            self.db.execute("INSERT OR REPLACE INTO file VALUES (?,?,?,?)", (name, verdict, reason, at.isoformat()))
