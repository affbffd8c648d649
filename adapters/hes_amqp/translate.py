"""Messages of a head-end behind a queue in canonical words and back (docs/adapters/hes.md).

What the nouns mean is the standard's and stands in `iec61968.canonical_nouns`; what one product does differently is
stated by its settings (`MasterDataReading`).
"""

from canonical.master_data import MasterData
from canonical.messages import Message
from iec61968.canonical_nouns.conventions import MasterDataReading
from iec61968.canonical_nouns.master_data import master_data_from_wire
from iec61968.canonical_nouns.sample_messages import Meant, read_sample, write_sample
from iec61968.wire import WireMessage

_SAMPLES = MasterDataReading(zone="America/Toronto")
"""How the samples are to be understood."""


def master_data_from_message(
    wire: WireMessage, *, source: str, settings: MasterDataReading, strict: bool = True
) -> Message[MasterData]:
    """Return what a message says of meters and links.

    `source` is who proved to be the sender. Objects that cannot be understood are refused by themselves. Without
    `strict` a word outside its enumeration is taken as it came.

    Raises:
        RejectedError: not master data, or nothing can be made of the message as a whole.
    """
    return master_data_from_wire(wire, source=source, conventions=settings, strict=strict)


def golden_read(wire: bytes, name: str) -> Meant:
    """Return what a sample message means; `name` is the file's, for errors."""
    return read_sample(wire, name, source="hes", conventions=_SAMPLES)


def golden_write(meant: Meant, _name: str = "") -> bytes:
    """Return the message that means this, indented as samples are."""
    return write_sample(meant, conventions=_SAMPLES, bare=True)
