"""Queues of one partner for tests, in a file or at a private broker, and a consumer that runs beside the test."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from canonical.errors import RejectedError
from messaging.letters import Arrival, Handle, Letter, Priority
from messaging.port import Queues, open_queues
from messaging.settings import Messaging
from messaging.topology import QueueSet, Topology

_NUMBERS = itertools.count(1)


def settings(
    tmp_path: Path, url: str = "", *, useful: dict[Priority, int] | None = None, **changes: object
) -> Messaging:
    """Return settings with queues of their own, `in` and `out`, quick to retry."""
    partner = f"p{next(_NUMBERS)}"
    sets = tuple(QueueSet(partner, direction, useful or {}) for direction in ("in", "out"))
    found = Messaging(Topology(sets, retry_s=1, retries=2, delivery_limit=3), url, tmp_path / "queues.db", lease_s=1.5)
    return replace(found, **changes)  # type: ignore[arg-type]


@contextmanager
def opened(messaging: Messaging) -> Iterator[Queues]:
    """Yield declared queues, closed afterwards."""
    queues = open_queues(messaging)
    try:
        queues.declare()
        yield queues
    finally:
        queues.close()


def letters(count: int, *, priority: Priority = "normal", start: int = 0) -> list[Letter]:
    """Return letters that differ in id and body."""
    return [
        Letter(f"<n>{n}</n>".encode(), f"id-{n}", source="s", priority=priority) for n in range(start, start + count)
    ]


class Seen:
    """Keeps what a consumer was given and was told."""

    def __init__(self, work: Handle = lambda _arrival: None) -> None:
        self.work = work
        self.begun: list[Arrival] = []
        self.done: list[Arrival] = []
        self.refused: list[tuple[str, str]] = []

    def handle(self, arrival: Arrival) -> None:
        self.begun.append(arrival)
        self.work(arrival)
        self.done.append(arrival)

    def refuse(self, arrival: Arrival, error: RejectedError) -> None:
        self.refused.append((arrival.letter.message_id, error.code.name))

    @property
    def ids(self) -> list[str]:
        return [arrival.letter.message_id for arrival in self.done]


@contextmanager
def consuming(messaging: Messaging, seen: Seen, key: str = "") -> Iterator[threading.Event]:
    """Run a consumer until the end of the block, and fail with it."""
    stop, queues = threading.Event(), open_queues(messaging)
    own = key or messaging.topology.sets[0].key
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(queues.consume, [own], seen.handle, refuse=seen.refuse, stop=stop)
        try:
            yield stop
        finally:
            stop.set()
            running.result(timeout=60)
            queues.close()


def until(true: Callable[[], bool], *, seconds: float = 20.0) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)
