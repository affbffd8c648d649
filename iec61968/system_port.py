"""A system over IEC 61968-9 web services: settings of its role, and the port that they make. No state.

What the nouns mean is the standard's; what one product does differently is stated by its settings. So a CIS, a head-end
and a work system differ in what they are asked and told by default, and in nothing else: their adapters say that.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from canonical.master_data import MasterData
from canonical.messages import Message, Outcome, Parcel
from canonical.ports import HeldNoun
from iec61968.canonical_nouns.conventions import MasterDataReading
from iec61968.canonical_nouns.master_data import master_data_from_wire
from iec61968.canonical_nouns.outgoing import Form
from iec61968.held_masters import held_in_batches
from iec61968.partner import Partner, parcel_of, ping, tell
from iec61968.partner_settings import SETTINGS, partner_from, wrong
from iec61968.wire import WireMessage


@dataclass(frozen=True, slots=True)
class System:
    """Where a system is, how it is spoken to, and how its messages are to be understood."""

    partner: Partner
    batch: int
    """Meters or usage points in one question."""

    source: str
    """Name of the feed in what it answers."""

    @property
    def reading(self) -> MasterDataReading:
        """Return how its messages are to be understood."""
        return self.partner.speech.conventions


def system_from(given: Mapping[str, object], *, where: str, form: Form, source: str) -> System:
    """Return the system that a role's settings describe; `form` and `source` hold where they say nothing of them.

    Raises:
        MisconfiguredError: a setting is missing, unknown or has no meaning; `where` names the section.
    """
    unknown = sorted(set(given) - {*SETTINGS, "batch", "source"})
    if unknown:
        raise wrong(f"unknown: {', '.join(unknown)}", where)
    batch = given.get("batch", 200)
    if not isinstance(batch, int) or not 1 <= batch <= 10_000:
        raise wrong(f"batch {batch!r} is not 1 to 10000", where)
    return System(partner_from({"form": form, **given}, where=where), batch, str(given.get("source", source)))


class SystemPort:
    """A system that takes messages of IEC 61968-9 and sends its own to the hub (canonical.ports.Destination)."""

    def __init__(self, system: System, *, pinged: Sequence[str]) -> None:
        """Keep the settings, and which services tell that it is there; nothing is connected before it is used."""
        self._system, self._pinged = system, tuple(pinged)

    @property
    def reading(self) -> MasterDataReading:
        """Return how its messages are to be understood."""
        return self._system.reading

    @property
    def operations_per_message(self) -> int:
        """Return how many messages it takes in one (`canonical.messages.Several`)."""
        return self.reading.operations_per_message

    def understand(self, wire: WireMessage, *, source: str) -> Message[MasterData]:
        """Return what a message of this system says of master data; `source` is who proved to be the sender.

        Objects that cannot be understood are refused by themselves (`MasterData.refused`). Unless the site's policy is
        `strict`, a word outside its enumeration is taken as it came.

        Raises:
            RejectedError: not master data, or nothing can be made of the message as a whole.
        """
        strict = self._system.partner.peer.policy == "strict"
        return master_data_from_wire(wire, source=source, conventions=self.reading, strict=strict)

    def encode(self, message: Message[Any], *, spool: Path) -> Parcel:
        """Return master data, exchanges, orders, readings, documents of any noun, in its edition and binding.

        Raises:
            RejectedError: it cannot be said, or what would be said breaks its schema.
        """
        return parcel_of(message, self._system.partner)

    def carry(self, parcels: Sequence[Parcel], *, spool: Path, timeout_s: float) -> Sequence[Outcome]:
        """Bring parcels over, in order; Result OK confirms, PARTIAL names what was refused. Failures are outcomes."""
        return tell(parcels, self._system.partner, timeout_s=timeout_s)

    def held(self, noun: HeldNoun, ids: Sequence[str], *, as_of: datetime, timeout_s: float) -> Iterator[MasterData]:
        """Yield what the system holds of meters or usage points (mRIDs), one message for each batch of them.

        What it does not have is left out, and logged. Objects that cannot be understood are refused by themselves.

        Raises:
            UnavailableError: no answer in time, or the connection was cut.
            RejectedError: it refused the question, or its answer cannot be read.
            MisconfiguredError: its certificate is not the pinned one, or it refuses our credentials.
        """
        own = self._system
        yield from held_in_batches(
            noun, ids, own.partner, batch=own.batch, source=own.source, as_of=as_of, timeout_s=timeout_s
        )

    def ping(self) -> Iterator[str]:
        """Yield one line for each address of the system that answers at all, with our certificate and credentials.

        Raises:
            UnavailableError: it does not answer.
            MisconfiguredError: its certificate is not the pinned one.
        """
        yield from ping(self._system.partner, self._pinged)
