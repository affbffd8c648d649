"""A CIM simulator behind queues of a broker: takes what lies in its own, answers, and writes into the hub's.

The hub writes to `amihub.out.NAME.high` and `.normal`; the system writes to the exchange `amihub.in.NAME`, which is all
that it may write to. A message leaves its queue when its answer lies in the hub's, so it may be taken twice: its books
know it by its id.
"""

import logging
import threading
import time

import pika
from lxml import etree
from pika import exceptions

from simulators.cim_system import System, answer_to

log = logging.getLogger(__name__)

_PERSISTENT = 2


def attach(system: System, url: str, name: str) -> None:
    """Let a system hear and speak over the queues of that name; a broker that is away is waited for."""
    lock = threading.Lock()
    speaking = _Speaker(url, f"amihub.in.{name}", lock)
    system.tell = speaking.put
    threading.Thread(target=_listen, args=(system, url, name), daemon=True).start()


class _Speaker:
    """Puts messages into the hub's exchange, each confirmed; a connection that broke is made anew."""

    def __init__(self, url: str, exchange: str, lock: threading.Lock) -> None:
        self._url, self._exchange, self._lock = url, exchange, lock
        self._channel: pika.adapters.blocking_connection.BlockingChannel | None = None

    def put(self, message_id: str, correlation_id: str, body: bytes) -> None:
        """Put one message in, and return when the broker holds it."""
        with self._lock:
            for attempt in range(100):
                try:
                    if self._channel is None or not self._channel.is_open:
                        self._channel = pika.BlockingConnection(pika.URLParameters(self._url)).channel()
                        self._channel.confirm_delivery()
                    _publish(self._channel, self._exchange, message_id, correlation_id, body)
                except (exceptions.AMQPError, OSError):
                    self._channel = None
                    if attempt == 99:
                        raise
                    time.sleep(0.2)
                else:
                    return


def _publish(channel: "pika.adapters.blocking_connection.BlockingChannel", exchange: str, *said: object) -> None:
    message_id, correlation_id, body = said
    properties = pika.BasicProperties(
        content_type="application/xml", delivery_mode=_PERSISTENT, message_id=str(message_id),
        correlation_id=str(correlation_id),
    )  # fmt: skip
    channel.basic_publish(exchange, "normal", body, properties, mandatory=True)


def _listen(system: System, url: str, name: str) -> None:
    """Take messages for ever, the urgent ones first."""
    queues = [f"amihub.out.{name}.{priority}" for priority in ("high", "normal")]
    while True:
        try:
            with pika.BlockingConnection(pika.URLParameters(url)) as connection:
                channel = connection.channel()
                channel.confirm_delivery()
                while True:
                    if not any([_take_one(system, channel, queue, name) for queue in queues]):
                        connection.process_data_events(time_limit=0.05)
        except (exceptions.AMQPError, OSError) as error:
            log.info("the broker is away: %r", error)
            time.sleep(0.3)


def _take_one(
    system: System, channel: "pika.adapters.blocking_connection.BlockingChannel", queue: str, name: str
) -> bool:
    """Take one message of a queue and answer where an answer is wanted; return whether there was one."""
    method, properties, body = channel.basic_get(queue)
    if method is None:
        return False
    try:
        said = answer_to(system, body)
    except (etree.XMLSyntaxError, ValueError, IndexError):
        channel.basic_reject(method.delivery_tag, requeue=False)
        return True
    if properties.reply_to:
        _publish(channel, f"amihub.in.{name}", f"answer-{properties.message_id}", properties.correlation_id or "", said)
    channel.basic_ack(method.delivery_tag)
    return True
