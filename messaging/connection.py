"""Connections to the broker: address, TLS, patience, and what its refusals mean."""

import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import pika
from pika import exceptions
from pika.adapters.blocking_connection import BlockingChannel

from canonical.codes import messaging as codes
from canonical.errors import HubError, MisconfiguredError, UnavailableError
from messaging.settings import Messaging

logging.getLogger("pika").setLevel(logging.CRITICAL)  # its tracebacks repeat what is raised here with a code

HEARTBEAT_S = 30
"""Seconds; a connection without a sign of life for two of them is dead. Its thread does nothing but I/O."""

OLDEST = (3, 10)
"""RabbitMQ that has quorum queues with TTL and at-least-once dead-lettering."""

_REFUSED = (
    exceptions.AuthenticationError,
    exceptions.ProbableAuthenticationError,
    exceptions.ProbableAccessDeniedError,
)
_CODES = {403: codes.BROKER_REFUSES, 404: codes.QUEUE_MISSING, 406: codes.QUEUE_DIFFERS}
"""What the broker's own codes mean when it closes a channel."""


def parameters(messaging: Messaging) -> pika.URLParameters:
    """Return how to connect.

    Raises:
        MisconfiguredError: the address is none, or the certificates cannot be read.
    """
    try:
        found = pika.URLParameters(messaging.url)
        if found.ssl_options is not None:
            context = ssl.create_default_context(cafile=messaging.ca_file or None)
            found.ssl_options = pika.SSLOptions(context, found.host)
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise MisconfiguredError(
            f"cannot use the broker's address: {type(error).__name__}", code=codes.BROKER_REFUSES, where="[messaging]"
        ) from error
    found.heartbeat = HEARTBEAT_S
    found.blocked_connection_timeout = found.socket_timeout = found.stack_timeout = messaging.timeout_s
    found.connection_attempts = 1
    return found


def place(messaging: Messaging) -> str:
    """Return host and port for messages, never user or password."""
    return messaging.url.rpartition("@")[2].partition("/")[0]


def understood(error: Exception, *, where: str) -> HubError:
    """Return what a failure of the connection or the broker means."""
    if isinstance(error, exceptions.ChannelClosedByBroker | exceptions.ConnectionClosedByBroker):
        if error.reply_code in _CODES:
            return MisconfiguredError(error.reply_text, code=_CODES[error.reply_code], where=where)
        return UnavailableError(f"{error.reply_code} {error.reply_text}", code=codes.BROKER_AWAY, where=where)
    if isinstance(error, _REFUSED):
        return MisconfiguredError("user or virtual host is refused", code=codes.BROKER_REFUSES, where=where)
    if isinstance(error, ssl.SSLCertVerificationError):
        return MisconfiguredError(error.verify_message, code=codes.BROKER_REFUSES, where=where)
    return UnavailableError(type(error).__name__, code=codes.BROKER_AWAY, where=where)


FAILURES = (exceptions.AMQPError, OSError)
"""What pika raises when connection, channel or broker fail."""


@contextmanager
def connected(messaging: Messaging) -> Iterator[pika.BlockingConnection]:
    """Yield a connection for a few calls, closed afterwards.

    Raises:
        UnavailableError: the broker is away.
        MisconfiguredError: it refuses us, or misses or contradicts what is asked for.
    """
    where = place(messaging)
    connection: pika.BlockingConnection | None = None
    try:
        connection = pika.BlockingConnection(parameters(messaging))
        yield connection
    except FAILURES as error:
        raise understood(error, where=where) from error
    finally:
        if connection is not None and connection.is_open:
            _close(connection)


def _close(connection: pika.BlockingConnection) -> None:
    """Close a connection; one that broke is closed."""
    try:
        connection.close()
    except FAILURES:
        return


def confirming(connection: pika.BlockingConnection) -> BlockingChannel:
    """Return a new channel on which each publish waits for its confirm."""
    channel = connection.channel()
    channel.confirm_delivery()
    return channel


def has_quorum(connection: pika.BlockingConnection, messaging: Messaging) -> bool:
    """Return whether queues are declared as quorum queues.

    Raises:
        MisconfiguredError: the site wants them and the broker is too old, or is no RabbitMQ.
    """
    told = getattr(connection._impl, "server_properties", None) or {}  # pika shows them nowhere else
    version = str(told.get("version", "0")).split(".")
    numbers = tuple(int(part) if part.isdecimal() else 0 for part in version[:2])
    able = told.get("product") == "RabbitMQ" and numbers >= OLDEST
    wanted = messaging.topology.queue_type
    if wanted == "quorum" and not able:
        raise MisconfiguredError(
            f"{told.get('product')} {told.get('version')}", code=codes.BROKER_TOO_OLD, where=place(messaging)
        )
    return able and wanted != "classic"
