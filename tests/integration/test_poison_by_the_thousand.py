"""A thousand letters that nobody can work on: all others are done meanwhile, and the thousand are seen and replayed."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from queues_by_hand import Seen, letters, opened, settings, until

from canonical.codes import messaging as codes
from messaging.letters import Arrival, Depth
from messaging.port import open_queues
from messaging.settings import Messaging
from messaging.topology import QueueSet
from servers.rabbitmq import RabbitServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]

POISON, FINE = 1000, 150


@pytest.fixture(params=["embedded", pytest.param("rabbit", marks=pytest.mark.servers)])
def url(request: pytest.FixtureRequest) -> str:
    """Where the queues are."""
    if request.param == "embedded":
        return ""
    server: RabbitServer = request.getfixturevalue("rabbitmq_server")
    return server.url


@pytest.fixture
def messaging(tmp_path: Path, url: str) -> Messaging:
    """Queues of two partners; what met a defect waits three seconds, and is given up at its second time."""
    found = settings(tmp_path, url)
    own = found.topology.sets[0]
    sets = (own, QueueSet(f"{own.partner}-other", "in", {}))
    return replace(found, topology=replace(found.topology, sets=sets, retry_s=3, delivery_limit=2))


@contextmanager
def consuming_all(messaging: Messaging, seen: Seen) -> Iterator[None]:
    """Run one consumer of both partners' queues until the end of the block."""
    stop, queues = threading.Event(), open_queues(messaging)
    with ThreadPoolExecutor(1) as pool:
        keys = [one.key for one in messaging.topology.sets]
        running = pool.submit(queues.consume, keys, seen.handle, refuse=seen.refuse, stop=stop)
        try:
            yield
        finally:
            stop.set()
            running.result(timeout=60)
            queues.close()


def test_a_thousand_letters_that_meet_a_defect_hold_nobody_up_are_all_parked_and_all_replayed(
    messaging: Messaging, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("CRITICAL")
    broken = True

    def work(arrival: Arrival) -> None:
        if broken and int(arrival.letter.message_id.removeprefix("id-")) < POISON:
            raise ZeroDivisionError

    seen = Seen(work)
    first, second = messaging.topology.sets
    poison, behind = letters(POISON), letters(FINE, start=POISON)
    with opened(messaging) as queues:
        queues.publish(first.key, [*poison, *behind], timeout_s=60)
        queues.publish(second.key, letters(FINE, start=POISON + FINE), timeout_s=60)
        with consuming_all(messaging, seen):
            until(lambda: len(seen.done) == 2 * FINE, seconds=60)
            given_up_meanwhile, turns = len(seen.refused), Counter(one.letter.message_id for one in seen.begun)
            until(lambda: len(seen.refused) == POISON, seconds=90)
            until(lambda: _lying(queues.depths(), first.park) == POISON, seconds=30)
            parked = queues.parked(first.key, limit=POISON)
            broken = False
            moved = queues.drain(first.key, limit=POISON)
            until(lambda: len(seen.done) == POISON + 2 * FINE, seconds=60)
        left = queues.parked(first.key, limit=1)

    assert (given_up_meanwhile, max(turns.values())) == (0, 1)
    assert {one.letter.message_id for one in parked} == {one.message_id for one in poison}
    assert {one.code for one in parked} == {str(codes.DELIVERED_TOO_OFTEN)}
    assert (moved, left) == (POISON, [])
    assert Counter(seen.ids) == Counter(f"id-{n}" for n in range(POISON + 2 * FINE))
    assert {one.returns for one in seen.done} == {0}


def _lying(depths: Sequence[Depth], name: str) -> int:
    """Return how many letters lie in a queue."""
    return next(one.letters or 0 for one in depths if one.queue == name)
