"""Work on letters, apart from all input and output: threads that handle, and what became of each letter."""

import itertools
import logging
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, PriorityQueue
from typing import Generic, Literal, TypeVar
from zlib import crc32

from canonical.codes import messaging as codes
from canonical.errors import MisconfiguredError, RejectedError, UnavailableError
from messaging.letters import PRIORITIES, Arrival, Handle, Refuse
from messaging.topology import Topology

log = logging.getLogger(__name__)

Ticket = TypeVar("Ticket")


_Given = tuple[int, int, tuple[Ticket, Arrival] | None]
"""Rank, number, and what is to be worked on; None ends the thread."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a letter."""

    action: Literal["done", "later", "again", "park"]
    """later: put off for a while. again: the same, and counted as a delivery that came to no end."""

    code: str = ""
    reason: str = ""


DONE = Verdict("done")
AGAIN = Verdict("again", str(codes.WORK_UNFINISHED))


def judge(arrival: Arrival, handle: Handle, refuse: Refuse, topology: Topology) -> Verdict:
    """Work on one letter and return what becomes of it; no failure of the work leaves this function.

    A letter that came back unfinished too often is not worked on again: it may be what ends the process. One that met a
    defect waits like one that is put off, so that a thousand of them hold nobody else up.
    """
    if arrival.returns >= topology.delivery_limit:
        reason = f"came back {arrival.returns} times"
        return _refused(arrival, refuse, RejectedError(reason, code=codes.DELIVERED_TOO_OFTEN, where=arrival.queues))
    try:
        handle(arrival)
    except RejectedError as error:
        return _refused(arrival, refuse, error)
    except (UnavailableError, MisconfiguredError) as error:
        log.warning("%s from %s is put off: %s", arrival.letter.message_id, arrival.queues, error)
        if arrival.retries < topology.retries:
            return Verdict("later", str(error.code), error.reason)
        reason = f"after {arrival.retries} retries: {error.reason}"
        return _refused(arrival, refuse, RejectedError(reason, code=codes.RETRIES_EXHAUSTED, where=arrival.queues))
    # Whatever else a letter does to the work is a defect of ours that this letter shows: it would end the thread, and
    # every other partner's letters would stand behind it. It is counted, told with its trace, and parked at the limit.
    except Exception:
        log.exception("%s from %s came to no end", arrival.letter.message_id, arrival.queues)
        return AGAIN
    return DONE


def _refused(arrival: Arrival, refuse: Refuse, error: RejectedError) -> Verdict:
    """Tell of a letter that will be parked; while that cannot be told, it is put off instead."""
    try:
        refuse(arrival, error)
    except (UnavailableError, MisconfiguredError) as away:
        log.warning("%s from %s cannot be parked yet: %s", arrival.letter.message_id, arrival.queues, away)
        return Verdict("later", str(away.code), away.reason)
    # The letter is at its limit: if telling of it meets a defect too, only its park queue is left, which `amihub
    # messaging status` shows and the watch of the queues makes work of. To raise here would hand it out for ever.
    except Exception:
        log.exception("%s from %s: telling why it is parked failed", arrival.letter.message_id, arrival.queues)
    return Verdict("park", str(error.code), error.reason)


class Workers(Generic[Ticket]):
    """Threads that work, high before normal; letters of one lane and priority stay with one thread, in order."""

    def __init__(
        self, count: int, work: Callable[[Arrival], Verdict], *, wake: Callable[[], None] = lambda: None
    ) -> None:
        """Start `count` threads; `wake` is called from them whenever something has ended."""
        self._work = work
        self.wake = wake
        self._ended: deque[tuple[Ticket, Verdict]] = deque()
        self._given: list[PriorityQueue[_Given[Ticket]]] = [PriorityQueue() for _ in range(count)]
        self._numbers = itertools.count()
        self._idle = threading.Condition()
        self._under_way = 0
        self._threads = [
            threading.Thread(target=self._run, args=(queue,), name=f"letters-{n}", daemon=True)
            for n, queue in enumerate(self._given)
        ]
        for thread in self._threads:
            thread.start()

    def give(self, ticket: Ticket, arrival: Arrival) -> None:
        """Have a letter worked on; `ticket` comes back with its verdict."""
        with self._idle:
            self._under_way += 1
        lane = arrival.letter.lane or arrival.queues
        rank = PRIORITIES.index(arrival.letter.priority)
        self._given[crc32(lane.encode()) % len(self._given)].put((rank, next(self._numbers), (ticket, arrival)))

    def ended(self) -> list[tuple[Ticket, Verdict]]:
        """Return what has ended since the last call."""
        found = []
        while self._ended:
            found.append(self._ended.popleft())
        return found

    @property
    def under_way(self) -> int:
        """Return how many letters have been given and not ended."""
        return self._under_way

    def await_idle(self, timeout_s: float) -> bool:
        """Wait until nothing is under way; return whether that is so."""
        with self._idle:
            return self._idle.wait_for(lambda: self._under_way == 0, timeout_s)

    def discard(self) -> None:
        """Forget what was given and not begun: its connection is gone, and it will come again."""
        for queue in self._given:
            with suppress(Empty):
                while True:
                    queue.get_nowait()
                    self._leave()

    def stop(self) -> None:
        """End the threads behind what they were given."""
        for queue in self._given:
            queue.put((len(PRIORITIES), 0, None))
        for thread in self._threads:
            thread.join()

    def _run(self, queue: "PriorityQueue[_Given[Ticket]]") -> None:
        while (taken := queue.get()[2]) is not None:
            ticket, arrival = taken
            self._ended.append((ticket, self._work(arrival)))
            self._leave()
            self.wake()

    def _leave(self) -> None:
        with self._idle:
            self._under_way -= 1
            if not self._under_way:
                self._idle.notify_all()
