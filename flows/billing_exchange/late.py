"""Which items rest on readings that are new or changed: they are looked at again."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from canonical.periods import Period
from flows.billing_exchange import ladder
from flows.billing_exchange.interface import COLLECTING, State
from store import billing_items
from store.session import Session

ON_ITS_WAY = (State.BATCHED, State.SENT, State.NACKED, State.REWORK)
"""States in which a version is on its way: what comes now waits for its acknowledgement (ruling 2)."""

LAG, LEAD = timedelta(days=1), timedelta(days=3)
"""How far before and after its instant a read may lie at most; a look too many changes nothing."""

OVER = (State.CANCELLED, State.REBILL_REQUESTED, State.AWAITING_SYNC)


def mark(
    session: Session,
    touched: Sequence[tuple[str, Period]],
    *,
    now: datetime,
    besides: Collection[str] = (),
) -> int:
    """Make every item due that rests on readings that are new or changed, and return their number.

    `besides` are items that are being calculated at this moment. An item whose version is on its way is looked at
    again when its acknowledgement comes.
    """
    if not touched:
        return 0
    spans: dict[str, list[Period]] = {}
    for usage_point, period in touched:
        spans.setdefault(usage_point, []).append(period)
    whole = Period(min(p.start for _, p in touched) - LEAD, max(p.end for _, p in touched) + LAG)
    changes = []
    for row in billing_items.of_usage_points(session, spans, whole):
        if row["item_id"] in besides or row["state"] in OVER:
            continue
        if any(_rests_on(row, span) for span in spans[row["usage_point"]]):
            changes.append(_change(row, now))
    billing_items.change(session, changes)
    return len(changes)


def _rests_on(row: Mapping[str, Any], span: Period) -> bool:
    """Return whether an item's figures may rest on values of a span; a read counts a little beyond the period too."""
    if span.start == span.end:
        return bool(row["period_start"] - LAG <= span.start <= row["period_end"] + LEAD)
    return span.overlaps(Period(row["period_start"], row["period_end"]))


def _change(row: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return the columns that make one item look again."""
    waits = row["state"] in ON_ITS_WAY
    step = row["step"] if row["state"] in COLLECTING or waits else ladder.RECHECK
    due = row["next_due_at"] if waits else now
    return {"item_id": row["item_id"], "step": step, "next_due_at": due, "recheck": waits or row["recheck"]}
