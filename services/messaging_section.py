"""What a site file may say of queues: `[messaging]`, and its partners in both directions."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from canonical.event_kinds import EventKind


def _partner(name: str) -> str:
    """Return a name that may stand in the name of a queue.

    Raises:
        ValueError: it may not.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,40}", name):
        raise ValueError(f"{name!r} is no name of a queue: lower-case letters, digits, - and _, a letter first")
    return name


Partner = Annotated[str, AfterValidator(_partner)]


class Queues(BaseModel):
    """The queues of one partner in one direction."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    useful_seconds: int = Field(0, ge=0)
    """After so long a message is of no use and is parked; 0: never."""

    useful_seconds_high: int = Field(0, ge=0)
    """The same for the queue of high priority."""

    longest: int = Field(1_000_000, ge=1)
    """Messages in one queue; the next is refused, so that its sender keeps it."""


class InboundSection(Queues):
    """A partner whose bare messages the hub takes from a queue; the queue is the proof of who sent them."""

    policy: Literal["strict", "report", "off"] | None = None
    """What is done with messages that break their schema; as [messaging] says where it is not given."""

    reply_to: tuple[str, ...] = ()
    """Names of outbound queues in which the partner may ask for answers; the hub answers nowhere else."""

    event_dialect: Literal["edition2", "mesh", "firmware", "legacy"] = "edition2"
    event_codes: dict[str, EventKind] = Field(default_factory=dict)


class OutboundSection(Queues):
    """A partner that takes bare messages from a queue."""


class MessagingSection(BaseModel):
    """Queues between the hub and its partners: at a RabbitMQ broker, or in a file of the hub's own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    broker: str = "embedded"
    """`embedded`, or the broker's address, a secret: `env:NAME` with `amqps://user:password@host/vhost`."""

    file: str = "queues.db"
    """File of the embedded queue, relative to `data`."""

    ca_file: str = ""
    queue_type: Literal["auto", "quorum", "classic"] = "auto"
    declare_queues: bool = True
    """Whether the consumer makes missing queues at its start; false where the broker's administrator does."""

    edition: Literal["2011", "www", "2017"] = "2011"
    policy: Literal["strict", "report", "off"] = "strict"
    limit_bytes: int = Field(32 * 1024 * 1024, ge=1)
    """Largest message that is taken from a queue, unpacked."""

    retry_seconds: int = Field(30, ge=1)
    retries: int = Field(120, ge=0)
    delivery_limit: int = Field(5, ge=1)
    window: int = Field(1000, ge=1, le=65_535)
    prefetch: int = Field(200, ge=1, le=65_535)
    workers: int = Field(2, ge=1, le=64)
    timeout_seconds: float = Field(30.0, gt=0)
    inbound: dict[Partner, InboundSection] = Field(default_factory=dict)
    outbound: dict[Partner, OutboundSection] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _answers_have_queues(self) -> "MessagingSection":
        """Check that every queue in which a partner may ask for answers is there."""
        for name, one in self.inbound.items():
            missing = [place for place in one.reply_to if place not in self.outbound]
            if missing:
                raise ValueError(
                    f"inbound.{name}.reply_to names {missing[0]!r}, which [messaging.outbound] does not have"
                )
        return self
