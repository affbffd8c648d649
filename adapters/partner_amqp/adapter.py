"""The port of a partner that takes bare CIM messages from a queue (canonical.ports.Destination). No state."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from adapters.partner_amqp.settings import Settings, settings_from
from adapters.partner_amqp.translate import event_from_message, letter_from_wire, packed
from canonical.errors import UnavailableError
from canonical.messages import Message, Outcome, Parcel
from messaging.letters import Letter
from messaging.port import Queues, open_queues


def build(settings: Mapping[str, object]) -> "QueuePartner":
    """Return the port for one role of the site file.

    Raises:
        MisconfiguredError: a setting is missing or wrong.
    """
    return QueuePartner(settings_from(settings))


class QueuePartner:
    """A partner behind a queue: told of what the hub knows, and heard on a queue of its own."""

    def __init__(self, settings: Settings) -> None:
        """Keep the settings; nothing is connected before it is used."""
        self._settings = settings
        self._key = f"out.{settings.queue}"
        self._kept: Queues | None = None

    def encode(self, message: Message[Any], *, spool: Path) -> Parcel:
        """Return the message as a bare EventMessage or RequestMessage of the partner's edition.

        Raises:
            RejectedError: it cannot be said in a valid message.
        """
        own = self._settings
        raw = event_from_message(message, edition=own.edition, sender=own.sender, form=own.form)
        body = packed(raw) if own.packed else raw
        letter = letter_from_wire(body, edition=own.edition)
        return Parcel(
            name=f"{letter.verb} {letter.noun}",
            content_type="application/gzip" if own.packed else "application/xml",
            sha256=sha256(body).hexdigest(),
            size=len(body),
            body=body,
            key=message.header.message_id,
            confirm_name=letter.correlation_id,
        )

    def carry(self, parcels: Sequence[Parcel], *, spool: Path, timeout_s: float) -> Sequence[Outcome]:
        """Put parcels into the partner's queue, in order, many ahead of their confirms; one outcome for each.

        What the broker holds is `sent` where the partner itself answers, and else `confirmed`.

        Raises:
            MisconfiguredError: the broker refuses us, or the queue is not there.
        """
        try:
            outcomes = self._queues.publish(self._key, [self._letter(one) for one in parcels], timeout_s=timeout_s)
        except UnavailableError as error:
            return [Outcome("unavailable", str(error.code), error.reason)] * len(parcels)
        if self._settings.confirms == "broker":
            return outcomes
        return [replace(one, state="sent") if one.state == "confirmed" else one for one in outcomes]

    def ping(self) -> Iterator[str]:
        """Yield one line for each queue of the partner.

        Raises:
            UnavailableError: the queues are away.
            MisconfiguredError: the broker refuses us.
        """
        exchange = self._settings.messaging.topology.find(self._key).exchange
        for one in self._queues.depths():
            if one.queue.startswith(f"{exchange}."):
                yield f"{one.queue} {'is missing' if one.letters is None else f'holds {one.letters}'}"

    @property
    def _queues(self) -> Queues:
        if self._kept is None:
            self._kept = open_queues(self._settings.messaging)
        return self._kept

    def _letter(self, parcel: Parcel) -> Letter:
        """Return the letter that carries a parcel; the partner answers to the queue that is its own."""
        answers = f"amihub.in.{self._settings.queue}.normal" if self._settings.confirms == "reply" else ""
        return letter_from_wire(parcel.body or b"", edition=self._settings.edition, reply_to=answers)
