"""Rejected messages of partners are work: one item for each source and code, counted when it happens again.

It is over when nothing of that source is parked with that code any more: taken when it was handled again, or waived.
"""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

from canonical.errors import RejectedError
from canonical.ids import mint
from canonical.work import WorkItem
from store import parked, work
from store.session import Session, Transaction


def tell_parked(session: Session, error: RejectedError, *, source: str, queue: str, now: datetime, known: bool) -> None:
    """Open work for a parked message, in the transaction that parks it; `now` is business time.

    A caller who did not prove who it is (`known`) makes no work: anybody could flood the queue. What it sent stays in
    `amihub parked list`.
    """
    if not known:
        return
    code = error.code
    item = WorkItem(
        work_id=_work_id(str(code), source),
        code=str(code),
        key=source,
        queue=queue,
        summary=f"{source}: message refused: {code.meaning}",
        due_at=now,
        at_risk_kwh=Decimal(0),
        suggested=f"See `amihub parked list`. {code.next_step}",
    )
    work.raise_work(session, [item], now=now)


def resolve_parked(sources: Collection[str], *, transaction: Transaction, now: datetime) -> int:
    """Resolve the work of refused messages of these sources of which nothing is parked now; return how many items.

    Looks at what is open, so that whoever took or waived the message need not tell.
    """
    with transaction() as session:
        still = {_work_id(code, source) for source, code in parked.refused_by(session, sources)}
        over = {
            row["work_id"]
            for source in sources
            for row in work.open_of_key(session, source)
            if row["work_id"] == _work_id(row["code"], source) and row["work_id"] not in still
        }
        reason = "what was refused was taken, or waived"
        work.act(session, over, "resolved", state="RESOLVED", by="hub", reason=reason, now=now)
    return len(over)


def _work_id(code: str, source: str) -> str:
    """Return the id of the work that a code (number and name) means for one source."""
    return mint("work", "parked", code[:4], source)
