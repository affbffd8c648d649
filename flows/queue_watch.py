"""Messages that lie where nobody reads are work: one item for each such queue, resolved when it is empty."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from canonical.codes.messaging import LETTERS_PARKED, LETTERS_UNROUTED
from canonical.errors import ErrorCode
from canonical.ids import mint
from canonical.work import WorkItem
from store import work
from store.session import Transaction


def follow_queues(
    parked: Mapping[str, int], unrouted: Mapping[str, int], *, queue: str, transaction: Transaction, now: datetime
) -> tuple[int, int]:
    """Open work of the owner `queue` for what is not empty, and resolve it for what is; `now` is business time.

    `parked` and `unrouted` give the number of messages by the name of their queue. Returns how many were opened and
    resolved; a queue that is looked at again and again is one item, and is not counted each time.
    """
    found = [(LETTERS_PARKED, name, count) for name, count in parked.items() if count]
    found += [(LETTERS_UNROUTED, name, count) for name, count in unrouted.items() if count]
    wanted = {item.work_id: item for item in (_item(*one, queue, now) for one in found)}
    with transaction() as session:
        watched = (str(LETTERS_PARKED), str(LETTERS_UNROUTED))
        known = {row["work_id"] for code in watched for row in work.open_of_code(session, code)}
        fresh = [item for name, item in wanted.items() if name not in known]
        over = known - set(wanted)
        work.raise_work(session, fresh, now=now)
        work.act(session, over, "resolved", state="RESOLVED", by="hub", reason="the queue is empty", now=now)
    return len(fresh), len(over)


def _item(code: ErrorCode, name: str, count: int, queue: str, now: datetime) -> WorkItem:
    """Return the work that a queue which is not empty means."""
    return WorkItem(
        work_id=mint("work", code.number, name),
        code=str(code),
        key=name,
        queue=queue,
        summary=f"{name}: {count} messages. {code.meaning}",
        due_at=now,
        at_risk_kwh=Decimal(0),
        suggested=code.next_step,
    )
