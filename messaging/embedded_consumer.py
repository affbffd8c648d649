"""Consuming from the embedded queue: letters are held, held on to while the work goes on, and deleted when done."""

import logging
import os
import secrets
import sqlite3
from collections.abc import Sequence
from threading import Event

from canonical.codes import messaging as codes
from canonical.errors import UnavailableError
from messaging.embedded_file import NOW, letter_from_text, mishaps, open_file, writing
from messaging.letters import Arrival, Handle, Refuse
from messaging.settings import Messaging
from messaging.work import Verdict, Workers, judge

log = logging.getLogger(__name__)

LOOK_S = 0.1
"""Seconds between two looks into a file that holds nothing to do."""

STOPPING_S = 60.0
"""Seconds for what is under way to end when asked to stop; what takes longer is handed out again."""


def consume(messaging: Messaging, keys: Sequence[str], handle: Handle, *, refuse: Refuse, stop: Event) -> None:
    """Hand letters out until `stop` is set; see `messaging.port.Queues.consume`.

    Raises:
        MisconfiguredError: the file cannot be used, or the site has no such queue.
    """
    for key in keys:
        messaging.topology.find(key)
    ended = Event()
    workers: Workers[int] = Workers(
        messaging.workers, lambda one: judge(one, handle, refuse, messaging.topology), wake=ended.set
    )
    connection = open_file(messaging.file)
    reader = _Reader(messaging, keys, connection, workers)
    try:
        while not stop.is_set():
            try:
                with mishaps(messaging.file):
                    found = reader.look()
            except UnavailableError as error:
                log.warning("the queue's file is not to be had, it is tried again: %s", error)
                found = 0
            if not found:
                ended.wait(LOOK_S)
            ended.clear()
        workers.discard()
        workers.await_idle(STOPPING_S)
        with mishaps(messaging.file):
            reader.settle()
            reader.give_back()
    finally:
        workers.stop()
        connection.close()


class _Reader:
    """One consumer of the file, known by its token."""

    def __init__(
        self, messaging: Messaging, keys: Sequence[str], connection: sqlite3.Connection, workers: Workers[int]
    ) -> None:
        self._messaging, self._keys = messaging, list(keys)
        self._connection, self._workers = connection, workers
        self._token = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._renewed_at = 0.0
        self._held = 0
        """Letters of this consumer that are not settled: what is done and not recorded would be done again."""

    def look(self) -> int:
        """Record what has ended, keep what goes on, and take what is next; return how much of all that there was."""
        settled = self.settle()
        self._renew()
        return settled + self._take()

    def settle(self) -> int:
        """Record what has ended, all in one transaction."""
        ended = self._workers.ended()
        if ended:
            with writing(self._connection) as connection:
                done = [(number, self._token) for number, verdict in ended if verdict.action == "done"]
                connection.executemany("DELETE FROM letter WHERE number = ? AND holder = ?", done)
                for number, verdict in ended:
                    if verdict.action != "done":
                        self._put_back(connection, number, verdict)
            self._held -= len(ended)
        return len(ended)

    def give_back(self) -> None:
        """Let others have what was not begun; it does not count as having come back."""
        with writing(self._connection) as connection:
            connection.execute("UPDATE letter SET holder = '' WHERE holder = ?", (self._token,))

    def _put_back(self, connection: sqlite3.Connection, number: int, verdict: Verdict) -> None:
        later = self._messaging.topology.retry_s
        changes = {
            "later": f"due_at = {NOW} + {later}, retries = retries + 1",
            "again": f"due_at = {NOW} + {later}, returns = returns + 1",
            "park": "parked = 1",
        }[verdict.action]
        connection.execute(
            f"UPDATE letter SET holder = '', code = ?, reason = ?, {changes} WHERE number = ? AND holder = ?",  # noqa: S608
            (verdict.code, verdict.reason[:500], number, self._token),
        )

    def _renew(self) -> None:
        """Say that this consumer is alive, however long the work takes."""
        (instant,) = self._connection.execute(f"SELECT {NOW}").fetchone()
        if instant - self._renewed_at < self._messaging.lease_s / 3:
            return
        self._renewed_at = instant
        with writing(self._connection) as connection:
            connection.execute(
                f"UPDATE letter SET held_until = {NOW} + ? WHERE holder = ?",  # noqa: S608
                (self._messaging.lease_s, self._token),
            )

    def _take(self) -> int:
        """Hold the next letters and hand them to the workers: up to prefetch, but one alone whose reader died.

        Such a letter has no code: nobody was left to say one. It may be what ended the process.
        """
        room = self._messaging.prefetch - self._held
        if room <= 0 or not self._anything():
            return 0
        marks = ",".join("?" * len(self._keys))
        waiting = f"key IN ({marks}) AND parked = 0 AND holder = '' AND due_at <= {NOW}"
        columns = "number, key, returns, retries, properties, body"
        order = f"SELECT {columns} FROM letter WHERE {waiting}{{}} ORDER BY rank, number LIMIT ?"  # noqa: S608
        with writing(self._connection) as connection:
            self._tidy(connection)
            rows = connection.execute(order.format(" AND returns > 0 AND code = ''"), (*self._keys, 1)).fetchall()
            if rows and self._held:
                return 0
            if not rows:
                rows = connection.execute(order.format(""), (*self._keys, room)).fetchall()
            connection.executemany(
                f"UPDATE letter SET holder = ?, held_until = {NOW} + ? WHERE number = ?",  # noqa: S608
                [(self._token, self._messaging.lease_s, row[0]) for row in rows],
            )
        self._held += len(rows)
        for number, key, returns, retries, text, body in rows:
            self._workers.give(number, Arrival(letter_from_text(text, body), key, returns, retries))
        return len(rows)

    def _anything(self) -> bool:
        """Return whether a look with the write lock is worth it."""
        marks = ",".join("?" * len(self._keys))
        row = self._connection.execute(
            f"SELECT EXISTS (SELECT 1 FROM letter WHERE key IN ({marks}) AND parked = 0"  # noqa: S608
            f" AND due_at <= {NOW} AND (holder = '' OR held_until < {NOW}))"
            f" OR EXISTS (SELECT 1 FROM letter WHERE parked = 0 AND useful_until < {NOW})",
            self._keys,
        ).fetchone()
        return bool(row[0])

    def _tidy(self, connection: sqlite3.Connection) -> None:
        """Take letters from consumers that are dead, and park what is of no use any more."""
        connection.execute(
            "UPDATE letter SET holder = '', code = '', reason = '', returns = returns + 1"  # noqa: S608
            f" WHERE holder <> '' AND held_until < {NOW}"
        )
        connection.execute(
            f"UPDATE letter SET parked = 1, code = ?, reason = '' WHERE parked = 0 AND holder = ''"  # noqa: S608
            f" AND useful_until < {NOW}",
            (str(codes.LETTER_EXPIRED),),
        )
