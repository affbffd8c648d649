"""Parts whose receiver never answered, settled by a person: loaded after all, or given up; the run can then close.

A run closes when all its equations hold or a named person waives (domain 4.9): the lines of a part that is given up
count as not loaded, each with the person's name, and the run's note says so.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from canonical.billing import FileAcknowledgement
from flows.billing_exchange.answers import load, settle_work
from flows.billing_exchange.interface import Interface
from store import billing, billing_items, billing_parts
from store.billing_items import Change
from store.rows import Row
from store.session import Session

SETTLED = ("ACKED", "NACKED", "REPLACED", "WAIVED")


def settle(
    session: Session,
    delivery_id: str,
    interfaces: Mapping[str, Interface],
    *,
    act: Literal["confirmed", "waived"],
    by: str,
    reason: str,
    now: datetime,
) -> str:
    """Record that the part of a delivery is loaded whole on a person's word, or that nobody waits for it any more.

    Returns a remark for the person; empty where the delivery carries no part.
    """
    part = _unsettled(session, delivery_id, interfaces)
    if part is None:
        return ""
    interface = interfaces[part["interface"]]
    if act == "confirmed":
        said = FileAcknowledgement(part["name"], "", "ACCEPTED", "", f"on the word of {by}: {reason}", (), now)
        load(session, interface, part, said, now=now, by=by)
        return f"; all {part['items']} items of {part['name']} count as loaded"
    why = f"waived by {by}: {reason}"
    _give_up(session, part, why, by=by, now=now)
    settle_work(session, interface, part, now=now, why=why)
    return f"; {part['items']} items of {part['name']} count as not loaded"


def _give_up(session: Session, part: Row, why: str, *, by: str, now: datetime) -> None:
    """Count the lines of a part as not loaded, with who decided so on part, lines, items and run."""
    billing_parts.judge_lines(session, part["file_id"], verdict="NACKED", reason=why)
    billing_parts.change_part(session, part["file_id"], state="WAIVED", ack_verdict="WAIVED", ack_reason=why)
    items = billing_parts.items_of_part(session, part["file_id"])
    notes = [Change(row["item_id"], (row["state"], row["state"]), f"{part['name']} {why}", by) for row in items]
    billing_items.note(session, notes, now=now)
    billing.change_run(session, part["run_id"], note=f"{part['name']} {why}")


def _unsettled(session: Session, delivery_id: str, interfaces: Mapping[str, Interface]) -> Row | None:
    """Return the part that a delivery carries, unless its receiver judged it meanwhile."""
    part = billing_parts.part_of_delivery(session, delivery_id)
    if part is None or part["state"] in SETTLED or part["interface"] not in interfaces:
        return None
    return part
