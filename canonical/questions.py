"""Questions that others ask the hub, and what they are answered."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from canonical.metering import MeterReadings, ReadingQuestion


@dataclass(frozen=True, slots=True)
class ReadingsAsked:
    """A request for readings: one question for each usage point."""

    questions: tuple[ReadingQuestion, ...]
    reply_to: str = ""
    """Destination of the asynchronous answer, by its name in the site; empty: the caller waits."""

    deadline_s: float | None = None
    """How long the caller gives it, in seconds; None: as the site says."""


@dataclass(frozen=True, slots=True)
class RequestChange:
    """A caller withdraws an earlier request, or puts another question in its place."""

    kind: Literal["cancel", "change"]
    message_id: str = ""
    """Message id of the request that is meant; empty: its correlation id is enough."""

    asked: ReadingsAsked | None = None
    """With `change`: what is asked now."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """One object of a request without an answer."""

    object_id: str
    """mRID of the usage point."""

    code: str
    """Number and name of the catalogue entry."""

    reason: str


@dataclass(frozen=True, slots=True)
class ReadingsAnswer:
    """What a request for readings came to."""

    readings: tuple[MeterReadings, ...]
    unanswered: tuple[Unanswered, ...] = ()
    source: str = ""
    """Who said so: the role asked, or `store` for what the hub holds."""

    as_of: datetime | None = None
    """With `store`: the instant as of which it is known."""

    @property
    def result(self) -> Literal["OK", "PARTIAL", "FAILED"]:
        """OK: everything is answered. PARTIAL: some objects are not. FAILED: none is."""
        if not self.unanswered:
            return "OK"
        return "PARTIAL" if self.readings else "FAILED"
