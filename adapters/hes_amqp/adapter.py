"""The port of a head-end behind a queue: told by bare messages, and understood. No state."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from adapters.hes_amqp.settings import Settings, settings_from
from canonical.master_data import MasterData
from canonical.messages import Message, Outcome, Parcel
from iec61968.bare_parcels import bare_parcel_of, letter_facts
from iec61968.canonical_nouns.conventions import MasterDataReading
from iec61968.canonical_nouns.master_data import master_data_from_wire
from iec61968.wire import WireMessage
from messaging.letters import Letter
from messaging.partner_queue import Carriage


def build(settings: Mapping[str, object]) -> "QueueHeadEnd":
    """Return the port for one role of the site file.

    Raises:
        MisconfiguredError: a setting is missing or wrong.
    """
    return QueueHeadEnd(settings_from(settings))


class QueueHeadEnd:
    """A head-end that reads a queue, and is heard on one of its own (canonical.ports.Destination)."""

    def __init__(self, settings: Settings) -> None:
        """Keep the settings; nothing is connected before it is used."""
        self._settings = settings
        self._carriage = Carriage(settings.place)

    @property
    def reading(self) -> MasterDataReading:
        """Return how its messages are to be understood."""
        return self._settings.reading

    @property
    def operations_per_message(self) -> int:
        """Return how many messages it takes in one (`canonical.messages.Several`)."""
        return self.reading.operations_per_message

    def understand(self, wire: WireMessage, *, source: str) -> Message[MasterData]:
        """Return what a message of this system says of master data; `source` is who its queue proved to be the sender.

        Raises:
            RejectedError: not master data, or nothing can be made of the message as a whole.
        """
        return master_data_from_wire(wire, source=source, conventions=self.reading)

    def encode(self, message: Message[Any], *, spool: Path) -> Parcel:
        """Return shipped meters, commissionings, links, documents of any noun, as a bare message.

        Raises:
            RejectedError: it cannot be said in a valid message.
        """
        return bare_parcel_of(message, self._settings.speech, packed=self._settings.place.packed)

    def carry(self, parcels: Sequence[Parcel], *, spool: Path, timeout_s: float) -> Sequence[Outcome]:
        """Put parcels into the system's queue, in order, many ahead of their confirms; one outcome for each.

        What the broker holds is `sent` where the system itself answers, and else `confirmed`.

        Raises:
            MisconfiguredError: the broker refuses us, or the queue is not there.
        """
        edition, answers = self._settings.speech.edition, self._settings.place.reply_to
        letters = [Letter(**letter_facts(one.body or b"", edition), reply_to=answers) for one in parcels]
        return self._carriage.carry(letters, timeout_s=timeout_s)

    def ping(self) -> Iterator[str]:
        """Yield one line for each queue of the system.

        Raises:
            UnavailableError: the queues are away.
            MisconfiguredError: the broker refuses us.
        """
        yield from self._carriage.ping()
