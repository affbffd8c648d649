"""Declaring a site's topology at the broker: what is there as stated stays, what is missing is made."""

import re
from typing import Any, cast

import pika
from pika import exceptions

from canonical.codes import messaging as codes
from canonical.errors import MisconfiguredError
from messaging.connection import connected, has_quorum
from messaging.settings import Messaging
from messaging.topology import Exchange, Queue

_DIFFERS = re.compile(r"inequivalent arg '(?P<argument>[^']+)' for (?P<kind>\w+) '(?P<name>[^']+)'.*?: (?P<said>.*)")


def declare(messaging: Messaging) -> tuple[str, ...]:
    """Make whatever of the topology is not there; return the names of all its queues. Any number may do it at once.

    Raises:
        UnavailableError: the broker is away.
        MisconfiguredError: a queue or exchange is there with another argument, which is named; or we may not declare.
    """
    with connected(messaging) as connection:
        topology = messaging.topology
        queues = topology.queues(quorum=has_quorum(connection, messaging))
        for exchange in topology.exchanges():
            _declare_exchange(connection, exchange)
        for queue in queues:
            _declare_queue(connection, queue)
        return tuple(queue.name for queue in queues)


def _declare_exchange(connection: pika.BlockingConnection, exchange: Exchange) -> None:
    channel = connection.channel()
    try:
        channel.exchange_declare(exchange.name, exchange.kind, durable=True, arguments=dict(exchange.arguments))
        channel.close()
    except exceptions.ChannelClosedByBroker as error:
        raise _differing(error, exchange.name) from error


def _declare_queue(connection: pika.BlockingConnection, queue: Queue) -> None:
    channel = connection.channel()
    try:
        channel.queue_declare(queue.name, durable=True, arguments=dict(queue.arguments))
        channel.queue_bind(queue.name, queue.exchange, queue.routing_key)
        channel.close()
    except exceptions.ChannelClosedByBroker as error:
        raise _differing(error, queue.name) from error


def _differing(error: Any, name: str) -> Exception:
    """Return what a refused declaration means; a difference names thing, argument and both values."""
    found = _DIFFERS.search(error.reply_text)
    if error.reply_code != 406 or found is None:
        return cast("Exception", error)
    return MisconfiguredError(
        f"{found['kind']} {found['name']}: argument {found['argument']}: {found['said']}",
        code=codes.QUEUE_DIFFERS,
        where=name,
    )
