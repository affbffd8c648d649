"""What the hub asks of each outside role. Adapters answer these; flows know nothing else of the outside.

Every method that may see more than ten things takes a sequence or yields; there is no single form beside it.
Ports raise UnavailableError (try again), RejectedError (never) or MisconfiguredError (call a person).
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol

from canonical.master_data import MasterData
from canonical.messages import (
    FetchedFile,
    FileFacts,
    FileIdentity,
    Item,
    Message,
    OfferedFile,
    Outcome,
    Parcel,
    Rejection,
)
from canonical.metering import MeterReadings, ReadingQuestion


class Destination(Protocol):
    """A system that the hub changes: the one way out."""

    def encode(self, message: Message[Any], *, spool: Path) -> Parcel:
        """Return the message as wire bytes, or as a file below `spool`. Pure: the same message, the same bytes.

        Raises:
            RejectedError: the message cannot be said in this system's words.
        """
        ...

    def carry(self, parcels: Sequence[Parcel], *, spool: Path, timeout_s: float) -> Sequence[Outcome]:
        """Bring parcels over, in order; return one outcome for each. An outside failure is an outcome, not raised."""
        ...


class Inbox(Protocol):
    """A place where a partner offers files. Its only caller is `flows.file_intake`."""

    def offered(self) -> Sequence[OfferedFile]:
        """Return the data files on offer, by name; control files are folded into `has_manifest`.

        Raises:
            UnavailableError: the partner's server is away or cut the connection.
            MisconfiguredError: its host key changed, or it refuses our key.
        """
        ...

    def fetch(self, files: Sequence[OfferedFile], into: Path) -> Iterator[FetchedFile]:
        """Bring files into the folder `into`, resuming what was cut; yield each with its hash and control file."""
        ...

    def retire(self, files: Sequence[OfferedFile], *, accepted: bool) -> None:
        """Move files, with their control files, to the partner's archive (or reject) folder; a missing one is done."""
        ...


class FileReader(Protocol):
    """Reads the file kinds of one partner. `where` names the file in every error."""

    def identify(self, name: str) -> FileIdentity:
        """Return what the name says.

        Raises:
            RejectedError: the name follows no pattern of this partner.
        """
        ...

    def examine(self, stream: BinaryIO, *, identity: FileIdentity, where: str) -> FileFacts:
        """Read the whole file once, in bounded memory, and say what it is: header, trailer, counts, control totals.

        Raises:
            RejectedError: the file must be refused whole (no trailer, wrong counts or totals, not this layout).
        """
        ...

    def items(self, stream: BinaryIO, *, identity: FileIdentity, where: str) -> Iterator[Item[Any] | Rejection]:
        """Yield every business item of an examined file in order, or its rejection."""
        ...


class CustomerSystem(Destination, Inbox, FileReader, Protocol):
    """A CIS: asks for billing, gives reference data, takes determinants, says what it loaded and billed."""


class MeterDataFiles(Inbox, FileReader, Protocol):
    """A provider of meter data or of meters' masters as files; it is told by acknowledgements (`Destination`)."""


class MeterDataSystem(Destination, Protocol):
    """An MDMS that can be asked."""

    def readings(self, questions: Sequence[ReadingQuestion], *, timeout_s: float) -> Iterator[MeterReadings]:
        """Yield what the system holds for the questions; a usage point that it cannot answer for is left out.

        Raises:
            UnavailableError: no answer in time, a server fault, or the connection was cut.
            AnswerFollowsError: everything that came at once was yielded; the rest comes by messages of its own.
            RejectedError: it refused the question.
        """
        ...


HeldNoun = Literal["MeterConfig", "UsagePointConfig"]
"""Kinds of master data that a system can be asked for."""


class HoldsMasterData(Protocol):
    """A system that can be asked for the master data that it holds, to compare it with the hub's."""

    def held(self, noun: HeldNoun, ids: Sequence[str], *, as_of: datetime, timeout_s: float) -> Iterator[MasterData]:
        """Yield what the system holds of meters or usage points (mRIDs); what it does not have is left out.

        `as_of` is business time, the timestamp of the question.

        Raises:
            UnavailableError: no answer in time, or the connection was cut.
            RejectedError: it refused the question, or its answer cannot be read.
        """
        ...


class TakesSeveral(Protocol):
    """A destination that may take several messages in one (`canonical.messages.Several`)."""

    @property
    def operations_per_message(self) -> int:
        """Return how many at most; 1: it takes none but single ones."""
        ...


class HasEndpoint(Protocol):
    """A port that can say whether its other side answers (`amihub config test`)."""

    def ping(self) -> Iterable[str]:
        """Return one line for each thing tried; raises as any port does."""
        ...
