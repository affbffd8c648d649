"""The port of a partner that takes bare CIM messages from a queue (canonical.ports.Destination). No state."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from adapters.partner_amqp.settings import Settings, settings_from
from adapters.partner_amqp.translate import letter_from_wire
from canonical.messages import Message, Outcome, Parcel
from iec61968.bare_parcels import bare_parcel_of
from messaging.partner_queue import Carriage


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
        self._carriage = Carriage(settings.place)

    def encode(self, message: Message[Any], *, spool: Path) -> Parcel:
        """Return the message as a bare EventMessage or RequestMessage of the partner's edition.

        Raises:
            RejectedError: it cannot be said in a valid message.
        """
        return bare_parcel_of(message, self._settings.speech, packed=self._settings.place.packed)

    def carry(self, parcels: Sequence[Parcel], *, spool: Path, timeout_s: float) -> Sequence[Outcome]:
        """Put parcels into the partner's queue, in order, many ahead of their confirms; one outcome for each.

        What the broker holds is `sent` where the partner itself answers, and else `confirmed`.

        Raises:
            MisconfiguredError: the broker refuses us, or the queue is not there.
        """
        own = self._settings
        edition, answers = own.speech.edition, own.place.reply_to
        letters = [letter_from_wire(one.body or b"", edition=edition, reply_to=answers) for one in parcels]
        return self._carriage.carry(letters, timeout_s=timeout_s)

    def ping(self) -> Iterator[str]:
        """Yield one line for each queue of the partner.

        Raises:
            UnavailableError: the queues are away.
            MisconfiguredError: the broker refuses us.
        """
        yield from self._carriage.ping()
