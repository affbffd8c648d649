"""A partner behind a queue: letters to it, what its broker's confirms mean, and how full its queues are. No state."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from canonical.codes.configuration import BAD_ADAPTER_SETTINGS
from canonical.errors import MisconfiguredError, UnavailableError
from canonical.messages import Outcome
from messaging.letters import Letter
from messaging.port import Queues, open_queues
from messaging.settings import Messaging

Confirms = Literal["broker", "reply"]
"""What confirms a delivery: that the broker holds it, or the partner's own ResponseMessage."""

SETTINGS = ("queue", "messaging", "confirms", "packed")
"""Settings of a role of which a PartnerQueue is made."""


@dataclass(frozen=True, slots=True)
class PartnerQueue:
    """Which queue a partner reads, and what confirms that it has something."""

    queue: str
    """Name in `[messaging.outbound]`."""

    messaging: Messaging
    """The site's queues; the hub adds it."""

    confirms: Confirms = "broker"
    packed: bool = False
    """Whether bodies go gzipped."""

    @property
    def key(self) -> str:
        """Return by what the queues know the partner."""
        return f"out.{self.queue}"

    @property
    def reply_to(self) -> str:
        """Return the queue in which the partner answers; empty where no answer is wanted."""
        return f"amihub.in.{self.queue}.normal" if self.confirms == "reply" else ""


def partner_queue_from(given: Mapping[str, object], *, where: str) -> PartnerQueue:
    """Return the queue that a role's settings describe; other settings are not looked at.

    Raises:
        MisconfiguredError: a setting is missing or has no meaning, or the site has no such queue.
    """
    values: dict[str, Any] = {"confirms": "broker", "packed": False, **given}
    if not values.get("queue"):
        raise _wrong("missing: queue", where)
    if not isinstance(values.get("messaging"), Messaging):
        raise _wrong("the site has no [messaging]", where)
    if values["confirms"] not in ("broker", "reply"):
        raise _wrong(f"confirms {values['confirms']!r}", where)
    if not isinstance(values["packed"], bool):
        raise _wrong(f"packed {values['packed']!r}", where)
    messaging: Messaging = values["messaging"]
    found = PartnerQueue(str(values["queue"]), messaging, cast("Confirms", values["confirms"]), values["packed"])
    messaging.topology.find(found.key)
    return found


class Carriage:
    """The way of letters into one partner's queues; nothing is connected before it is used."""

    def __init__(self, own: PartnerQueue) -> None:
        """Keep which queue it is."""
        self._own = own
        self._kept: Queues | None = None

    def carry(self, letters: Sequence[Letter], *, timeout_s: float) -> Sequence[Outcome]:
        """Put letters into the partner's queue, in order, many ahead of their confirms; one outcome for each.

        What the broker holds is `sent` where the partner itself answers, and else `confirmed`.

        Raises:
            MisconfiguredError: the broker refuses us, or the queue is not there.
        """
        try:
            outcomes = self._queues.publish(self._own.key, letters, timeout_s=timeout_s)
        except UnavailableError as error:
            return [Outcome("unavailable", str(error.code), error.reason)] * len(letters)
        if self._own.confirms == "broker":
            return outcomes
        return [replace(one, state="sent") if one.state == "confirmed" else one for one in outcomes]

    def ping(self) -> Iterator[str]:
        """Yield one line for each queue of the partner.

        Raises:
            UnavailableError: the queues are away.
            MisconfiguredError: the broker refuses us.
        """
        exchange = self._own.messaging.topology.find(self._own.key).exchange
        for one in self._queues.depths():
            if one.queue.startswith(f"{exchange}."):
                yield f"{one.queue} {'is missing' if one.letters is None else f'holds {one.letters}'}"

    @property
    def _queues(self) -> Queues:
        if self._kept is None:
            self._kept = open_queues(self._own.messaging)
        return self._kept


def _wrong(reason: str, where: str) -> MisconfiguredError:
    return MisconfiguredError(reason, code=BAD_ADAPTER_SETTINGS, where=where)
