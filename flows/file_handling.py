"""What taking in a file needs to know and says: policy, the file in hand, its handler, problems and the report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from canonical.billing import ItemVerdict, Verdict
from canonical.errors import ErrorCode
from canonical.messages import FileFacts, FileIdentity, Item, Rejection, Reply
from canonical.ports import Destination, FileReader, Inbox
from store.session import Session


class FilePort(Inbox, FileReader, Destination, Protocol):
    """A partner whose files are taken in, and who is told what became of them."""


@dataclass(frozen=True, slots=True)
class IntakePolicy:
    """How one inbox is worked (domain 4.4, 4.5)."""

    stable_s: float = 60.0
    """Machine seconds for which a file without control file keeps size and time stamp, in two polls or more."""

    give_up_s: float = 600.0
    """Seconds of machine time after which such a file, still not whole, is refused."""

    max_error_percent: Decimal = Decimal(1)
    """Share of bad items above which a file is refused whole."""

    gap_hours: Decimal = Decimal(4)
    """Hours of business time for which later files wait behind a gap in the sequence."""

    order: Literal["strict", "any"] = "strict"
    """What happens to them afterwards: `strict` keeps them held for a person, `any` takes them in."""

    zone: str = "UTC"
    """IANA zone in which a business date is today."""

    oldest_days: int = 45
    """Days after its business date from which a file is held."""

    receiver: str = ""
    """Our code as receiver in names; a file for another one is refused. Empty: not looked at."""

    env: str = ""
    """`TEST` or `PROD`, likewise."""

    batch_size: int = 500
    """Items handled in one transaction."""

    lease_s: float = 900.0
    """Seconds of machine time for which a claimed file is left to its worker."""


@dataclass(frozen=True, slots=True)
class FileContext:
    """The file in hand, as its handler sees it."""

    file_id: str
    """The ledger's id, minted from role, name and arrival."""

    role: str
    name: str
    identity: FileIdentity
    facts: FileFacts
    sha256: str
    """Of the bytes on the wire."""

    received_at: datetime
    """Business time at which it was first seen."""


class FileHandler(Protocol):
    """What a flow does with the items of one kind of file; every method runs inside a transaction."""

    def begin(self, session: Session, file: FileContext) -> None:
        """Open the file's business record; called once, before the first batch.

        Raises:
            RejectedError: the file is refused whole.
        """
        ...

    def handle(
        self, session: Session, file: FileContext, batch: Sequence[Item[Any] | Rejection], *, now: datetime
    ) -> Sequence[ItemVerdict]:
        """Apply one batch and return a verdict for each item, in order; nothing of it is applied twice."""
        ...

    def finish(self, session: Session, file: FileContext, *, now: datetime) -> None:
        """Close the file's business record; called once, after the last batch."""
        ...


@runtime_checkable
class CountsRejected(Protocol):
    """A handler that keeps count of what was rejected, beside the verdicts."""

    def again(self, session: Session, file: FileContext, *, rejected: int) -> None:
        """Forget so many rejected items: they are handed in again next, in the same transaction.

        Raises:
            RejectedError: it is too late for them (NOT_REPLAYABLE).
        """
        ...


@dataclass(frozen=True, slots=True)
class MessageTaken:
    """What became of a file that is one message."""

    reply: Reply
    sha256: str
    """Of the bytes that were archived as the message."""

    answer: bytes
    """What its sender is told; empty where nothing is said, as to an answer."""


class MessageTaker(Protocol):
    """Takes a file that is one message whole, by the road of every other carrier; no transaction is open."""

    def take(self, path: Path) -> MessageTaken:
        """Archive, translate and handle the message in the unpacked file `path`; a repeat gets the first answer.

        Raises:
            UnavailableError: what it needs is away; the next pass tries again.
            MisconfiguredError: the hub is set up wrong.
        """
        ...


@dataclass(frozen=True, slots=True)
class IntakeProblem:
    """Something about a file that a person should know; a work item can be made of it."""

    code: ErrorCode
    role: str
    file_id: str
    name: str
    reason: str
    state: Literal["rejected", "duplicate", "held", "alert"]
    """What happened to the file: `alert` means that it was taken in, or still waits, in spite of the problem."""

    kind: str = ""
    sender: str = ""
    since: datetime | None = None
    """Business time from which it is so."""


OnProblem = Callable[[Session, IntakeProblem], None]
"""Told of each problem once, inside the transaction that records it."""


@dataclass(frozen=True, slots=True)
class TakenFile:
    """What became of one file in one pass."""

    file_id: str
    name: str
    kind: str
    verdict: Verdict
    code: str
    reason: str
    accepted: int = 0
    rejected: int = 0
    duplicates: int = 0


@dataclass(frozen=True, slots=True)
class IntakeReport:
    """What one pass over one inbox found and did."""

    role: str
    offered: int
    taken: tuple[TakenFile, ...]
    waiting: tuple[str, ...]
    """Names that are not ready, held, or worked on by another."""

    problems: tuple[IntakeProblem, ...]
