"""A process that publishes letters, or works on them, until it is killed: `letter_worker.py VERB KEY FOLDER [URL]`.

publish    prints the id of every letter that was confirmed, ten at a time, without end
crash      works on letters, prints the id of each that is done, and dies of the letter `id-3`
"""

import os
import signal
import sys
from pathlib import Path
from threading import Event

from canonical.errors import RejectedError
from messaging.letters import Arrival, Letter
from messaging.port import Queues, open_queues
from messaging.settings import Messaging
from messaging.topology import QueueSet, Topology


def main(verb: str, key: str, folder: str, url: str = "") -> None:
    """Do what the verb says."""
    own = QueueSet(key.partition(".")[2], "in", {})
    other = QueueSet(key.partition(".")[2], "out", {})
    topology = Topology((own, other), retry_s=1, retries=2, delivery_limit=3)
    queues = open_queues(Messaging(topology, url, Path(folder) / "queues.db", lease_s=1.5, prefetch=50))
    publish(queues, key) if verb == "publish" else crash(queues, key)


def publish(queues: Queues, key: str) -> None:
    """Publish for ever."""
    number = 0
    while True:
        batch = [Letter(b"x" * 200, f"id-{n}") for n in range(number, number + 10)]
        outcomes = queues.publish(key, batch, timeout_s=10)
        for one, outcome in zip(batch, outcomes, strict=True):
            if outcome.state == "confirmed":
                print(one.message_id, flush=True)
        number += 10


def crash(queues: Queues, key: str) -> None:
    """Die of one letter."""

    def handle(arrival: Arrival) -> None:
        if arrival.letter.message_id == "id-3":
            os.kill(os.getpid(), signal.SIGKILL)
        print(arrival.letter.message_id, flush=True)

    def refuse(arrival: Arrival, error: RejectedError) -> None:
        print(arrival.letter.message_id, error.code.name, flush=True)

    queues.consume([key], handle, refuse=refuse, stop=Event())


if __name__ == "__main__":
    main(*sys.argv[1:])
