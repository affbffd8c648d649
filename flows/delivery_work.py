"""Deliveries that wait for a person are work: opened once each, resolved when they move on."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from canonical.codes.message import ATTEMPTS_EXHAUSTED, PARTNER_REFUSED, UNCONFIRMED
from canonical.ids import mint
from canonical.refusals import shown
from canonical.work import WorkItem
from store import delivery_work, work
from store.deliveries import Delivery
from store.session import Transaction

FOLLOWED = frozenset({"BillingPart"})
"""Nouns whose own flow opens the work of their deliveries."""

CODES = (ATTEMPTS_EXHAUSTED, PARTNER_REFUSED, UNCONFIRMED)


def follow_deliveries(*, owners: Mapping[str, str], transaction: Transaction, now: datetime) -> tuple[int, int]:
    """Open work for deliveries that are parked or overdue, resolve it for those that are not any more.

    `owners` names the queue of the area `integration`; `now` is business time. Returns how many were opened and
    resolved. Whatever moved the delivery (relay, replay, waiver, late confirmation), the next call sees it.
    """
    queue = owners.get("integration", "integration")
    names = tuple(str(code) for code in CODES)
    with transaction() as session:
        wanted = {item.work_id: item for row in delivery_work.waiting(session, besides=FOLLOWED)
                  for item in (_work_item(row, queue, now),)}  # fmt: skip
        known = delivery_work.work_states(session, names)
        fresh = [item for name, item in wanted.items() if name not in known or known[name] == "RESOLVED"]
        over = {name for name, state in known.items() if state in work.OPEN_STATES and name not in wanted}
        work.raise_work(session, fresh, now=now)
        work.act(session, over, "resolved", state="RESOLVED", by="hub", reason="the delivery moved on", now=now)
    return len(fresh), len(over)


def _work_item(row: Delivery, queue: str, now: datetime) -> WorkItem:
    """Return the work that a waiting delivery means; due when its confirmation is, else now."""
    code = UNCONFIRMED
    if row.state == "parked":
        code = ATTEMPTS_EXHAUSTED if row.code == str(ATTEMPTS_EXHAUSTED) else PARTNER_REFUSED
    return WorkItem(
        work_id=mint("work", code.number, row.delivery_id),
        code=str(code),
        key=row.delivery_id,
        queue=queue,
        summary=f"{row.destination}: {row.name}: {row.code} {shown(row.reason)}".rstrip(),
        due_at=row.confirm_by or now,
        at_risk_kwh=Decimal(0),
        suggested=code.next_step,
    )
