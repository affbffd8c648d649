"""Exchanges, queues and bindings of a site: one table, from which declaring, consuming and status all follow.

    partner -> [amihub.in.mdms] -high-> (amihub.in.mdms.high)   -> hub    done: acked
                     |         -normal-> (amihub.in.mdms.normal)           away: [.retry] -> (.retry) -> back
                     |                                                     refused, expired: [.park] -> (.park)
                     +- nothing bound: [amihub.unrouted] -> (amihub.unrouted)
    hub -> [amihub.out.mdms] -> (.high), (.normal) -> partner; the same retry and park queues are the partner's to use

Names in square brackets are exchanges, in round ones queues. A partner may write to its own exchange only, so the
queue that a letter came on proves who sent it. An exchange `out` has no alternate: the hub publishes as mandatory,
and an alternate exchange would turn "returned" into "taken".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from canonical.codes.messaging import QUEUE_UNKNOWN
from canonical.errors import MisconfiguredError
from messaging.letters import PRIORITIES, Priority

Direction = Literal["in", "out"]
"""`in`: partner to hub; `out`: hub to partner."""

QueueType = Literal["auto", "quorum", "classic"]

Argument = str | int

UNROUTED = "amihub.unrouted"
"""Exchange and queue of what partners sent where nothing is bound."""

FOREVER = 1_000_000
"""Deliveries allowed of what waits for a person."""

SPARE_DELIVERIES = 2
"""Deliveries that the broker allows beyond the limit at which the consumer parks a letter itself, with its code."""


@dataclass(frozen=True, slots=True)
class QueueSet:
    """The queues of one partner in one direction."""

    partner: str
    direction: Direction
    useful_s: Mapping[Priority, int]
    """Seconds after which a letter is of no use, by priority; absent: never."""

    longest: int = 1_000_000
    """Letters in one queue; the next is refused (QUEUE_FULL), so that its sender keeps it."""

    @property
    def key(self) -> str:
        """Return the name by which the hub's code knows them, such as `in.mdms`."""
        return f"{self.direction}.{self.partner}"

    @property
    def exchange(self) -> str:
        """Return the exchange to which letters are published, with the priority as routing key."""
        return f"amihub.{self.key}"

    @property
    def retry(self) -> str:
        """Return the exchange and queue of letters that are put off."""
        return f"{self.exchange}.retry"

    @property
    def park(self) -> str:
        """Return the exchange and queue of letters that a person must look at."""
        return f"{self.exchange}.park"

    def queue(self, priority: Priority) -> str:
        """Return the queue of a priority."""
        return f"{self.exchange}.{priority}"


@dataclass(frozen=True, slots=True)
class Exchange:
    """An exchange; always durable."""

    name: str
    kind: Literal["direct", "fanout"]
    arguments: tuple[tuple[str, Argument], ...] = ()


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue, and the exchange that fills it; always durable."""

    name: str
    exchange: str
    routing_key: str = ""
    arguments: tuple[tuple[str, Argument], ...] = ()


@dataclass(frozen=True, slots=True)
class Topology:
    """Everything that a site has at its broker."""

    sets: tuple[QueueSet, ...]
    retry_s: int = 30
    """Seconds that a letter is put off when what it needs is away."""

    retries: int = 120
    """How often, before it is parked: with 30 s an hour."""

    delivery_limit: int = 5
    """How often a letter may come back unfinished (crashes, surprises) before it is taken for poison."""

    queue_type: QueueType = "auto"

    def find(self, key: str) -> QueueSet:
        """Return the queues of that key.

        Raises:
            MisconfiguredError: the site defines none.
        """
        for one in self.sets:
            if one.key == key:
                return one
        known = ", ".join(one.key for one in self.sets) or "none"
        raise MisconfiguredError(f"no queues {key!r}; this site has {known}", code=QUEUE_UNKNOWN, where="[messaging]")

    def exchanges(self) -> tuple[Exchange, ...]:
        """Return every exchange, alternates first."""
        found = [Exchange(UNROUTED, "fanout")]
        for one in self.sets:
            alternate = (("alternate-exchange", UNROUTED),) if one.direction == "in" else ()
            found.append(Exchange(one.exchange, "direct", alternate))
            found += [Exchange(one.retry, "fanout"), Exchange(one.park, "fanout")]
        return tuple(found)

    def queues(self, *, quorum: bool) -> tuple[Queue, ...]:
        """Return every queue with its arguments; `quorum`: the broker can hold replicated queues."""
        kind: tuple[tuple[str, Argument], ...] = (("x-queue-type", "quorum" if quorum else "classic"),)
        # RabbitMQ 4 throws a letter away that was looked at 20 times where nothing else is said.
        kept = kind + ((("x-delivery-limit", FOREVER),) if quorum else ())
        found = [Queue(UNROUTED, UNROUTED, "", kept)]
        for one in self.sets:
            for priority in PRIORITIES:
                own = kind + _to(one.park, quorum=quorum) + (("x-max-length", one.longest),)
                own += (("x-delivery-limit", self.delivery_limit + SPARE_DELIVERIES),) if quorum else ()
                useful = one.useful_s.get(priority, 0)
                own += (("x-message-ttl", useful * 1000),) if useful else ()
                found.append(Queue(one.queue(priority), one.exchange, priority, own))
            back = kept + _to(one.exchange, quorum=quorum) + (("x-message-ttl", self.retry_s * 1000),)
            found.append(Queue(one.retry, one.retry, "", back))
            found.append(Queue(one.park, one.park, "", kept))
        return tuple(found)


def _to(exchange: str, *, quorum: bool) -> tuple[tuple[str, Argument], ...]:
    """Return the arguments by which a queue hands on what it gives up; the routing key of a letter stays.

    At-least-once needs `reject-publish`: the letter leaves its queue when the next one has confirmed it.
    """
    own: tuple[tuple[str, Argument], ...] = (("x-dead-letter-exchange", exchange), ("x-overflow", "reject-publish"))
    return own + ((("x-dead-letter-strategy", "at-least-once"),) if quorum else ())
