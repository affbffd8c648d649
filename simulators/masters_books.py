"""A system's own book of masters: every version that it holds, what it must still tell, what it was told, and answers.

The auditor reads these tables and nothing of the hub.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from simulators.local_days import ZONE, midnight, utc_text
from simulators.masters_city import Sort
from simulators.masters_wire import Version

_SCHEMA = """
CREATE TABLE IF NOT EXISTS held (
  tag TEXT, key TEXT, start TEXT, until TEXT, facts TEXT, own_id TEXT, PRIMARY KEY (tag, key, start));
CREATE TABLE IF NOT EXISTS unsaid (number INTEGER PRIMARY KEY, tag TEXT, key TEXT, withdrawn TEXT DEFAULT '');
CREATE TABLE IF NOT EXISTS file (
  name TEXT PRIMARY KEY, direction TEXT, verdict TEXT DEFAULT '', reason TEXT DEFAULT '', at TEXT);
CREATE TABLE IF NOT EXISTS item (file TEXT, key TEXT, verdict TEXT, code TEXT, reason TEXT, line INTEGER);
CREATE TABLE IF NOT EXISTS step (name TEXT PRIMARY KEY, at TEXT);
CREATE TABLE IF NOT EXISTS series (name TEXT PRIMARY KEY, last INTEGER);
"""


class MastersBook:
    """The book, open for writing."""

    def __init__(self, path: Path, sort: Sort) -> None:
        """Open the book of a kind of system, or begin it."""
        self.sort = sort
        self.db = sqlite3.connect(path, timeout=30, check_same_thread=False)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=NORMAL")
        self.db.executescript(_SCHEMA)

    def begin(self, versions: Iterable[Version]) -> None:
        """Write what the system holds on its first day, in its own words; a book that was begun stays as it is."""
        if self.db.execute("SELECT 1 FROM held LIMIT 1").fetchone():
            return
        with self.db:
            for version in versions:
                mine = self.own_words(version)
                if mine is not None:
                    self._insert(mine)

    def own_words(self, version: Version) -> Version | None:
        """Return a version as this system would keep it, or None when it keeps no such thing."""
        if version.tag not in self.sort.keeps:
            return None
        names = self.sort.keeps[version.tag]
        facts = {name: text for name, text in version.facts.items() if name in names}
        return replace(version, start=self.rounded(version.start), end=self.rounded(version.end), facts=facts)

    def rounded(self, instant: str) -> str:
        """Return an instant as fine as this system's clock is; empty stays empty."""
        if not instant:
            return ""
        moment = datetime.fromisoformat(instant)
        if self.sort.grain_s >= 86_400:
            return utc_text(midnight(moment.astimezone(ZONE).date()))
        return utc_text(moment - timedelta(seconds=int(moment.timestamp()) % self.sort.grain_s))

    def held(self, tag: str = "", key: str = "") -> Iterator[Version]:
        """Yield the versions of everything, or of one thing, oldest first."""
        where, values = ("WHERE tag = ? AND key = ?", (tag, key)) if tag else ("", ())
        query = f"SELECT tag, key, start, until, facts FROM held {where} ORDER BY tag, key, start"  # noqa: S608
        rows = self.db.execute(query, values)
        for tag_, key_, start, end, facts in rows.fetchall():
            yield Version(tag_, key_, start, end, json.loads(facts))

    def put(self, version: Version) -> None:
        """Take a version over whatever is held of the same thing from its start on; what it does not state stays."""
        mine = self.own_words(version)
        if mine is None:
            raise KeyError(f"{self.sort.name} keeps no {version.tag}")
        before = [known for known in self.held(mine.tag, mine.key) if _is_same(known, mine) or known.start < mine.start]
        facts = {**before[-1].facts, **mine.facts} if before else mine.facts
        # Whoever keeps seconds does not give them up for somebody's minute of the same event.
        start = before[-1].start if before and _is_same(before[-1], mine) else mine.start
        with self.db:
            for known in self.held(mine.tag, mine.key):
                if known.start >= start and (not mine.end or known.start < mine.end):
                    self.db.execute(
                        "DELETE FROM held WHERE (tag, key, start) = (?, ?, ?)", (mine.tag, mine.key, known.start)
                    )
                elif known.start < start and (not known.end or known.end > start):
                    self.db.execute(
                        "UPDATE held SET until = ? WHERE (tag, key, start) = (?, ?, ?)",
                        (start, mine.tag, mine.key, known.start),
                    )
            self._insert(replace(mine, start=start, facts=facts))

    def drop(self, tag: str, key: str) -> None:
        """Forget a thing: it never was."""
        with self.db:
            self.db.execute("DELETE FROM held WHERE tag = ? AND key = ?", (tag, key))

    def move(self, tag: str, key: str, start: str) -> None:
        """Let the newest version of a thing begin at another instant."""
        newest = list(self.held(tag, key))[-1]
        with self.db:
            self.db.execute(
                "UPDATE held SET start = ? WHERE (tag, key, start) = (?, ?, ?)",
                (self.rounded(start), tag, key, newest.start),
            )

    def _insert(self, version: Version) -> None:
        own_id = self.sort.own_ids and f"{self.sort.own_ids}-{self.next_number('own id'):07d}"
        self.db.execute(
            "INSERT OR REPLACE INTO held VALUES (?,?,?,?,?,?)",
            (version.tag, version.key, version.start, version.end, json.dumps(dict(version.facts)), own_id),
        )

    def to_say(self, tag: str, key: str, *, withdrawn: str = "") -> None:
        """Remember that the next file of changes must name a thing; `withdrawn`: it never was, said at that instant."""
        with self.db:
            self.db.execute("INSERT INTO unsaid (tag, key, withdrawn) VALUES (?, ?, ?)", (tag, key, withdrawn))

    def unsaid(self) -> list[tuple[str, str, str]]:
        """Return what must still be told, and forget that it must: (record, key, instant of withdrawal or empty)."""
        rows = self.db.execute(
            "SELECT tag, key, max(withdrawn) FROM unsaid GROUP BY tag, key ORDER BY min(number)"
        ).fetchall()
        with self.db:
            self.db.execute("DELETE FROM unsaid")
        return [(str(tag), str(key), str(withdrawn)) for tag, key, withdrawn in rows]

    def next_number(self, name: str) -> int:
        """Return the next number of a series, starting at 1; the caller's transaction keeps it."""
        self.db.execute("INSERT INTO series VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET last = last + 1", (name,))
        return int(self.db.execute("SELECT last FROM series WHERE name = ?", (name,)).fetchone()[0])

    def file(self, name: str, direction: str, verdict: str, reason: str, at: datetime) -> None:
        """Write down a file that came or went, and what was said of it."""
        with self.db:
            self.db.execute(
                "INSERT OR REPLACE INTO file VALUES (?,?,?,?,?)", (name, direction, verdict, reason, utc_text(at))
            )

    def items(self, name: str, items: Iterable[dict[str, object]]) -> None:
        """Write down what was said of the items of a file."""
        rows = [(name, *(item.get(key, "") for key in ("key", "verdict", "code", "reason", "line"))) for item in items]
        with self.db:
            self.db.executemany("INSERT INTO item VALUES (?,?,?,?,?,?)", rows)

    def done(self, name: str) -> bool:
        """Return whether a step was taken."""
        return self.db.execute("SELECT 1 FROM step WHERE name = ?", (name,)).fetchone() is not None

    def mark(self, name: str, at: datetime) -> None:
        """Remember that a step was taken."""
        with self.db:
            self.db.execute("INSERT OR IGNORE INTO step VALUES (?, ?)", (name, utc_text(at)))


def _is_same(known: Version, told: Version) -> bool:
    """Return whether two versions begin with the same event: within a minute of each other."""
    apart = datetime.fromisoformat(known.start) - datetime.fromisoformat(told.start)
    return abs(apart.total_seconds()) < 60
