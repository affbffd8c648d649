"""Consuming: one thread does all input and output, others work; what has ended is acknowledged in runs.

careful    After a start or a crash each queue is read one letter at a time, until one comes that was never handed
out before. So only the letter that ends a process is counted again with each crash, not its neighbors.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Event
from typing import Any

import pika
from pika import exceptions

from canonical.errors import UnavailableError
from messaging.ack_window import AckWindow
from messaging.connection import FAILURES, confirming, parameters, place, understood
from messaging.letters import PRIORITIES, Arrival, Handle, Priority, Refuse
from messaging.properties import CODE, OWN_RETURNS, REASON, RETRIES, RETURNS, count, letter_of
from messaging.settings import Messaging
from messaging.topology import QueueSet
from messaging.work import Verdict, Workers, judge

log = logging.getLogger(__name__)

LOOK_S = 0.2
"""Seconds between two looks at the stop sign when nothing comes."""

AWAY_S = (0.5, 10.0)
"""First and longest wait before another try to connect."""

STOPPING_S = 60.0
"""Seconds for what is under way to end when asked to stop; what takes longer is handed out again."""


@dataclass(slots=True)
class _Taken:
    """One letter under way, as the broker gave it."""

    of: "_Subscription"
    tag: int
    properties: pika.BasicProperties
    body: bytes
    returns: int
    """How often it came back unfinished."""

    fresh: bool
    """Whether its queue never handed it out before."""


class _Subscription:
    """One queue being read: its channel, and what of it is not acknowledged."""

    def __init__(self, own: QueueSet, priority: Priority) -> None:
        self.own, self.priority = own, priority
        self.window = AckWindow()
        self.channel: Any = None
        self.consumer = ""
        self.careful = True

    @property
    def queue(self) -> str:
        return self.own.queue(self.priority)


def consume(messaging: Messaging, keys: Sequence[str], handle: Handle, *, refuse: Refuse, stop: Event) -> None:
    """Hand letters out until `stop` is set; see `messaging.port.Queues.consume`.

    Raises:
        MisconfiguredError: the broker refuses us, or a queue is not there.
    """
    sets = [messaging.topology.find(key) for key in keys]
    workers: Workers[_Taken] = Workers(messaging.workers, lambda one: judge(one, handle, refuse, messaging.topology))
    wait_s = AWAY_S[0]
    try:
        while not stop.is_set():
            session = _Session(messaging, sets, workers)
            try:
                session.run(stop)
            except FAILURES as error:
                found = understood(error, where=place(messaging))
                if not isinstance(found, UnavailableError):
                    raise found from error
                wait_s = AWAY_S[0] if session.served else min(AWAY_S[1], wait_s * 2)
                log.warning("the broker is away, the next try is in %g s: %s", wait_s, found)
                stop.wait(wait_s)
            finally:
                session.abandon()
    finally:
        workers.stop()


class _Session:
    """One connection from opening to its end."""

    def __init__(self, messaging: Messaging, sets: Sequence[QueueSet], workers: "Workers[_Taken]") -> None:
        self._messaging, self._workers = messaging, workers
        self._subscriptions = [_Subscription(own, priority) for own in sets for priority in PRIORITIES]
        self._connection: Any = None
        self._out: Any = None
        self._lost = ""
        self.served = False
        """Whether anything came."""

    def run(self, stop: Event) -> None:
        """Read until asked to stop, then end what is under way."""
        connection = self._connection = pika.BlockingConnection(parameters(self._messaging))
        self._out = confirming(connection)
        self._workers.wake = _waker(connection)
        for one in self._subscriptions:
            self._subscribe(one, prefetch=1)
        while not stop.is_set():
            connection.process_data_events(time_limit=LOOK_S)
            self._settle()
            if self._lost:
                raise exceptions.ConsumerCancelled(self._lost)
        for one in self._subscriptions:
            one.channel.basic_cancel(one.consumer)
        self._finish(connection)

    def abandon(self) -> None:
        """Close; of what is under way the begun is ended first, so that nothing is worked on twice at once."""
        self._workers.discard()
        self._workers.await_idle(STOPPING_S)
        self._workers.ended()
        if self._connection is not None and self._connection.is_open:
            with suppress(*FAILURES):
                self._connection.close()

    def _subscribe(self, one: _Subscription, *, prefetch: int) -> None:
        """Read a queue on a channel of its own; `multiple` counts within a channel."""
        one.channel = self._connection.channel()
        one.window = AckWindow()
        one.channel.basic_qos(prefetch_count=prefetch)
        one.channel.add_on_cancel_callback(lambda _frame: setattr(self, "_lost", one.queue))

        def arrived(_channel: Any, method: Any, properties: pika.BasicProperties, body: bytes) -> None:
            self._take(one, method, properties, body)

        one.consumer = one.channel.basic_consume(one.queue, arrived)

    def _take(self, one: _Subscription, method: Any, properties: pika.BasicProperties, body: bytes) -> None:
        """Hand one letter to the workers."""
        self.served = True
        handed_out = count(properties, RETURNS)
        returns = handed_out + count(properties, OWN_RETURNS)
        fresh = not handed_out and not method.redelivered
        one.window.begin(method.delivery_tag)
        letter = letter_of(body, properties, priority=one.priority)
        arrival = Arrival(letter, one.own.key, returns, count(properties, RETRIES))
        self._workers.give(_Taken(one, method.delivery_tag, properties, body, returns, fresh), arrival)

    def _settle(self) -> None:
        """Tell the broker what has ended; a queue that gave a fresh letter is read with the whole prefetch from now."""
        ended = self._workers.ended()
        fresh = {id(taken.of): taken.of for taken, _ in ended if taken.fresh and taken.of.careful}
        for one in fresh.values():
            one.channel.basic_cancel(one.consumer)
        for taken, verdict in ended:
            self._end(taken, verdict)
        for one in {id(taken.of): taken.of for taken, _ in ended}.values():
            for tag, multiple in one.window.take():
                one.channel.basic_ack(tag, multiple=multiple)
        for one in fresh.values():
            one.careful = False
            one.channel.close()
            self._subscribe(one, prefetch=self._messaging.prefetch)

    def _end(self, taken: _Taken, verdict: Verdict) -> None:
        """Do with one letter what its verdict says; it leaves its queue only when its next place has confirmed it."""
        own = taken.of.own
        if verdict.action == "later":
            retries = count(taken.properties, RETRIES) + 1
            self._move(taken, own.retry, {RETRIES: retries, OWN_RETURNS: taken.returns})
        elif verdict.action == "again":
            self._move(taken, own.retry, {OWN_RETURNS: taken.returns + 1})
        elif verdict.action == "park":
            self._move(taken, own.park, {CODE: verdict.code, REASON: verdict.reason[:500]})
        taken.of.window.end(taken.tag)

    def _move(self, taken: _Taken, exchange: str, changes: dict[str, Any]) -> None:
        """Publish a letter to another exchange, under its own routing key, and wait for the confirm."""
        headers = {key: value for key, value in (taken.properties.headers or {}).items() if not key.startswith("x-")}
        taken.properties.headers, taken.properties.expiration = headers | changes, None
        self._out.basic_publish(exchange, taken.of.priority, taken.body, taken.properties, mandatory=True)

    def _finish(self, connection: pika.BlockingConnection) -> None:
        """End what is under way, with heartbeats kept."""
        for _ in range(int(STOPPING_S / LOOK_S)):
            if not self._workers.under_way:
                break
            connection.process_data_events(time_limit=LOOK_S)
        self._settle()


def _waker(connection: pika.BlockingConnection) -> Callable[[], None]:
    """Return what makes the reading thread look for ended work at once; called often, it wakes once."""
    woken = Event()

    def wake() -> None:
        if not woken.is_set():
            woken.set()
            with suppress(*FAILURES):
                connection.add_callback_threadsafe(woken.clear)

    return wake
