"""What the hub asks of its queues, whoever holds them: RabbitMQ, or a file of our own."""

from collections.abc import Sequence
from threading import Event
from typing import Protocol

from canonical.messages import Outcome
from messaging.letters import Depth, Handle, Letter, Parked, Refuse
from messaging.settings import Messaging


class Queues(Protocol):
    """The queues of a site. `key` names those of one partner in one direction, such as `in.mdms`.

    Every method raises UnavailableError while the queues are away and MisconfiguredError when they are set up wrong.
    """

    def declare(self) -> Sequence[str]:
        """Make whatever is missing, and return the names of all queues. Again is harmless."""
        ...

    def publish(self, key: str, letters: Sequence[Letter], *, timeout_s: float) -> Sequence[Outcome]:
        """Put letters into their queues, in order; return one outcome for each.

        confirmed: durably there. unavailable: perhaps there, publish again. rejected: no queue takes it.
        """
        ...

    def consume(self, keys: Sequence[str], handle: Handle, *, refuse: Refuse, stop: Event) -> None:
        """Hand letters out until `stop` is set, high before normal, each at least once; then end what was begun.

        An outside failure is waited out; only MisconfiguredError ends it.
        """
        ...

    def depths(self) -> Sequence[Depth]:
        """Return how full every queue is."""
        ...

    def parked(self, key: str, *, limit: int) -> Sequence[Parked]:
        """Return the oldest parked letters without changing anything."""
        ...

    def drain(self, key: str, *, limit: int) -> int:
        """Move the oldest parked letters back to the queues from which they came; return their number."""
        ...

    def close(self) -> None:
        """Give back connections and files."""
        ...


def open_queues(messaging: Messaging) -> Queues:
    """Return the queues of a site; nothing is connected before they are used."""
    if messaging.url:
        from messaging.rabbit import RabbitQueues

        return RabbitQueues(messaging)
    from messaging.embedded import EmbeddedQueues

    return EmbeddedQueues(messaging)
