"""The port of a head-end over IEC 61968-9 web services: told, asked what it holds, and understood. No state."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from adapters.hes_cim.settings import Settings, settings_from
from adapters.hes_cim.translate import master_data_from_message
from canonical.master_data import MasterData
from canonical.messages import Message, Outcome, Parcel
from canonical.ports import HeldNoun
from iec61968.canonical_nouns.conventions import MasterDataReading
from iec61968.held_masters import held_in_batches
from iec61968.partner import parcel_of, ping, tell
from iec61968.wire import WireMessage


def build(settings: Mapping[str, object]) -> "CimHeadEnd":
    """Return the port for one role of the site file.

    Raises:
        MisconfiguredError: a setting is missing or wrong.
    """
    return CimHeadEnd(settings_from(settings))


class CimHeadEnd:
    """A head-end that takes messages of IEC 61968-9 and sends its own to the hub (canonical.ports.Destination)."""

    def __init__(self, settings: Settings) -> None:
        """Keep the settings; nothing is connected before it is used."""
        self._settings = settings

    @property
    def reading(self) -> MasterDataReading:
        """Return how its messages are to be understood."""
        return self._settings.reading

    def understand(self, wire: WireMessage, *, source: str) -> Message[MasterData]:
        """Return what a message of this system says of master data; `source` is who proved to be the sender.

        Raises:
            RejectedError: not master data, or nothing can be made of the message as a whole.
        """
        strict = self._settings.partner.peer.policy == "strict"
        return master_data_from_message(wire, source=source, settings=self.reading, strict=strict)

    def encode(self, message: Message[Any], *, spool: Path) -> Parcel:
        """Return shipped meters, commissionings, links, documents of any noun, in this system's edition and binding.

        Raises:
            RejectedError: it cannot be said, or what would be said breaks its schema.
        """
        return parcel_of(message, self._settings.partner)

    def carry(self, parcels: Sequence[Parcel], *, spool: Path, timeout_s: float) -> Sequence[Outcome]:
        """Bring parcels over, in order; Result OK confirms, PARTIAL names what was refused. Failures are outcomes."""
        return [tell(parcel, self._settings.partner, timeout_s=timeout_s) for parcel in parcels]

    def held(self, noun: HeldNoun, ids: Sequence[str], *, as_of: datetime, timeout_s: float) -> Iterator[MasterData]:
        """Yield what the system holds of meters or usage points (mRIDs), one message for each batch of them.

        What it does not have is left out, and logged. Objects that cannot be understood are refused by themselves.

        Raises:
            UnavailableError: no answer in time, or the connection was cut.
            RejectedError: it refused the question, or its answer cannot be read.
            MisconfiguredError: its certificate is not the pinned one, or it refuses our credentials.
        """
        own = self._settings
        yield from held_in_batches(
            noun, ids, own.partner, batch=own.batch, source=own.source, as_of=as_of, timeout_s=timeout_s
        )

    def ping(self) -> Iterator[str]:
        """Yield one line for each address of the system that answers at all, with our certificate and credentials.

        Raises:
            UnavailableError: it does not answer.
            MisconfiguredError: its certificate is not the pinned one.
        """
        yield from ping(self._settings.partner, ("ExecuteMeterConfig",))
