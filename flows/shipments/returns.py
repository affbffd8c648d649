"""Meters that came back: an exchange brought the old one to the stock of what is returned, whoever shipped it once."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from store import reference, shipments
from store.reference_masters import METER
from store.rows import Row
from store.session import Session


def returned(session: Session, meters: Collection[str], *, now: datetime) -> int:
    """Note that meters (mRIDs) lie in the stock of returned ones, and return how many are there newly.

    A meter of before the rollout, which no shipment brought, gets its row by what the masters say of it; one that
    nobody knows at all is left out. What was disposed of stays so.
    """
    known = shipments.of_meters(session, meters)
    back = {name for name, row in known.items() if row["state"] not in ("RETURNED", "DISPOSED")}
    shipments.move(session, back, "RETURNED", now=now)
    strange = set(meters) - known.keys()
    held: dict[str, Row] = {}
    for row in reference.current(session, METER, "meter", strange):
        held[row["meter"]] = row
    shipments.keep(session, [_row(held[name], now=now) for name in sorted(held)])
    return len(back) + len(held)


def _row(master: Row, *, now: datetime) -> dict[str, Any]:
    """Return the row of a meter that no shipment brought."""
    facts = {name: master[name] for name in ("serial", "manufacturer", "commodity", "multiplier", "registers")}
    return {
        "meter": master["meter"], "manufacturer": master["manufacturer"].strip().upper(),
        "serial": master["serial_normal"], "shipment": "", "lot": "", "model": master["model"],
        "firmware": master["firmware"], "configuration": "", "facts": facts, "has_keys": False, "key_reference": "",
        "state": "RETURNED", "code": "", "told": {}, "shipped_at": master["valid_from"], "known_at": now,
        "changed_at": now,
    }  # fmt: skip
