"""The queues of a site in a durable file of their own: for one machine, without a broker; any number of processes."""

import sqlite3
import threading
from collections.abc import Sequence
from threading import Event

from canonical.codes import messaging as codes
from canonical.messages import Outcome
from messaging import embedded_consumer
from messaging.embedded_file import NOW, letter_from_text, mishaps, open_file, properties_to_text, writing
from messaging.letters import PRIORITIES, Depth, Handle, Letter, Parked, Refuse
from messaging.settings import Messaging
from messaging.topology import QueueSet

_CONFIRMED = Outcome("confirmed")
_FULL = Outcome("unavailable", str(codes.QUEUE_FULL), "the queue is full")

_INSERT = f"""INSERT INTO letter (key, rank, stored_at, due_at, useful_until, properties, body)
    VALUES (?, ?, {NOW}, 0, CASE WHEN ? IS NULL THEN NULL ELSE {NOW} + ? END, ?, ?)"""  # noqa: S608


class EmbeddedQueues:
    """Queues in a SQLite file (messaging.port.Queues)."""

    def __init__(self, messaging: Messaging) -> None:
        """Keep the settings; the file is opened when it is first used."""
        self._messaging = messaging
        self._connection: sqlite3.Connection | None = None
        self._one = threading.Lock()

    def declare(self) -> Sequence[str]:
        """Make the file and its tables; see `messaging.port.Queues.declare`."""
        with self._one:
            self._open()
        return [name for own in self._messaging.topology.sets for name in _names(own)]

    def publish(self, key: str, letters: Sequence[Letter], *, timeout_s: float) -> Sequence[Outcome]:
        """Put letters into their queues in one transaction: all that fit are durable when this returns."""
        own = self._messaging.topology.find(key)
        with self._one, mishaps(self._messaging.file), writing(self._open()) as connection:
            room = {rank: own.longest - _count(connection, key, rank) for rank in range(len(PRIORITIES))}
            rows, outcomes = [], []
            for letter in letters:
                rank = PRIORITIES.index(letter.priority)
                room[rank] -= 1
                outcomes.append(_CONFIRMED if room[rank] >= 0 else _FULL)
                if room[rank] >= 0:
                    useful = _useful_s(letter, own)
                    rows.append((key, rank, useful, useful, properties_to_text(letter), letter.body))
            connection.executemany(_INSERT, rows)
        return outcomes

    def consume(self, keys: Sequence[str], handle: Handle, *, refuse: Refuse, stop: Event) -> None:
        """Hand letters out until `stop` is set; see `messaging.embedded_consumer.consume`."""
        embedded_consumer.consume(self._messaging, keys, handle, refuse=refuse, stop=stop)

    def depths(self) -> Sequence[Depth]:
        """Return how full every queue is, and how old its oldest letter."""
        found = []
        with self._one, mishaps(self._messaging.file):
            connection = self._open()
            for own in self._messaging.topology.sets:
                for rank, name in enumerate(_names(own)[:2]):
                    found.append(_depth(connection, name, own.key, f"rank = {rank} AND parked = 0 AND due_at <= {NOW}"))
                found.append(_depth(connection, own.retry, own.key, f"parked = 0 AND due_at > {NOW}"))
                found.append(_depth(connection, own.park, own.key, "parked = 1"))
        return found

    def parked(self, key: str, *, limit: int) -> Sequence[Parked]:
        """Return the oldest parked letters without changing anything."""
        self._messaging.topology.find(key)
        with self._one, mishaps(self._messaging.file):
            rows = self._open().execute(
                "SELECT properties, body, code, reason FROM letter WHERE key = ? AND parked = 1"
                " ORDER BY number LIMIT ?",
                (key, limit),
            )
            return [Parked(letter_from_text(text, body), code, reason) for text, body, code, reason in rows]

    def drain(self, key: str, *, limit: int) -> int:
        """Move the oldest parked letters back to the queues from which they came; return their number."""
        self._messaging.topology.find(key)
        with self._one, mishaps(self._messaging.file), writing(self._open()) as connection:
            return connection.execute(
                "UPDATE letter SET parked = 0, due_at = 0, useful_until = NULL, returns = 0, retries = 0, code = '',"
                " reason = '' WHERE number IN"
                " (SELECT number FROM letter WHERE key = ? AND parked = 1 ORDER BY number LIMIT ?)",
                (key, limit),
            ).rowcount

    def close(self) -> None:
        """Close the file."""
        with self._one:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = open_file(self._messaging.file)
        return self._connection


def _names(own: QueueSet) -> list[str]:
    return [*(own.queue(priority) for priority in PRIORITIES), own.retry, own.park]


def _useful_s(letter: Letter, own: QueueSet) -> float | None:
    """Return how long a letter is kept: its own span or its queue's, whichever is shorter; None: for ever."""
    own_ms, queue_s = letter.useful_ms, own.useful_s.get(letter.priority, 0)
    spans = [own_ms / 1000] if own_ms is not None else []
    return min([*spans, float(queue_s)] if queue_s else spans, default=None)


def _count(connection: sqlite3.Connection, key: str, rank: int) -> int:
    """Return how many letters lie in a queue."""
    row = connection.execute(
        "SELECT count(*) FROM letter WHERE key = ? AND parked = 0 AND rank = ?", (key, rank)
    ).fetchone()
    return int(row[0])


def _depth(connection: sqlite3.Connection, name: str, key: str, where: str) -> Depth:
    """Return how full a queue is; letters that a consumer works on count, as at a broker they do not."""
    count, oldest = connection.execute(
        f"SELECT count(*), {NOW} - min(stored_at) FROM letter WHERE key = ? AND holder = '' AND {where}",  # noqa: S608
        (key,),
    ).fetchone()
    return Depth(name, count, None, None if oldest is None else max(0.0, oldest))
