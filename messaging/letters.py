"""Letters: what travels over a queue, with the properties by which whoever takes it knows it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from canonical.errors import RejectedError

Priority = Literal["high", "normal"]
PRIORITIES: tuple[Priority, Priority] = ("high", "normal")
"""In the order in which they are served. Two queues: quorum queues of RabbitMQ 3.10 know no priorities."""

LONGEST_NAME = 255
"""Bytes of an AMQP short string: ids, content types and reply queues are no longer."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One message as it lies in a queue."""

    body: bytes
    message_id: str
    """The sender's id; whoever takes it twice knows it by this."""

    source: str = ""
    """The system that says it sent it; the queue that it came on is the proof, this is not."""

    correlation_id: str = ""
    causation_id: str = ""
    """Id of the message that caused this one."""

    verb: str = ""
    noun: str = ""
    schema_version: str = ""
    """Edition of the schema of the body, such as `2011`."""

    created_at: datetime | None = None
    """UTC, business time."""

    effective_at: datetime | None = None
    """UTC: from when on it is true."""

    expires_at: datetime | None = None
    """UTC: when it is of no use any more; needs `created_at`, the span between them is what the broker waits."""

    priority: Priority = "normal"
    lane: str = ""
    """Entity key whose letters one worker handles in order; empty: the queue's."""

    reply_to: str = ""
    """Name of the queue in which the sender looks for an answer; empty: none is wanted."""

    content_type: str = "application/xml"
    content_encoding: str = ""
    """`gzip`, or empty."""

    def __post_init__(self) -> None:
        """Check that the broker can hold the names.

        Raises:
            ValueError: a name is longer than 255 bytes.
        """
        for name in ("message_id", "correlation_id", "reply_to", "content_type", "content_encoding"):
            value: str = getattr(self, name)
            if len(value) * 4 > LONGEST_NAME and len(value.encode()) > LONGEST_NAME:
                raise ValueError(f"{name} of a letter is longer than {LONGEST_NAME} bytes")

    @property
    def useful_ms(self) -> int | None:
        """Return how long the broker shall keep it, in milliseconds; None for as long as its queue does."""
        if self.expires_at is None or self.created_at is None:
            return None
        return max(0, round((self.expires_at - self.created_at).total_seconds() * 1000))


@dataclass(frozen=True, slots=True)
class Arrival:
    """One letter handed to whoever consumes, once for each time."""

    letter: Letter
    queues: str
    """Key of the queues that it came on, such as `in.mdms`: this is who its sender proved to be."""

    returns: int = 0
    """How often it was handed out before and came back unfinished."""

    retries: int = 0
    """How often it was put off because what it needs was away."""


Handle = Callable[[Arrival], None]
"""Works on one letter. Returning ends it; Unavailable and MisconfiguredError put it off; RejectedError parks it."""

Refuse = Callable[[Arrival, RejectedError], None]
"""Is told of a letter that the consumer itself parks, before it does: poison, retries at an end, expired."""


@dataclass(frozen=True, slots=True)
class Depth:
    """How full one queue is."""

    queue: str
    letters: int | None
    """None: the queue is not there."""

    consumers: int | None = None
    """None where the queue does not know."""

    oldest_s: float | None = None
    """Age of the oldest letter in seconds; None where it is empty or the broker does not say."""


@dataclass(frozen=True, slots=True)
class Parked:
    """One letter in a park queue, as a person looks at it."""

    letter: Letter
    code: str
    """Number and name, or the broker's own word (`rejected`)."""

    reason: str = ""
