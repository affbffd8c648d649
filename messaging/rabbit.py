"""The queues of a site at a RabbitMQ broker."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event

from pika import BasicProperties, exceptions
from pika.adapters.blocking_connection import BlockingChannel

from canonical.messages import Outcome
from messaging import consumer, declaration
from messaging.connection import confirming, connected, has_quorum
from messaging.letters import PRIORITIES, Depth, Handle, Letter, Parked, Priority, Refuse
from messaging.properties import CODE, OWN_RETURNS, REASON, RETRIES, letter_of, why_parked
from messaging.publisher import Publisher
from messaging.settings import Messaging

_OURS = (CODE, REASON, RETRIES, OWN_RETURNS)


class RabbitQueues:
    """Queues at a broker (messaging.port.Queues)."""

    def __init__(self, messaging: Messaging) -> None:
        """Keep the settings; nothing is connected before it is used."""
        self._messaging = messaging
        self._publisher = Publisher(messaging)

    def declare(self) -> Sequence[str]:
        """Make whatever is missing; see `messaging.declaration.declare`."""
        return declaration.declare(self._messaging)

    def publish(self, key: str, letters: Sequence[Letter], *, timeout_s: float) -> Sequence[Outcome]:
        """Put letters into their queues; see `messaging.publisher.Publisher.publish`."""
        exchange = self._messaging.topology.find(key).exchange
        return self._publisher.publish(exchange, letters, timeout_s=timeout_s)

    def consume(self, keys: Sequence[str], handle: Handle, *, refuse: Refuse, stop: Event) -> None:
        """Hand letters out until `stop` is set; see `messaging.consumer.consume`."""
        consumer.consume(self._messaging, keys, handle, refuse=refuse, stop=stop)

    def depths(self) -> Sequence[Depth]:
        """Return how full every queue is; the age of its letters is not known here."""
        found = []
        with connected(self._messaging) as connection:
            quorum = has_quorum(connection, self._messaging)
            for queue in self._messaging.topology.queues(quorum=quorum):
                channel = connection.channel()
                try:
                    told = channel.queue_declare(queue.name, passive=True).method
                    found.append(Depth(queue.name, told.message_count, told.consumer_count))
                    channel.close()
                except exceptions.ChannelClosedByBroker as error:
                    if error.reply_code != 404:
                        raise
                    found.append(Depth(queue.name, None))
        return found

    def parked(self, key: str, *, limit: int) -> Sequence[Parked]:
        """Return the oldest parked letters; they go back when the channel closes."""
        with self._park(key) as channel:
            return [parked for parked, _, _ in self._taken(channel, key, limit)]

    def drain(self, key: str, *, limit: int) -> int:
        """Move the oldest parked letters back; each leaves the park when its queue has confirmed it."""
        own, moved = self._messaging.topology.find(key), 0
        with self._park(key) as channel:
            for parked, tag, properties in self._taken(channel, key, limit):
                kept = (properties.headers or {}).items()
                properties.headers = {k: v for k, v in kept if k not in _OURS and not k.startswith("x-")}
                properties.expiration = None
                letter = parked.letter
                channel.basic_publish(own.exchange, letter.priority, letter.body, properties, mandatory=True)
                channel.basic_ack(tag)
                moved += 1
        return moved

    def close(self) -> None:
        """Give the publisher's connection back."""
        self._publisher.close()

    @contextmanager
    def _park(self, key: str) -> Iterator[BlockingChannel]:
        self._messaging.topology.find(key)
        with connected(self._messaging) as connection:
            yield confirming(connection)

    def _taken(self, channel: BlockingChannel, key: str, limit: int) -> Iterator[tuple[Parked, int, BasicProperties]]:
        """Yield parked letters, taken and not acknowledged."""
        queue = self._messaging.topology.find(key).park
        for _ in range(limit):
            method, properties, body = channel.basic_get(queue)
            if method is None:
                return
            priority: Priority = "high" if method.routing_key == PRIORITIES[0] else "normal"
            code, reason = why_parked(properties)
            yield Parked(letter_of(body, properties, priority=priority), code, reason), method.delivery_tag, properties
