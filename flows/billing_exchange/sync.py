"""Items that wait for reference data: found, waited for again, or answered REJECTED when nobody sends it in time."""

from collections.abc import Sequence
from datetime import datetime

from canonical.codes.billing import MASTER_DATA_AWAITED
from flows.billing_exchange import contexts, holds, ladder, subjects
from flows.billing_exchange.decisions import Row
from flows.billing_exchange.interface import Advanced, Interface, State
from flows.billing_exchange.ladder import Ladder
from store import billing_items, work
from store.billing_items import Change
from store.session import Session


def join(
    session: Session, interface: Interface, batch: str, rows: Sequence[Row], *, opened: datetime, now: datetime
) -> Advanced:
    """Look again for the usage points of items that no master knew at intake.

    An item that is found goes on like any other. One whose wait is over is cancelled with its code: there is no usage
    point to answer for, so that nothing of it can stand in a drop.
    """
    climb = Ladder(interface, opened)
    found = subjects.resolve(session, [contexts.item_of(row) for row in rows])
    changes, notes, raised = [], [], []
    for row, subject in zip(rows, found, strict=True):
        values = {
            name: row[name] for name in ("state", "step", "usage_point", "agreement", "account", "answer", "code")
        }
        if subject.problem is None:
            known = {"usage_point": subject.usage_point, "agreement": subject.agreement, "account": subject.account}
            values |= {"state": State.ACCEPTED, "step": climb.first(row["deadline"]).name, **known}
            due: datetime | None = now
            notes.append(Change(row["item_id"], (row["state"], State.ACCEPTED), f"{row['asked_as']} is known now"))
        elif now >= min(opened + interface.sync_wait, climb.decision(row["deadline"]).due):
            values |= {"state": State.CANCELLED, "answer": "CANCELLED", "code": str(subject.problem)}
            due = None
            notes.append(Change(row["item_id"], (row["state"], State.CANCELLED), subject.reason))
            raised.append(holds.work_item(interface, row, subject.problem, subject.reason))
        else:
            due = now + ladder.SYNC_EVERY
            raised.append(holds.work_item(interface, row, MASTER_DATA_AWAITED, subject.reason))
        changes.append({"item_id": row["item_id"], **values, "next_due_at": due})
    billing_items.change(session, changes)
    billing_items.note(session, notes, now=now)
    work.raise_work(session, raised, now=now)
    over = [row for row, change in zip(rows, changes, strict=True) if change["state"] != State.AWAITING_SYNC]
    names = [holds.work_item(interface, row, MASTER_DATA_AWAITED).work_id for row in over]
    work.act(session, names, "resolved", state="RESOLVED", by="hub", reason="the wait is over", now=now)
    return Advanced(batch, items=len(rows), waiting=sum(change["next_due_at"] is not None for change in changes))
