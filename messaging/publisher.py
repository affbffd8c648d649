"""Publishing with confirms: many letters ahead, each with its own outcome; a thread keeps the connection alive."""

import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pika
from pika import exceptions

from canonical.codes import messaging as codes
from canonical.errors import HubError, MisconfiguredError, UnavailableError
from canonical.messages import Outcome
from messaging.connection import FAILURES, parameters, place, understood
from messaging.letter_frames import letter_frames
from messaging.letters import Letter
from messaging.settings import Messaging

CONFIRMED = Outcome("confirmed")
"""The broker holds it durably, in as many copies as its queue has."""

CLOSING_S = 5.0
"""Seconds for a connection to close in order."""

TOGETHER = 64
"""Letters in one write to the connection."""

_RETURNED = Outcome("rejected", str(codes.UNROUTABLE), "no queue is bound for it")
_NACKED = Outcome("unavailable", str(codes.QUEUE_FULL), "the broker refused it")


class _Batch:
    """Letters of one call on their way; touched only in the connection's thread, until it is done.

    The broker counts what is published on a channel: the letters of a batch have the numbers from `first` on.
    """

    def __init__(self, exchange: str, letters: Sequence[Letter], window: int) -> None:
        self.exchange, self.letters, self.window = exchange, letters, window
        self.outcomes: list[Outcome | None] = [None] * len(letters)
        self.first = 0
        self.published = self.settled = 0
        self._oldest = 0
        self.returned: Counter[str] = Counter()
        self.error: HubError | None = None
        self.done = threading.Event()

    def fail(self, error: HubError | None) -> None:
        """End the batch: what has no outcome is uncertain."""
        self.error = error
        self.done.set()

    def next_letters(self) -> Sequence[Letter]:
        """Return the letters that shall be published now: many at once, or none while half the window is under way."""
        under_way = self.published - self.settled
        if under_way > self.window // 2:
            return ()
        found = self.letters[self.published : self.published + self.window - under_way]
        self.published += len(found)
        return found

    def settle(self, tag: int, outcome: Outcome, *, multiple: bool) -> None:
        """Note the confirm of one letter, or of all up to it."""
        index = tag - self.first
        if multiple:
            for each in range(self._oldest, index + 1):
                self._settle(each, outcome)
            self._oldest = max(self._oldest, index + 1)
        else:
            self._settle(index, outcome)

    def _settle(self, index: int, outcome: Outcome) -> None:
        """Note the confirm of one letter; one that was returned before is not there, whatever the confirm says."""
        if not 0 <= index < self.published or self.outcomes[index] is not None:
            return
        self.settled += 1
        if self.returned:
            message_id = self.letters[index].message_id
            if self.returned[message_id]:
                self.returned[message_id] -= 1
                outcome = _RETURNED
        self.outcomes[index] = outcome


class _Line:
    """One connection with one channel in confirm mode, run by one thread until it breaks or is closed."""

    def __init__(self, given: pika.URLParameters, where: str) -> None:
        self._given, self._where = given, where
        self.opened = threading.Event()
        self.error: HubError | None = None
        self._channel: Any = None
        self._tag = 0
        self._batch: _Batch | None = None
        self._connection: Any = None
        self._gate = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="letters-out", daemon=True)

    def start(self) -> None:
        """Begin to connect; `opened` is set when letters can go, or `error` says why not."""
        self._thread.start()

    @property
    def usable(self) -> bool:
        """Return whether letters can go."""
        return self.opened.is_set() and self.error is None

    def send(self, batch: _Batch) -> None:
        """Have a batch published; its `done` is set when every letter has an outcome, or the line broke."""
        with self._gate:
            if self.error is None:
                self._batch = batch
                self._connection.ioloop.add_callback_threadsafe(self._start)
                return
        batch.fail(self.error)

    def close(self) -> None:
        """End connection and thread."""
        with self._gate:
            if self.error is None and self._connection is not None:
                self._connection.ioloop.add_callback_threadsafe(lambda: self._break("closed"))
        self._thread.join(timeout=CLOSING_S)

    def _run(self) -> None:
        error: Exception | str = "the connection ended"
        try:
            self._connection = pika.SelectConnection(
                self._given,
                on_open_callback=lambda connection: connection.channel(on_open_callback=self._on_channel),
                on_open_error_callback=lambda _connection, error: self._end(error),
                on_close_callback=lambda _connection, error: self._end(error),
            )
            self._connection.ioloop.start()
        except FAILURES as failure:
            error = failure
        finally:
            self._fail(error)
            if self._connection is not None:
                self._connection.ioloop.close()

    def _on_channel(self, channel: Any) -> None:
        self._channel = channel
        channel.add_on_close_callback(lambda _channel, error: self._break(error))
        channel.add_on_return_callback(self._on_return)
        channel.confirm_delivery(self._on_confirm, callback=lambda _frame: self.opened.set())

    def _fail(self, error: Exception | str) -> None:
        """Note why the line is of no use: letters without confirm are uncertain, whoever sent them sends them again."""
        with self._gate:
            if self.error is None:
                cause = error if isinstance(error, Exception) else exceptions.AMQPConnectionError(error)
                self.error = understood(cause, where=self._where)
            batch, self._batch = self._batch, None
        if batch is not None:
            batch.fail(self.error)
        self.opened.set()

    def _break(self, error: Exception | str) -> None:
        """Give the line up: close the connection, whose end ends the thread."""
        self._fail(error)
        if self._connection.is_open:
            self._connection.close()
        elif self._connection.is_closed:
            self._connection.ioloop.stop()

    def _end(self, error: Exception | str) -> None:
        self._fail(error)
        self._connection.ioloop.stop()

    def _start(self) -> None:
        """Begin with the batch that was handed over."""
        if self._batch is not None:
            self._batch.first = self._tag + 1
            self._tag += len(self._batch.letters)
            self._pump()

    def _pump(self) -> None:
        """Publish as far as the window allows; many letters in one write, where pika makes one of each frame."""
        batch = self._batch
        if batch is None or not self._channel.is_open:
            return
        letters = batch.next_letters()
        number, largest = self._channel.channel_number, self._connection.params.frame_max
        for at in range(0, len(letters), TOGETHER):
            frames = (
                letter_frames(number, batch.exchange, letter, largest=largest) for letter in letters[at : at + TOGETHER]
            )
            self._connection._output_marshaled_frames([b"".join(frames)])  # pika has no open way for ready frames

    def _on_return(self, _channel: Any, _method: Any, properties: pika.BasicProperties, _body: bytes) -> None:
        if self._batch is not None:
            self._batch.returned[properties.message_id or ""] += 1

    def _on_confirm(self, frame: Any) -> None:
        batch, method = self._batch, frame.method
        if batch is None:
            return
        outcome = CONFIRMED if isinstance(method, pika.spec.Basic.Ack) else _NACKED
        batch.settle(method.delivery_tag, outcome, multiple=method.multiple)
        if batch.settled < len(batch.letters):
            self._pump()
            return
        self._batch = None
        batch.done.set()


class Publisher:
    """Publishes letters of one site; reconnects by itself. Calls of several threads go one after the other."""

    def __init__(self, messaging: Messaging) -> None:
        """Keep the settings; nothing is connected before it is used."""
        self._messaging = messaging
        self._line: _Line | None = None
        self._one = threading.Lock()

    def publish(self, exchange: str, letters: Sequence[Letter], *, timeout_s: float) -> Sequence[Outcome]:
        """Publish letters in order, mandatory and persistent; return one outcome for each.

        `unavailable` means that the broker may have it all the same: publish it again, its id makes it known.

        Raises:
            MisconfiguredError: the broker refuses us, or the exchange is not there.
        """
        if not letters:
            return []
        with self._one:
            batch = _Batch(exchange, letters, self._messaging.window)
            try:
                line = self._open(timeout_s)
            except UnavailableError as error:
                return [Outcome("unavailable", str(error.code), error.reason)] * len(letters)
            line.send(batch)
            if not batch.done.wait(timeout_s):
                self._forget()
            if isinstance(batch.error, MisconfiguredError):
                raise batch.error
            lost = batch.error or UnavailableError("no confirm in time", code=codes.BROKER_AWAY)
            uncertain = Outcome("unavailable", str(lost.code), lost.reason)
            return [outcome or uncertain for outcome in batch.outcomes]

    def close(self) -> None:
        """Give the connection back."""
        with self._one:
            self._forget()

    def _open(self, timeout_s: float) -> _Line:
        """Return a line that works, a new one where the last broke.

        Raises:
            UnavailableError: none in time.
            MisconfiguredError: the broker refuses us.
        """
        if self._line is not None and self._line.usable:
            return self._line
        self._forget()
        line = self._line = _Line(parameters(self._messaging), place(self._messaging))
        line.start()
        if not line.opened.wait(timeout_s):
            raise UnavailableError("no connection in time", code=codes.BROKER_AWAY, where=place(self._messaging))
        if line.error is not None:
            raise line.error
        return line

    def _forget(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None
