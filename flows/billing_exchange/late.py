"""Readings that arrive outside of a question: kept, and the items that rest on them are looked at again."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from canonical.codes.identity import READINGS_UNRESOLVED
from canonical.ids import mint
from canonical.messages import Message, Reply
from canonical.metering import MeterReadings
from canonical.periods import Period
from canonical.work import WorkItem
from flows.billing_exchange import ladder, resolving
from flows.billing_exchange.interface import COLLECTING, State
from store import billing_items, readings, work
from store.session import Session

ON_ITS_WAY = (State.BATCHED, State.SENT, State.NACKED, State.REWORK)
"""States in which a version is on its way: what comes now waits for its acknowledgement (ruling 2)."""

LAG, LEAD = timedelta(days=1), timedelta(days=3)
"""How far before and after its instant a read may lie at most; a look too many changes nothing."""

MOST_TOLD = 100
"""Usage points or meters of one message that become work one by one; more of them are one item."""

OVER = (State.CANCELLED, State.REBILL_REQUESTED, State.AWAITING_SYNC)


def readings_arrived(session: Session, message: Message[tuple[MeterReadings, ...]], now: datetime) -> Reply:
    """Take readings that a meter data system tells by itself; the handler for `flows.spine.receive`.

    PARTIAL: some name a usage point or meter that no master has told the hub of; the reply says how many.
    """
    resolved = resolving.resolve(session, message.payload)
    stored = readings.keep(session, resolved.readings, now=now, origin=message.header.message_id)
    items = mark(session, stored.touched, now=now)
    details = {
        "stored": str(stored.inserted + stored.changed),
        "unchanged": str(stored.unchanged),
        "items": str(items),
        "unresolved": str(len(resolved.unresolved)),
    }
    if resolved.unresolved:
        _tell(session, message, resolved.unresolved, now)
        reason = "; ".join(reason for _, reason in resolved.unresolved[:5])
        result = "PARTIAL" if resolved.readings else "FAILED"
        return Reply(
            "PARTIAL" if result == "PARTIAL" else "FAILED",
            message.header.correlation_id,
            str(READINGS_UNRESOLVED),
            reason,
            details,
        )
    return Reply("OK", message.header.correlation_id, details=details)


def _tell(
    session: Session, message: Message[tuple[MeterReadings, ...]], unresolved: Sequence[tuple[int, str]], now: datetime
) -> None:
    """Make work of readings without an owner: one item for each usage point or meter, counted when it comes again."""
    source, name = message.header.source, message.header.message_id
    reasons: dict[str, str] = {}
    for place, reason in unresolved:
        one = message.payload[place]
        label = one.usage_point or one.usage_point_name or one.meter or one.serial
        reasons.setdefault(label or name, reason)
    if len(reasons) > MOST_TOLD:  # a feed that knows nobody is one trouble, not thousands
        reasons = {name: f"{len(reasons)} usage points or meters; first: {next(iter(reasons.values()))}"}
    work.raise_work(session, [_work(source, key, f"{source}: {name}: {r}", now) for key, r in reasons.items()], now=now)


def _work(source: str, key: str, summary: str, now: datetime) -> WorkItem:
    """Return the work that readings without an owner mean."""
    return WorkItem(
        work_id=mint("work", READINGS_UNRESOLVED.number, source, key),
        code=str(READINGS_UNRESOLVED),
        key=key,
        queue="metering",
        summary=summary,
        due_at=now,
        at_risk_kwh=Decimal(0),
        suggested=READINGS_UNRESOLVED.next_step,
    )


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
