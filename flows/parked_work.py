"""Rejected messages of partners are work: one item for each source and code, counted when it happens again."""

from datetime import datetime
from decimal import Decimal

from canonical.errors import RejectedError
from canonical.ids import mint
from canonical.work import WorkItem
from store import work
from store.session import Session


def tell_parked(session: Session, error: RejectedError, *, source: str, queue: str, now: datetime, known: bool) -> None:
    """Open work for a parked message, in the transaction that parks it; `now` is business time.

    A caller who did not prove who it is (`known`) makes no work: anybody could flood the queue. What it sent stays in
    `amihub parked list`.
    """
    if not known:
        return
    code = error.code
    item = WorkItem(
        work_id=mint("work", "parked", code.number, source),
        code=str(code),
        key=source,
        queue=queue,
        summary=f"{source}: message refused: {code.meaning}",
        due_at=now,
        at_risk_kwh=Decimal(0),
        suggested=f"See `amihub parked list`. {code.next_step}",
    )
    work.raise_work(session, [item], now=now)
