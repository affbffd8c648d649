"""One round of a request for readings: what the role says of each object, what is missing of it, what must wait."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from canonical.codes import exchange, message
from canonical.errors import RejectedError, UnavailableError
from canonical.messages import Message, Parcel
from canonical.metering import MeterReadings, ReadingQuestion
from canonical.ports import MeterDataSystem
from canonical.questions import AnswerFollowsError, ReadingsAnswer, Unanswered
from store import readings, request_facts
from store.request_turns import AskedPart, ChildEnd, Taken
from store.requests import child_id
from store.session import Transaction


@dataclass(frozen=True, slots=True)
class Policy:
    """What a site allows."""

    role: str = "mdms"
    """Role that is asked."""

    sync_limit: int = 20
    """Usage points that are answered while the caller waits."""

    bulk_limit: int = 5000
    """Usage points of one request at all."""

    pending_limit: int = 1000
    """Unanswered asynchronous requests of one caller."""

    deadline_s: float = 3600.0
    """How long a request may take, in business seconds, where it does not say so itself."""

    timeout_s: float = 30.0
    """Patience with one question to the role."""

    from_store: bool = False
    """Whether what the hub holds may be told, with source and time, while the role is away."""

    coalesce_s: float = 60.0
    """How long an answer also serves whoever asks the same, in business seconds; 0: never."""

    search_attempts: int = 6
    """How often an object is asked for that nobody knows, where nobody waits."""

    search_interval_s: float = 600.0
    """Business seconds between two of these."""

    retry_s: float = 30.0
    """Business seconds after which a role that was away is asked again; doubled each time, where nobody waits."""

    retry_cap_s: float = 900.0


class AnswerWriter(Protocol):
    """Takes readings one by one, so that an answer of any size need not be held."""

    def add(self, one: MeterReadings) -> None:
        """Take what was said of one usage point."""
        ...

    def finish(self, message: Message[ReadingsAnswer]) -> list[Parcel]:
        """Return the answer as one message, or as several parts; what it says beside the readings is in `message`."""
        ...

    def told(self) -> Iterator[MeterReadings]:
        """Yield the readings again."""
        ...

    def close(self) -> None:
        """Give up what was only needed on the way."""
        ...


@dataclass(slots=True)
class Round:
    """How one round went."""

    ends: dict[tuple[str, str], ChildEnd] = field(default_factory=dict)
    """By sub-request and usage point; everything else was answered."""

    unanswered: list[Unanswered] = field(default_factory=list)
    """What the requester is told of: final failures of this round."""

    sources: set[str] = field(default_factory=set)
    as_of: datetime | None = None
    retry_at: datetime | None = None
    """When the soonest of the objects that wait is asked again."""

    follows: list[tuple[str, AnswerFollowsError]] = field(default_factory=list)
    """By sub-request: what the role will answer in messages of its own."""

    @property
    def waits(self) -> bool:
        """Return whether some objects are asked again later."""
        return any(end.state in ("PAUSED", "WAITING") for end in self.ends.values())


def ask(
    taken: Taken,
    answer: AnswerWriter,
    *,
    meter_data: MeterDataSystem,
    transaction: Transaction,
    now: datetime,
    policy: Policy,
) -> Round:
    """Ask the role everything that is open of a request; readings go to `answer`, the rest is returned."""
    found = Round()
    for part in taken.parts:
        _ask_part(taken, part, answer, found, meter_data, transaction, now, policy)
    return found


def _ask_part(
    taken: Taken,
    part: AskedPart,
    answer: AnswerWriter,
    found: Round,
    meter_data: MeterDataSystem,
    transaction: Transaction,
    now: datetime,
    policy: Policy,
) -> None:
    """Ask about one span and purpose."""
    heard: dict[str, set[str]] = {}
    trouble: UnavailableError | RejectedError | None = None
    try:
        _hear(meter_data.readings(part.questions, timeout_s=policy.timeout_s), part, answer, heard)
        found.sources.add(policy.role)
    except AnswerFollowsError as error:
        found.sources.add(policy.role)
        trouble = _await(taken, part, heard, found, error)
    except (UnavailableError, RejectedError) as error:
        trouble = error
    if isinstance(trouble, UnavailableError) and policy.from_store and not part.questions[0].fresh:
        rest = [one for one in part.questions if one.usage_point not in heard]
        _hear(_from_store(rest, transaction), part, answer, heard)
        found.sources.add("store")
        found.as_of, trouble = now, None
    missing = [
        one
        for one in part.questions
        if one.usage_point not in heard and (part.sub_id, one.usage_point) not in found.ends
    ]
    with transaction() as session:
        known = request_facts.known_points(session, {one.usage_point for one in missing})
    for one in missing:
        end, again = _missing(one, part, taken, trouble, known, now, policy)
        _note(found, part, one, end, again)
    for one in part.questions:
        lacking = [code for code in one.reading_types if code not in heard.get(one.usage_point, set())]
        if one.usage_point in heard and lacking:
            end = ChildEnd("PARTIAL_SUCCESS", str(exchange.READING_TYPES_UNAVAILABLE), "without " + " ".join(lacking))
            _note(found, part, one, end, None)


def _await(
    taken: Taken, part: AskedPart, heard: Mapping[str, object], found: Round, error: AnswerFollowsError
) -> UnavailableError | None:
    """Let objects wait whose answers follow; who waits himself cannot, and is told that the role has no answer now."""
    if not taken.reply_to:
        return error
    found.follows.append((part.sub_id, error))
    points = {point for awaited in error.awaited.values() for point in awaited} - set(heard)
    for point in sorted(points):
        found.ends[part.sub_id, point] = ChildEnd("WAITING", str(error.code), error.reason)
    return None


def put_together(
    taken: Taken,
    answer: AnswerWriter,
    *,
    parts: Mapping[str, tuple[Iterable[MeterReadings], str]],
    policy: Policy,
) -> Round:
    """Return the round of objects whose answers came in messages of their own.

    `parts` gives by sub-request what came, and what is missing of it, in words.
    """
    found = Round(sources={policy.role})
    for part in taken.parts:
        came, lacking = parts.get(part.sub_id, ((), "the rest"))
        heard: dict[str, set[str]] = {}
        _hear(came, part, answer, heard)
        for one in part.questions:
            if one.usage_point not in heard:
                code = exchange.PARTS_MISSING if lacking else message.READINGS_UNAVAILABLE
                reason = f"{lacking} of the answer did not come" if lacking else "no readings of it for the span"
                _note(found, part, one, ChildEnd("FAILED", str(code), reason), None)
    return found


def _hear(said: Iterable[MeterReadings], part: AskedPart, answer: AnswerWriter, heard: dict[str, set[str]]) -> None:
    """Pass on what was asked for, and remember of which usage points and reading types that was."""
    asked = {one.usage_point: one for one in part.questions}
    for one in said:
        question = asked.get(one.usage_point)
        if question is None:
            continue
        wanted = only_wanted(one, question)
        if wanted.registers or wanted.blocks or not question.reading_types:
            types = heard.setdefault(one.usage_point, set())
            types.update(r.reading_type for r in wanted.registers)
            types.update(b.reading_type for b in wanted.blocks)
            answer.add(wanted)


def only_wanted(one: MeterReadings, question: ReadingQuestion) -> MeterReadings:
    """Return readings without the reading types that nobody asked for."""
    types = question.reading_types
    if not types:
        return one
    return replace(
        one,
        registers=tuple(reading for reading in one.registers if reading.reading_type in types),
        blocks=tuple(block for block in one.blocks if block.reading_type in types),
    )


def _from_store(questions: Iterable[ReadingQuestion], transaction: Transaction) -> Iterator[MeterReadings]:
    """Yield what the hub holds."""
    for question in questions:
        with transaction() as session:
            held = readings.held(session, [question.usage_point], question.period).get(question.usage_point)
        if held is not None:
            meters = [one.meter for one in held.registers] + [one.meter for one in held.blocks]
            yield MeterReadings(question.usage_point, next(iter(meters), ""), held.registers, held.blocks)


def _missing(
    one: ReadingQuestion,
    part: AskedPart,
    taken: Taken,
    trouble: UnavailableError | RejectedError | None,
    known: set[str],
    now: datetime,
    policy: Policy,
) -> tuple[ChildEnd, datetime | None]:
    """Return how an object ends of which nothing was said, and when it is asked again."""
    waited = taken.waited.get(child_id(part.sub_id, one.usage_point), 0)
    if isinstance(trouble, UnavailableError):
        again = now + timedelta(seconds=min(policy.retry_cap_s, policy.retry_s * 2.0 ** min(waited, 20)))
        end = ChildEnd("FAILED", str(message.PARTNER_AWAY), trouble.reason)
        may_wait = again < taken.deadline
    elif trouble is not None:
        return ChildEnd("FAILED", str(trouble.code), trouble.reason), None
    elif one.usage_point in known:
        return ChildEnd("FAILED", str(message.READINGS_UNAVAILABLE), "no readings of it for the span"), None
    else:
        again = now + timedelta(seconds=policy.search_interval_s)
        end = ChildEnd("FAILED", str(exchange.DEP_NOT_FOUND), "neither a master nor the meter data system knows it")
        may_wait = waited + 1 < policy.search_attempts
    if taken.reply_to and may_wait:
        return replace(end, state="PAUSED"), again
    return end, None


def _note(found: Round, part: AskedPart, one: ReadingQuestion, end: ChildEnd, again: datetime | None) -> None:
    """Keep how one object ended."""
    found.ends[part.sub_id, one.usage_point] = end
    if again is not None:
        found.retry_at = min(again, found.retry_at or again)
        return
    found.unanswered.append(Unanswered(one.usage_point, end.code, end.reason, one.reason, one.period))


def all_failed(taken: Taken, code: str, reason: str) -> Round:
    """Return a round in which everything that is open failed alike."""
    found = Round()
    for part in taken.parts:
        for one in part.questions:
            _note(found, part, one, ChildEnd("FAILED", code, reason), None)
    return found
