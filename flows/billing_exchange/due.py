"""Whether a pass would find anything to do: a pass that would not ends in its first task."""

from datetime import datetime

from flows.billing_exchange import storms, windows
from flows.billing_exchange.closing import balance
from flows.billing_exchange.interface import Interface
from store import billing, billing_items, billing_parts, determinants
from store.session import Session, Transaction


def is_due(interface: Interface, *, transaction: Transaction, now: datetime) -> bool:
    """Return whether items, parts, corrections, notices, acknowledgements or runs of the interface wait for a pass."""
    with transaction() as session:
        first = billing_items.next_due(session, interface.name)
        return (
            (first is not None and first <= now)
            or bool(billing_parts.parts(session, interface.name, {"FORMED", "QUEUED"}))
            or _has_outgoing(session, interface, now)
            or _has_late_answer(session, interface, now)
            or bool(determinants.to_be_told(session, interface.name, limit=1))
            or storms.wants_a_person(session, interface, now=now)
            or _has_ripe_run(session, interface, now)
        )


def _has_outgoing(session: Session, interface: Interface, now: datetime) -> bool:
    """Return whether something is ready that the CIS would load now."""
    if windows.next_load(interface.policy, now) > now and interface.policy.late_policy == "next_load":
        return False
    return any(billing_items.outgoing(session, interface.name, via=via, limit=1) for via in ("run", "correction"))


def _has_late_answer(session: Session, interface: Interface, now: datetime) -> bool:
    """Return whether an acknowledgement is overdue, or a bill is to be assumed."""
    after = interface.policy.assume_billed_after
    overdue = billing_parts.parts(session, interface.name, {"SENT"})
    if any(part["ack_due_at"] is not None and part["ack_due_at"] <= now for part in overdue):
        return True
    loaded = billing_parts.parts(session, interface.name, {"ACKED"}) if after is not None else []
    return any(
        part["acked_at"] is not None and after is not None and part["acked_at"] + after <= now for part in loaded
    )


def _has_ripe_run(session: Session, interface: Interface, now: datetime) -> bool:
    """Return whether a run may be answered or closed, or crossed its deadline."""
    for run in billing.runs(session, interface.name, ("OPEN", "ANSWERED")):
        if run["state"] == "OPEN":
            crossed = run["window_end"] is not None and run["window_end"] <= now and not run["flagged"]
            if crossed or billing_items.unanswered(session, run["run_id"]) == 0:
                return True
        else:
            sums = balance(session, run)
            if sums.is_billed or (sums.breaks and not run["flagged"]):
                return True
    return False
