"""What every kind of queue promises: the same tests over the embedded file and a real RabbitMQ."""

import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from queues_by_hand import Seen, consuming, letters, opened, settings, until

from canonical.codes import messaging as codes
from canonical.codes.message import BAD_XML_VALUE
from canonical.errors import MisconfiguredError, RejectedError, UnavailableError
from messaging.letters import Arrival, Letter
from messaging.settings import Messaging
from servers.rabbitmq import RabbitServer


@pytest.fixture(params=["embedded", pytest.param("rabbit", marks=pytest.mark.servers)])
def url(request: pytest.FixtureRequest) -> str:
    """Where the queues are; a test that takes it runs once for each kind."""
    if request.param == "embedded":
        return ""
    server: RabbitServer = request.getfixturevalue("rabbitmq_server")
    return server.url


@pytest.fixture
def messaging(tmp_path: Path, url: str) -> Messaging:
    """Queues of their own for one test."""
    return settings(tmp_path, url)


def hold(gate: threading.Event) -> None:
    """Work until the gate opens."""
    assert gate.wait(20)


def _key(messaging: Messaging) -> str:
    return messaging.topology.sets[0].key


def test_what_is_published_is_handed_out_once_in_order_with_all_that_it_says(messaging: Messaging) -> None:
    instant = datetime(2026, 3, 2, 6, 0, 0, 123000, tzinfo=UTC)
    whole = Letter(
        b"\x00\xff<x/>",
        "id-whole",
        source="mdms",
        correlation_id="c",
        causation_id="d",
        verb="created",
        noun="MeterReadings",
        schema_version="2011",
        created_at=instant,
        effective_at=instant - timedelta(days=1),
        expires_at=instant + timedelta(hours=1),
        priority="normal",
        lane="up-1",
        reply_to="amihub.out.p.normal",
        content_type="application/xml",
        content_encoding="gzip",
    )
    seen = Seen()

    with opened(messaging) as queues:
        outcomes = queues.publish(_key(messaging), [whole, *letters(50)], timeout_s=20)
        with consuming(messaging, seen):
            until(lambda: len(seen.done) == 51)

    assert {outcome.state for outcome in outcomes} == {"confirmed"}
    assert seen.done[0].letter == whole or whole in [one.letter for one in seen.done]
    assert [one for one in seen.ids if one != "id-whole"] == [f"id-{n}" for n in range(50)]
    assert {(one.queues, one.returns, one.retries) for one in seen.done} == {(_key(messaging), 0, 0)}


def test_high_goes_before_normal(messaging: Messaging) -> None:
    gate, seen = threading.Event(), Seen(lambda _arrival: hold(gate))
    one_worker, key = replace(messaging, workers=1), _key(messaging)

    with opened(one_worker) as queues, consuming(one_worker, seen):
        gate.set()
        queues.publish(key, [*letters(1, start=200), *letters(1, priority="high", start=201)], timeout_s=20)
        until(lambda: len(seen.done) == 2)  # until then each queue is read letter by letter: there may be poison
        gate.clear()
        queues.publish(key, letters(10), timeout_s=20)
        until(lambda: len(seen.begun) == 3)
        queues.publish(key, letters(5, priority="high", start=100), timeout_s=20)
        until(lambda: not any(one.letters for one in queues.depths() if one.queue.endswith("high")))
        gate.set()
        until(lambda: len(seen.done) == 17)

    # Whatever was begun, or already read ahead of the high ones, may be done first: no more than that.
    assert {int(one.removeprefix("id-")) for one in seen.ids[2:9]} >= set(range(100, 105))


@pytest.mark.slow
def test_what_is_put_off_comes_again_and_is_parked_when_it_was_put_off_too_often(messaging: Messaging) -> None:
    def away(_arrival: Arrival) -> None:
        raise UnavailableError("the MDMS is away", code=codes.BROKER_AWAY)

    seen = Seen(away)

    with opened(messaging) as queues:
        queues.publish(_key(messaging), letters(1), timeout_s=20)
        with consuming(messaging, seen):
            until(lambda: bool(seen.refused))
            until(lambda: bool(queues.parked(_key(messaging), limit=5)))
        (parked,) = queues.parked(_key(messaging), limit=5)

    assert [one.retries for one in seen.begun] == [0, 1, 2]
    assert seen.refused == [("id-0", "RETRIES_EXHAUSTED")]
    assert (parked.letter.message_id, parked.code) == ("id-0", str(codes.RETRIES_EXHAUSTED))


def test_what_is_refused_is_parked_with_its_code_and_a_drain_hands_it_out_once_more(messaging: Messaging) -> None:
    refusing = True

    def work(arrival: Arrival) -> None:
        if refusing and arrival.letter.message_id == "id-1":
            raise RejectedError("no", code=BAD_XML_VALUE)

    seen = Seen(work)

    with opened(messaging) as queues:
        queues.publish(_key(messaging), letters(3), timeout_s=20)
        with consuming(messaging, seen):
            until(lambda: len(seen.done) == 2)
            until(lambda: bool(queues.parked(_key(messaging), limit=9)))
            looked = [queues.parked(_key(messaging), limit=9) for _ in range(2)]
            refusing = False
            moved = queues.drain(_key(messaging), limit=9)
            until(lambda: len(seen.done) == 3)
        left = queues.parked(_key(messaging), limit=9)

    assert [[(one.letter.message_id, one.code) for one in look] for look in looked] == 2 * [
        [("id-1", str(BAD_XML_VALUE))]
    ]
    assert (moved, left) == (1, [])
    assert seen.done[-1].retries == seen.done[-1].returns == 0


def test_poison_is_parked_and_its_neighbors_are_done(messaging: Messaging) -> None:
    def work(arrival: Arrival) -> None:
        if arrival.letter.message_id == "id-3":
            raise ZeroDivisionError

    seen = Seen(work)

    with opened(messaging) as queues:
        queues.publish(_key(messaging), letters(8), timeout_s=20)
        with consuming(messaging, seen):
            until(lambda: len(seen.done) == 7)
            until(lambda: bool(queues.parked(_key(messaging), limit=9)))
        (parked,) = queues.parked(_key(messaging), limit=9)

    assert sorted(seen.ids) == sorted(f"id-{n}" for n in range(8) if n != 3)
    assert seen.refused == [("id-3", "DELIVERED_TOO_OFTEN")]
    assert parked.code == str(codes.DELIVERED_TOO_OFTEN)
    assert Counter(one.letter.message_id for one in seen.begun)["id-3"] == 3


@pytest.mark.slow
def test_what_lost_its_use_is_parked_and_not_handed_out(tmp_path: Path, url: str) -> None:
    messaging = settings(tmp_path, url, useful={"high": 1})
    instant = datetime(2026, 3, 2, tzinfo=UTC)
    short = Letter(b"x", "short", created_at=instant, expires_at=instant + timedelta(milliseconds=300))
    seen = Seen()

    with opened(messaging) as queues:
        queues.publish(_key(messaging), [*letters(1, priority="high"), short], timeout_s=20)
        time.sleep(1.5)
        with consuming(messaging, seen):
            until(lambda: len(queues.parked(_key(messaging), limit=9)) == 2)
        parked = queues.parked(_key(messaging), limit=9)

    assert seen.begun == []
    assert {(one.letter.message_id, one.code) for one in parked} == {
        ("id-0", str(codes.LETTER_EXPIRED)),
        ("short", str(codes.LETTER_EXPIRED)),
    }


def test_asked_to_stop_a_consumer_ends_what_it_began_and_leaves_the_rest(messaging: Messaging) -> None:
    first, second = Seen(lambda _arrival: time.sleep(0.05)), Seen()

    with opened(messaging) as queues:
        queues.publish(_key(messaging), letters(60), timeout_s=20)
        with consuming(replace(messaging, prefetch=5), first):
            until(lambda: len(first.begun) >= 5)
        with consuming(messaging, second):
            until(lambda: len(first.done) + len(second.done) >= 60)

    assert len(first.begun) == len(first.done) < 60
    assert sorted(first.ids + second.ids) == sorted(f"id-{n}" for n in range(60))


@pytest.mark.slow
def test_work_that_takes_longer_than_a_sign_of_life_is_done_once(
    messaging: Messaging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.connection.HEARTBEAT_S", 1)
    seen = Seen(lambda _arrival: time.sleep(3.5))

    with opened(messaging) as queues:
        queues.publish(_key(messaging), letters(1), timeout_s=20)
        with consuming(messaging, seen):
            until(lambda: len(seen.done) == 1)
            time.sleep(0.5)

    assert [(one.letter.message_id, one.returns) for one in seen.begun] == [("id-0", 0)]


def test_two_consumers_share_without_handing_out_twice(messaging: Messaging) -> None:
    def work(_arrival: Arrival) -> None:
        # Whoever comes first waits for the other, however late its thread begins.
        until(lambda: bool(one.begun and other.begun))

    one, other = Seen(work), Seen(work)
    few = replace(messaging, prefetch=10)

    with opened(messaging) as queues, consuming(few, one), consuming(few, other):
        queues.publish(_key(messaging), letters(300), timeout_s=20)
        until(lambda: len(one.done) + len(other.done) >= 300)
        time.sleep(0.3)

    assert sorted(one.ids + other.ids) == sorted(f"id-{n}" for n in range(300))
    assert one.done
    assert other.done


def test_queues_that_the_site_does_not_have_are_named(messaging: Messaging) -> None:
    with opened(messaging) as queues, pytest.raises(MisconfiguredError) as caught:
        queues.publish("in.stranger", letters(1), timeout_s=5)

    assert caught.value.code == codes.QUEUE_UNKNOWN
    assert _key(messaging) in caught.value.reason


def test_declaring_again_changes_nothing_and_depths_tell_what_lies_where(messaging: Messaging) -> None:
    own = messaging.topology.sets[0]

    with opened(messaging) as queues:
        queues.publish(own.key, [*letters(3), *letters(2, priority="high", start=9)], timeout_s=20)
        queues.declare()
        until(lambda: {one.queue: one.letters for one in queues.depths()}[own.queue("normal")] == 3)
        depths = {one.queue: one.letters for one in queues.depths()}

    assert depths[own.queue("high")] == 2
    assert depths[own.retry] == depths[own.park] == 0


def test_a_full_queue_refuses_and_says_so(tmp_path: Path, url: str) -> None:
    messaging = settings(tmp_path, url)
    small = replace(messaging.topology, sets=tuple(replace(one, longest=5) for one in messaging.topology.sets))
    limited = replace(messaging, topology=small, window=1)

    with opened(limited) as queues:
        outcomes = queues.publish(_key(limited), letters(30), timeout_s=20)
        until(lambda: {one.queue: one.letters for one in queues.depths()}[small.sets[0].queue("normal")] != 0)

    assert outcomes[0].state == "confirmed"
    assert outcomes[-1].state == "unavailable"
    assert outcomes[-1].code == str(codes.QUEUE_FULL)
