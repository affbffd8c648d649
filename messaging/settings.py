"""How a site's messaging is set up: where the queues are, and how they are used."""

from dataclasses import dataclass, field
from pathlib import Path

from messaging.topology import Topology


@dataclass(frozen=True, slots=True)
class Messaging:
    """Everything that is needed to open a site's queues."""

    topology: Topology
    url: str = field(default="", repr=False)
    """`amqps://user:password@host:port/vhost`; empty: the embedded queue."""

    file: Path = Path("queues.db")
    """File of the embedded queue."""

    ca_file: str = ""
    """PEM of the certificates that may vouch for the broker; empty: the machine's own."""

    window: int = 1000
    """Letters published ahead of their confirms."""

    prefetch: int = 200
    """Letters handed to one consumer ahead of their end."""

    workers: int = 2
    """Threads that work on letters; letters of one lane stay with one of them, in order."""

    timeout_s: float = 30.0
    """Patience with the broker in one step."""

    lease_s: float = 60.0
    """Embedded: after so long without a sign of life a consumer counts as dead, and its letters are handed out anew."""
