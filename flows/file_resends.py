"""Refused files that were asked for again: their work is over when the good file came."""

from datetime import datetime

from canonical.codes.transport import RESEND_REQUESTED
from store import file_history, work
from store.session import Session


def resolve_resent(session: Session, *, now: datetime) -> int:
    """Resolve the work of refused files whose successor was taken in with items, and return how many items of work.

    With the request to send again goes whatever else is open about the same file. Looks at what is open, so that a
    pass that died before it is made good by the next.
    """
    over = 0
    for row in work.open_of_code(session, str(RESEND_REQUESTED)):
        role, _, name = row["key"].partition("/")
        came = file_history.successor(session, role, name)
        if came is None:
            continue
        names = {one["work_id"] for one in work.open_of_key(session, row["key"])}
        work.act(session, names, "resolved", state="RESOLVED", by="hub", reason=f"resolved: {came} came", now=now)
        over += len(names)
    return over
