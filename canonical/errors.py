"""What can go wrong, named by what to do next.

HubError
├── RejectedError       the data is wrong: park the message, tell the sender, never retry
├── UnavailableError    the other side is away: retry with back-off
└── MisconfiguredError  we are set up wrong: stop the flow, call a person
"""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["INFO", "WARNING", "ERROR", "FATAL"]


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One entry of the published catalogue (docs/errors.md): a stable number with a name."""

    number: str
    """Four digits; the first names the area (1 message, 2 identity, 3 linkage, 4 configuration, ...)."""

    name: str
    """Upper-case name, unique in the catalogue."""

    meaning: str
    """What is wrong, in one plain sentence."""

    next_step: str
    """What the reader should do, in one plain sentence."""

    acts: str = "sender"
    """Who acts: `sender`, `operator`, `billing`, `administrator` or `hub`."""

    severity: Severity = "ERROR"
    """How bad it is for the thing it is said of."""

    retryable: bool = False
    """True when the same message may succeed later without being changed."""

    def __str__(self) -> str:
        """Return the code as people write it, such as `7004 TRAILER_MISMATCH`."""
        return f"{self.number} {self.name}"


class HubError(Exception):
    """Base of everything that the hub raises on purpose."""

    def __init__(self, reason: str, *, code: ErrorCode, where: str = "") -> None:
        """Keep what is wrong (`reason`), its catalogue `code` and its place (`where`: XPath, or file and line)."""
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.where = where

    def __str__(self) -> str:
        """Return code, place and reason on one line."""
        place = f" at {self.where}" if self.where else ""
        return f"{self.code}{place}: {self.reason}"


class RejectedError(HubError):
    """The data is wrong: park the message, tell the sender, never retry."""


class UnavailableError(HubError):
    """The other side is away: retry with back-off."""


class MisconfiguredError(HubError):
    """We are set up wrong: stop the flow, call a person."""
