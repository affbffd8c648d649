"""What else is open at a usage point while its meter is exchanged (EX12; domain 3.4)."""

from collections.abc import Collection, Mapping, Sequence

from canonical.codes.linkage import BACKDATED_OVER_BILLED
from flows.billing_exchange.interface import State
from store import work
from store.rows import Row
from store.session import Session

FINISH_FIRST = ("MOVE_OUT", "FINAL", "DISCONNECT", "RECONNECT", "RATE_CHANGE", "REBILL", "CANCEL")
"""Reasons of billing items that must be billed first: a final read, a switched meter, a correction rest on the old one.

A move-in takes its start read from whichever meter hangs then, so that it holds nothing up (domain 2.5).
"""

_OVER = (State.BILLED, State.CANCELLED)


def conflicts(session: Session, points: Collection[str], items: Mapping[str, Sequence[Row]]) -> dict[str, str]:
    """Return what is open at usage points and must be finished before the exchange; one query beside their items."""
    found = {}
    for point, rows in items.items():
        for row in rows:
            if row["reason"] in FINISH_FIRST and row["state"] not in _OVER:
                found[point] = f"{row['reason'].lower().replace('_', '-')} {row['request_id']} is {row['state']}"
    corrected = str(BACKDATED_OVER_BILLED)
    listed = sorted(points)
    for at in range(0, len(listed), 900):
        for row in work.open_of_usage_points(session, listed[at : at + 900]):
            if row["code"] == corrected and row["usage_point"] not in found:
                found[row["usage_point"]] = "the correction of an earlier bill is open"
    return found
