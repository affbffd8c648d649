"""Meters without security keys, or of a blocked lot, are not commissioned until somebody has the keys (EX20)."""

from collections.abc import Collection
from datetime import datetime

from canonical.codes.rollout import KEYS_MISSING
from flows.meter_rollout import trouble
from store import rollout_blocked, shipments
from store.session import Session


def block(session: Session, order_ids: Collection[str], *, now: datetime) -> None:
    """Keep the new meters of orders from MDMS and head-end, which know nothing of them; the rest goes on."""
    rollout_blocked.block(session, order_ids, code=str(KEYS_MISSING), now=now)


def release(session: Session, *, now: datetime) -> list[str]:
    """Let the meters be commissioned whose keys have come, and whose lot is free; return their orders."""
    waiting = rollout_blocked.blocked(session, code=str(KEYS_MISSING))
    shipped = shipments.of_meters(session, set(waiting.values()))
    free = [
        order
        for order, meter in sorted(waiting.items())
        if meter not in shipped or (shipped[meter]["has_keys"] and shipped[meter]["state"] != "BLOCKED")
    ]
    rollout_blocked.release(session, free, code=str(KEYS_MISSING), now=now)
    shipments.hang(session, {waiting[order] for order in free}, now=now)
    trouble.settle(session, [(str(KEYS_MISSING), one) for one in free], reason="the keys have come", now=now)
    return free
