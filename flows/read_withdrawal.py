"""Cancelling and changing requests for readings: done, or one of four coded refusals; of several, how many."""

from datetime import datetime

from canonical.codes import message as codes
from canonical.codes.exchange import PARTLY_CANCELLED
from canonical.errors import ErrorCode, RejectedError
from canonical.messages import Header, Reply
from canonical.questions import RequestChange
from canonical.replies import of_object
from store import withdrawals
from store.session import Session
from store.withdrawals import Withdrawn

_REFUSALS: dict[str, ErrorCode] = {
    "not found": codes.REQUEST_NOT_FOUND,
    "ambiguous": codes.REQUEST_AMBIGUOUS,
    "final": codes.REQUEST_FINAL,
    "under way": codes.REQUEST_UNDER_WAY,
}


def withdraw(session: Session, header: Header, change: RequestChange, *, now: datetime) -> Reply:
    """Withdraw requests, or change one; the reply's details say how many of how many.

    PARTIAL: of several requests some could not be cancelled, each is named; or some objects had an answer before.

    Raises:
        RejectedError: nothing could be withdrawn (REQUEST_NOT_FOUND, REQUEST_AMBIGUOUS, REQUEST_FINAL,
            REQUEST_UNDER_WAY).
    """
    names = change.message_ids or ("",)
    done = {name: _withdraw(session, header, change, name, now) for name in names}
    good = [one for one in done.values() if one.outcome == "done"]
    if not good:
        first = next(iter(done.values()))
        told = f"request {next(iter(done)) or header.correlation_id}: {first.outcome}"
        raise RejectedError(told, code=_REFUSALS[first.outcome])
    if change.asked is not None:
        return Reply("OK", header.correlation_id, details={"changed": good[0].request_id})
    return _counted(header, done)


def _withdraw(session: Session, header: Header, change: RequestChange, name: str, now: datetime) -> Withdrawn:
    return withdrawals.withdraw(
        session,
        source=header.source,
        correlation_id=header.correlation_id,
        message_id=name,
        now=now,
        instead=change.asked,
        code=str(codes.CANCELLED_BY_CALLER),
    )


def _counted(header: Header, done: dict[str, Withdrawn]) -> Reply:
    """Return how many requests and objects were cancelled, and each request that was not."""
    good = [one for one in done.values() if one.outcome == "done"]
    cancelled, objects = sum(one.cancelled for one in good), sum(one.objects for one in good)
    details = {
        "cancelled": str(len(good)),
        "of": str(len(done)),
        "cancelled_objects": str(cancelled),
        "of_objects": str(objects),
    }
    if len(good) == len(done) and cancelled == objects:
        return Reply("OK", header.correlation_id, details=details)
    reason = f"cancelled {len(good)} of {len(done)} requests, {cancelled} of {objects} objects"
    for name, one in done.items():
        if one.outcome != "done":
            details |= dict([of_object("Request", name, _REFUSALS[one.outcome], one.outcome)])
    return Reply("PARTIAL", header.correlation_id, str(PARTLY_CANCELLED), reason, details)
