"""What is declared at a real RabbitMQ, what it does with what fits nowhere, and how it refuses."""

import json
from dataclasses import replace
from pathlib import Path

import pika
import pytest
from queues_by_hand import Seen, consuming, letters, opened, settings, until

from canonical.codes import messaging as codes
from canonical.errors import MisconfiguredError, UnavailableError
from messaging.letters import Arrival, Letter
from messaging.port import open_queues
from messaging.settings import Messaging
from messaging.topology import UNROUTED
from servers.rabbitmq import RabbitServer

pytestmark = pytest.mark.servers


@pytest.fixture
def messaging(tmp_path: Path, rabbitmq_server: RabbitServer) -> Messaging:
    """Queues of their own for one test, at the broker."""
    return settings(tmp_path, rabbitmq_server.url)


def test_every_queue_is_a_quorum_queue_and_hands_on_at_least_once(
    messaging: Messaging, rabbitmq_server: RabbitServer
) -> None:
    with opened(messaging):
        listed = rabbitmq_server.control("list_queues", "name", "type", "arguments", "--formatter", "json")

    found = {one["name"]: one for one in json.loads(listed)}
    own = messaging.topology.sets[0]
    arguments = {name: value for name, _kind, value in found[own.queue("high")]["arguments"]}
    assert {one["type"] for one in found.values()} == {"quorum"}
    assert arguments["x-dead-letter-exchange"] == own.park
    assert arguments["x-dead-letter-strategy"] == "at-least-once"
    assert arguments["x-overflow"] == "reject-publish"
    assert arguments["x-delivery-limit"] == messaging.topology.delivery_limit + 2


def test_a_queue_that_is_there_with_another_argument_is_named_with_the_argument(messaging: Messaging) -> None:
    own = messaging.topology.sets[0]
    other = replace(messaging, topology=replace(messaging.topology, retry_s=77))

    with opened(messaging), pytest.raises(MisconfiguredError) as caught:
        open_queues(other).declare()

    assert caught.value.code == codes.QUEUE_DIFFERS
    assert caught.value.where == own.retry
    assert "x-message-ttl" in caught.value.reason
    assert "77000" in caught.value.reason
    assert "1000" in caught.value.reason


def test_what_a_partner_sends_where_nothing_is_bound_is_caught(messaging: Messaging) -> None:
    own = messaging.topology.sets[0]

    with opened(messaging) as queues, pika.BlockingConnection(pika.URLParameters(messaging.url)) as connection:
        channel = connection.channel()
        before = channel.queue_declare(UNROUTED, passive=True).method.message_count
        channel.confirm_delivery()
        channel.basic_publish(own.exchange, "urgent", b"<x/>", mandatory=True)
        after = {one.queue: one.letters for one in queues.depths()}[UNROUTED]

    assert after == before + 1


def test_what_no_queue_takes_is_returned_by_code_and_the_others_are_confirmed(messaging: Messaging) -> None:
    own = messaging.topology.sets[1]
    mixed = [*letters(3), *letters(2, priority="high", start=50), Letter(b"x", "id-1", priority="high")]

    with opened(messaging) as queues, pika.BlockingConnection(pika.URLParameters(messaging.url)) as connection:
        connection.channel().queue_unbind(own.queue("high"), own.exchange, "high")
        outcomes = queues.publish(own.key, mixed, timeout_s=20)

    assert [outcome.state for outcome in outcomes] == ["confirmed"] * 3 + ["rejected"] * 3
    assert {outcome.code for outcome in outcomes[3:]} == {str(codes.UNROUTABLE)}


def test_an_exchange_that_was_never_declared_is_a_matter_for_a_person(messaging: Messaging) -> None:
    queues = open_queues(messaging)

    with pytest.raises(MisconfiguredError) as caught:
        queues.publish(messaging.topology.sets[0].key, letters(1), timeout_s=10)
    queues.close()

    assert caught.value.code == codes.QUEUE_MISSING


def test_wrong_credentials_are_a_matter_for_a_person_and_are_not_told(messaging: Messaging) -> None:
    wrong = replace(messaging, url=messaging.url.replace("hub:", "stranger:"))
    queues = open_queues(wrong)

    for attempt in (
        queues.declare,
        lambda: queues.publish("in." + wrong.topology.sets[0].partner, letters(1), timeout_s=9),
    ):
        with pytest.raises(MisconfiguredError) as caught:
            attempt()
        assert caught.value.code == codes.BROKER_REFUSES
        assert "stranger" not in str(caught.value)
    queues.close()


def test_a_broker_that_is_away_is_an_outcome_and_its_return_is_noticed(messaging: Messaging) -> None:
    nobody = replace(messaging, url="amqp://hub:x@127.0.0.1:1/%2F")
    queues = open_queues(nobody)

    outcomes = queues.publish(messaging.topology.sets[0].key, letters(2), timeout_s=5)
    with pytest.raises(UnavailableError):
        queues.declare()
    queues.close()

    assert [(outcome.state, outcome.code) for outcome in outcomes] == [("unavailable", str(codes.BROKER_AWAY))] * 2


def test_a_lost_connection_is_made_again_by_the_next_publish(
    messaging: Messaging, rabbitmq_server: RabbitServer
) -> None:
    key = messaging.topology.sets[0].key

    with opened(messaging) as queues:
        first = queues.publish(key, letters(1), timeout_s=10)
        rabbitmq_server.control("close_all_connections", "test")
        until(lambda: queues.publish(key, letters(1, start=1), timeout_s=10)[0].state == "confirmed")

    assert first[0].state == "confirmed"


def test_a_site_that_changes_its_queue_type_is_told_what_stands_against_it(messaging: Messaging) -> None:
    classic = replace(messaging, topology=replace(messaging.topology, queue_type="classic"))

    with opened(messaging), pytest.raises(MisconfiguredError, match="x-queue-type") as caught:
        open_queues(classic).declare()

    assert caught.value.code == codes.QUEUE_DIFFERS


def test_on_classic_queues_a_letter_that_meets_a_defect_is_parked_as_well(
    messaging: Messaging, rabbitmq_server: RabbitServer
) -> None:
    rabbitmq_server.control("add_vhost", "classic")
    rabbitmq_server.control("set_permissions", "-p", "classic", "hub", ".*", ".*", ".*")
    topology = replace(messaging.topology, queue_type="classic")
    classic = replace(messaging, topology=topology, url=messaging.url.replace("%2F", "classic"))
    key = topology.sets[0].key

    def work(arrival: Arrival) -> None:
        if arrival.letter.message_id == "id-1":
            raise ZeroDivisionError

    seen = Seen(work)
    with opened(classic) as queues:
        queues.publish(key, letters(3), timeout_s=20)
        with consuming(classic, seen):
            until(lambda: bool(queues.parked(key, limit=9)))
        (parked,) = queues.parked(key, limit=9)

    assert sorted(seen.ids) == ["id-0", "id-2"]
    assert (parked.letter.message_id, parked.code) == ("id-1", str(codes.DELIVERED_TOO_OFTEN))
