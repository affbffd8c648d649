"""Which usage points a request for readings means that names meters, serials, or usage points by the trade's name."""

from collections.abc import Collection
from dataclasses import replace

from canonical.codes.identity import AMBIGUOUS_SUBJECT
from canonical.errors import RejectedError
from canonical.metering import Installation
from canonical.names import normal_serial
from canonical.periods import Period
from canonical.questions import NamedObject, ReadingsAsked
from store import reference_book
from store.session import Session


def resolve(session: Session, asked: ReadingsAsked) -> ReadingsAsked:
    """Return the request with a question for the usage point of every object that it names.

    A meter means the usage point at which it hangs within the span. What nobody knows is asked for under its own name:
    it is then searched for, or said to be unknown, like every usage point.

    Raises:
        RejectedError: an object stands for more than one usage point (AMBIGUOUS_SUBJECT).
    """
    if not asked.named:
        return asked
    found = {kind: {one.value for one, _ in asked.named if one.kind == kind} for kind in ("meter", "serial", "name")}
    names = reference_book.usage_points_named(session, found["name"])
    meters = reference_book.installations_of_meters(session, found["meter"])
    serials = reference_book.installations_of_serials(session, found["serial"])
    questions = dict.fromkeys(asked.questions)
    for one, question in asked.named:
        if one.kind == "name":
            points: Collection[str] = names.get(one.value, ())
        else:
            hung = meters.get(one.value) if one.kind == "meter" else serials.get(normal_serial(one.value))
            points = _places(hung or (), question.period)
        questions[replace(question, usage_point=_only(one, points))] = None
    return replace(asked, questions=tuple(questions), named=())


def _places(installations: Collection[Installation], period: Period) -> set[str]:
    """Return the usage points at which a meter hangs within a span; where it hung at all if it is none."""
    within = {one.usage_point for one in installations if one.active.overlaps(period) or period.end in one.active}
    return within or {one.usage_point for one in installations}


def _only(one: NamedObject, points: Collection[str]) -> str:
    """Return the one usage point, or the name itself where nobody knows it."""
    if len(points) > 1:
        reason = f"{one.kind} {one.value!r} stands for {len(points)} usage points"
        raise RejectedError(reason, code=AMBIGUOUS_SUBJECT, where="GetMeterReadings")
    return next(iter(points), one.value)
