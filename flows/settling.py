"""What a person decides in place of a partner: that a delivery arrived, or that nothing more is to be done."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from flows.billing_exchange import parts_by_person
from flows.billing_exchange.interface import Interface
from store import parked
from store.session import Session, Transaction


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decides, why, and when; kept with whatever it settles."""

    by: str
    reason: str
    now: datetime
    """Business time."""

    interfaces: Mapping[str, Interface]
    """Billing interfaces by name: their parts are settled with their deliveries."""


def confirm(delivery_id: str, decision: Decision, *, transaction: Transaction) -> str:
    """Note that a destination has what was sent although it did not say so, and return what was done.

    Raises:
        RejectedError: no such delivery, or it is neither parked nor waiting for a confirmation.
    """
    with transaction() as session:
        parked.confirm(session, delivery_id, by=decision.by, reason=decision.reason, now=decision.now)
        told = _part(session, delivery_id, "confirmed", decision)
    return f"{delivery_id} confirmed by {decision.by}: {decision.reason}{told}"


def waive(word: str, decision: Decision, *, transaction: Transaction) -> str:
    """Settle a parked message or delivery, or one that is overdue, with nothing done, and return what was decided.

    Raises:
        RejectedError: nothing has that id, or it neither is parked nor overdue.
    """
    with transaction() as session:
        parked.waive(session, word, by=decision.by, reason=decision.reason, now=decision.now)
        told = _part(session, word, "waived", decision)
    return f"{word} waived by {decision.by}: {decision.reason}{told}"


def _part(session: Session, word: str, act: Literal["confirmed", "waived"], decision: Decision) -> str:
    """Settle the part of the billing drop that a delivery carries, if it carries one, and return what that means."""
    return parts_by_person.settle(
        session, word, decision.interfaces, act=act, by=decision.by, reason=decision.reason, now=decision.now
    )
