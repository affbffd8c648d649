"""Questions that others ask the hub, and what they are answered."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from canonical.codes.exchange import ANSWER_FOLLOWS
from canonical.errors import UnavailableError
from canonical.metering import MeterReadings, ReadingQuestion
from canonical.periods import Period

Result = Literal["OK", "PARTIAL", "FAILED"]


@dataclass(frozen=True, slots=True)
class NamedObject:
    """What a question names instead of the mRID of a usage point."""

    kind: Literal["meter", "serial", "name"]
    """A meter by mRID, a meter by serial alone, or a usage point by what the trade calls it."""

    value: str


@dataclass(frozen=True, slots=True)
class ReadingsAsked:
    """A request for readings: one question for each usage point, span and purpose."""

    questions: tuple[ReadingQuestion, ...]
    reply_to: str = ""
    """Destination of the asynchronous answer, by its name in the site; empty: the caller waits."""

    deadline_s: float | None = None
    """How long the caller gives it, in seconds from its beginning; None: as the site says."""

    not_before: datetime | None = None
    """Instant before which it is not begun (ScheduleTime); None: at once."""

    expires_at: datetime | None = None
    """Instant from which it is no longer begun (MaxScheduleTime); None: only its deadline ends it."""

    priority: Literal["high", "normal"] = "normal"
    named: tuple[tuple[NamedObject, ReadingQuestion], ...] = ()
    """Objects that are named otherwise, each with a question that lacks its usage point; see `flows.read_subjects`."""


class AnswerFollowsError(UnavailableError):
    """A role took questions and answers them, or the rest of them, by messages of its own."""

    def __init__(self, awaited: Mapping[str, Sequence[str]], *, begun: Collection[str] = ()) -> None:
        """Keep the usage points that are awaited by correlation id; of those in `begun` a first part came already."""
        super().__init__("the answer follows", code=ANSWER_FOLLOWS)
        self.awaited = {name: tuple(points) for name, points in awaited.items()}
        self.begun = frozenset(begun)


@dataclass(frozen=True, slots=True)
class RequestChange:
    """A caller withdraws earlier requests, or puts another question in the place of one."""

    kind: Literal["cancel", "change"]
    message_ids: tuple[str, ...] = ()
    """Message ids of the requests that are meant; empty: the one of the correlation id."""

    asked: ReadingsAsked | None = None
    """With `change`: what is asked now."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """One object of a request without an answer, or with less than was asked."""

    object_id: str
    """mRID of the usage point."""

    code: str
    """Number and name of the catalogue entry."""

    reason: str
    purpose: str = ""
    """ReadingReasonKind of the question, where a request has several."""

    period: Period | None = None
    """Span of the question, where a request has several."""


@dataclass(frozen=True, slots=True)
class ReadingsAnswer:
    """What a request for readings came to; a large one, or one that waits for some objects, is told in parts."""

    readings: tuple[MeterReadings, ...]
    unanswered: tuple[Unanswered, ...] = ()
    source: str = ""
    """Who said so: the role asked, or `store` for what the hub holds."""

    as_of: datetime | None = None
    """With `store`: the instant as of which it is known."""

    overall: Result | None = None
    """How the whole request ended, where this is its last part; None: as this part says by itself."""

    more: bool = False
    """Whether further parts follow (reply code 0.1)."""

    last_of_several: bool = False
    """Whether parts went before this one, which is the last (reply code 0.2 unless all is well)."""

    part: tuple[int, int] | None = None
    """Number of this part and how many there are, where that is known (MessageIndex)."""

    late: bool = False
    """Whether it comes behind the deadline: what the requester was told then stands."""

    @property
    def result(self) -> Result:
        """OK: everything is answered. PARTIAL: some objects are not, or more follows. FAILED: none is."""
        if self.more:
            return "PARTIAL"
        if self.overall is not None:
            return self.overall
        if not self.unanswered:
            return "OK"
        return "PARTIAL" if self.readings else "FAILED"
