"""Messages and files on their way: headers, replies, items of a file, parcels for a destination, outcomes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from canonical.codes.file import REPEATED_IN_FILE
from canonical.errors import RejectedError

Payload = TypeVar("Payload")


@dataclass(frozen=True, slots=True)
class Header:
    """What identifies a message and places it in a conversation (domain 1.2)."""

    message_id: str
    """The sender's id; repeats are recognized by (source, message_id)."""

    source: str
    """The system that sent it."""

    verb: str
    """IEC 61968-100 verb, such as `created`."""

    noun: str
    """IEC 61968-9 noun, or the name of a file kind."""

    correlation_id: str = ""
    causation_id: str = ""
    """Id of the message that caused this one."""

    created_at: datetime | None = None
    effective_at: datetime | None = None
    lane: str = ""
    """Entity key whose messages must stay in order (a usage point, a meter, a file stream)."""

    priority: Literal["high", "normal"] = "normal"
    expires_at: datetime | None = None
    reply_address: str = ""
    part: tuple[int, int] | None = None
    """Which part of how many it is, in a delivery that comes in parts; None where it does not say so."""


@dataclass(frozen=True, slots=True)
class Message(Generic[Payload]):
    """One message in canonical words."""

    header: Header
    payload: Payload


@dataclass(frozen=True, slots=True)
class Several:
    """Messages that go to one destination in one, each with an outcome of its own: a set of operations."""

    messages: tuple[Message[Any], ...]
    """In the order in which they are numbered, 1 for the first."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the sender of a message is told; stored, and told again to a repeat."""

    result: Literal["OK", "PARTIAL", "FAILED", "BUSY"]
    """BUSY: the same message is being processed by another worker."""

    correlation_id: str = ""
    code: str = ""
    """Number and name of the catalogue entry, empty for OK."""

    reason: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
    """Small facts for the sender, such as counts."""

    at: datetime | None = field(default=None, compare=False)
    """Business time at which it was first given; a repeat is told the same. None before it was stored."""


@dataclass(frozen=True, slots=True)
class Item(Generic[Payload]):
    """One business item of a file, read and understood."""

    line: int
    """Line on which it starts, 1 for the first."""

    key: str
    """Its business key inside the file."""

    payload: Payload
    raw: str = ""
    """The line as it came, where it is worth keeping."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """One item of a file that could not be read: rejected alone and named."""

    line: int
    code: str
    """Number and name, such as `7011 BAD_FIELD`."""

    reason: str
    key: str = ""
    """Its business key, as far as it could be read."""

    raw: str = ""
    byte_offset: int = -1

    @property
    def verdict(self) -> Literal["REJECTED", "DUPLICATE"]:
        """What its sender is told: the same record twice in one file was taken once, and is not refused."""
        return "DUPLICATE" if self.code == str(REPEATED_IN_FILE) else "REJECTED"


@dataclass(frozen=True, slots=True)
class OfferedFile:
    """A file that a partner offers, before anything of it was fetched."""

    name: str
    """Name without folder."""

    size: int
    modified: float
    """The server's time stamp in seconds; never identity."""

    has_manifest: bool
    """Whether its control file is there: written last, so the data file is whole."""

    folder: str = ""
    """Folder on the partner's server, as the adapter names it."""


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """An offered file in our spool."""

    offered: OfferedFile
    path: Path
    sha256: str
    """Of the bytes as they were on the wire, before any unpacking."""

    manifest: "Manifest | None"
    refusal: RejectedError | None = None
    """Why the file cannot be used: its control file contradicts it, or its wrapper cannot be opened."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The control file beside a data file (`.ctl`, JSON): what the data file must be."""

    name: str
    bytes: int
    sha256: str
    records: Mapping[str, int]
    """Record count by record type."""

    totals: Mapping[str, Decimal]
    """Control totals by name, such as `KWH_TOTAL.kWh`."""

    sequence: int
    previous_sequence: int | None = None
    layout: str = ""
    """Layout id and version joined by a slash."""

    produced_at: str = ""
    zone: str = ""


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """What a file's name says (domain 4.4, ruling 16)."""

    kind: Literal[
        "request", "reference", "billed", "acknowledgement", "readings", "message", "masters",
        "shipment", "completions", "manual_reads",
    ]  # fmt: skip
    """`message`: one message of any noun, taken whole. `masters`: its items are holdings. The last three are
    of the meter rollout: `canonical.rollout` ShippedMeter, Completion, ManualRead."""

    sender: str
    receiver: str = ""
    env: str = ""
    run_type: str = ""
    cycle: str = ""
    business_date: date | None = None
    sequence: int | None = None
    """None for kinds that carry none (NEM files, acknowledgements)."""

    revision: int = 0
    stream: str = ""
    """Files of one stream are taken in order of sequence: sender and kind unless the adapter says otherwise."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What one streaming pass over a whole file found; a file that must be refused whole raised instead."""

    header: Mapping[str, str]
    """Header fields as text."""

    records: Mapping[str, int]
    totals: Mapping[str, Decimal]
    items: int
    """Business items, good and bad."""

    bad_items: int
    """Items that will come out as a Rejection."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message as it will go over the wire, made when the delivery is enqueued and never changed."""

    name: str
    """File name, or operation, by which the destination knows it."""

    content_type: str
    sha256: str
    size: int
    body: bytes | None = None
    """The wire bytes, or None when they lie in the spool."""

    path: str = ""
    """Spool path, relative to the spool folder, when there is no body."""

    key: str = ""
    """Delivery key: constant over attempts and replays."""

    confirm_name: str = ""
    """What the destination's confirmation will name (the data file's name, a correlation id)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one parcel in one attempt."""

    state: Literal["sent", "confirmed", "rejected", "unavailable"]
    """sent: on the other side, confirmation to come. unavailable: try again."""

    code: str = ""
    reason: str = ""
    reference: str = ""
    """What the other side calls it, if it said."""
