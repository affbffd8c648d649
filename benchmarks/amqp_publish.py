"""Publishing and taking letters of 1 kB at a private RabbitMQ, quorum queues: ours beside pika by hand.

publish    ours (properties made of each letter, outcome for each, mandatory) beside a publisher written for this
           comparison alone (properties made once, window of 1,000, confirms counted), and beside pika's
           BlockingConnection that waits for each confirm
consume    ours (worker threads, verdicts, runs of acknowledgements) beside pika's acknowledgement of each letter
"""

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from threading import Event
from typing import Any

import pika

from messaging.letters import Arrival, Letter
from messaging.port import Queues, open_queues
from messaging.properties import properties_of
from messaging.settings import Messaging
from messaging.topology import QueueSet, Topology
from servers.rabbitmq import private_rabbitmq

LETTERS, SINGLE, ROUNDS, WINDOW = 10_000, 500, 5, 1000
OWN = QueueSet("bench", "in", {})


def run() -> dict[str, dict[str, float]]:
    """Return medians of same-round ratios, and letters per second of ours."""
    letters = [
        Letter(b"x" * 1000, f"11111111-2222-3333-4444-{n:012}", source="AMIHUB", verb="created", noun="MeterReadings")
        for n in range(LETTERS)
    ]
    with tempfile.TemporaryDirectory() as folder, private_rabbitmq() as server:
        queues = open_queues(Messaging(Topology((OWN,)), server.url, Path(folder) / "unused.db", window=WINDOW))
        queues.declare()
        rounds = [_round(queues, server.url, letters) for _ in range(ROUNDS + 1)][1:]
        queues.close()
    return {
        "publish": {
            "ratio_to_raw": round(median(one["ours"] / one["raw"] for one in rounds), 3),
            "x_confirm_each": round(median(one["ours"] / one["each"] for one in rounds), 1),
            "letters_per_s": round(median(one["ours"] for one in rounds)),
        },
        "consume": {
            "x_ack_each": round(median(one["taken"] / one["taken_each"] for one in rounds), 2),
            "letters_per_s": round(median(one["taken"] for one in rounds)),
        },
    }


def _round(queues: Queues, url: str, letters: Sequence[Letter]) -> dict[str, float]:
    """Return letters per second of each way, the queue emptied in between."""
    found = {"raw": LETTERS / publish_raw(url, letters, OWN.exchange)}
    found["taken_each"] = LETTERS / _timed(lambda: _take_each(url))
    found["ours"] = LETTERS / _timed(lambda: _ours(queues, letters))
    found["taken"] = LETTERS / _timed(lambda: _take(queues))
    found["each"] = SINGLE / _timed(lambda: _each(url, letters[:SINGLE]))
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        connection.channel().queue_purge(OWN.queue("normal"))
    return found


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _ours(queues: Queues, letters: Sequence[Letter]) -> None:
    outcomes = queues.publish(OWN.key, letters, timeout_s=60)
    if {outcome.state for outcome in outcomes} != {"confirmed"}:
        raise AssertionError("not every letter was confirmed")


def _take(queues: Queues) -> None:
    """Take every letter, and be told that the queue is empty."""
    stop, taken = Event(), 0

    def handle(_arrival: Arrival) -> None:
        nonlocal taken
        taken += 1
        if taken == LETTERS:
            stop.set()

    queues.consume([OWN.key], handle, refuse=lambda _arrival, _error: None, stop=stop)


def _take_each(url: str) -> None:
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.basic_qos(prefetch_count=200)
        for number, (method, _properties, _body) in enumerate(channel.consume(OWN.queue("normal")), 1):
            channel.basic_ack(method.delivery_tag)
            if number == LETTERS:
                return


def _each(url: str, letters: Sequence[Letter]) -> None:
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        for letter in letters:
            channel.basic_publish(OWN.exchange, letter.priority, letter.body, properties_of(letter), mandatory=True)


def publish_raw(url: str, letters: Sequence[Letter], exchange: str) -> float:
    """Publish as fast as pika can with a window of confirms, and nothing else; return seconds.

    They count from the first letter to the last confirm: connection and properties are made before.
    """
    properties = [properties_of(letter) for letter in letters]
    state = {"sent": 0, "confirmed": 0}
    began = ended = 0.0

    def pump(channel: Any) -> None:
        while state["sent"] < len(letters) and state["sent"] - state["confirmed"] < WINDOW:
            number = state["sent"]
            channel.basic_publish(exchange, "normal", letters[number].body, properties[number], mandatory=True)
            state["sent"] += 1

    def start(channel: Any) -> None:
        nonlocal began
        began = time.perf_counter()
        pump(channel)

    def on_channel(channel: Any) -> None:
        def on_confirm(frame: Any) -> None:
            nonlocal ended
            method = frame.method
            state["confirmed"] = method.delivery_tag if method.multiple else state["confirmed"] + 1
            if state["confirmed"] >= len(letters):
                ended = time.perf_counter()
                channel.connection.close()
            else:
                pump(channel)

        channel.confirm_delivery(on_confirm, callback=lambda _frame: start(channel))

    connection = pika.SelectConnection(
        pika.URLParameters(url),
        on_open_callback=lambda opened: opened.channel(on_open_callback=on_channel),
        on_close_callback=lambda closed, _error: closed.ioloop.stop(),
    )
    connection.ioloop.start()
    return ended - began


if __name__ == "__main__":
    print(json.dumps(run()))
