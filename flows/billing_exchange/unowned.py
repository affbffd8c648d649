"""Readings of a usage point or meter that no master has told the hub of: kept aside, work for a person, until one does.

The reference data may come after the readings; then the pass that finds the owner files them and closes the work.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from canonical.codes.identity import READINGS_UNRESOLVED
from canonical.ids import mint
from canonical.messages import Message
from canonical.metering import FAR_FUTURE, MeterReadings
from canonical.periods import Period
from canonical.work import WorkItem
from flows.billing_exchange import late, resolving
from store import readings, work
from store.session import Session

MOST_TOLD = 100
"""Usage points or meters of one message that become work one by one; more of them are one item."""

ALWAYS = Period(datetime(1900, 1, 1, tzinfo=UTC), FAR_FUTURE)

Told = Message[tuple[MeterReadings, ...]]


def tell(session: Session, message: Told, unresolved: Sequence[tuple[int, str]], *, queue: str, now: datetime) -> None:
    """Make work of readings without an owner, and keep them aside: one item for each usage point or meter.

    The same again is counted. A feed that knows nobody is one trouble, not thousands, and nothing of it is kept.
    """
    source, name = message.header.source, message.header.message_id
    strangers = [(message.payload[place], reason) for place, reason in unresolved]
    if len({_label(one) for one, _ in strangers}) > MOST_TOLD:
        text = f"{source}: {name}: {len(strangers)} usage points or meters; first: {strangers[0][1]}"
        work.raise_work(session, [_work(source, name, text, queue, now)], now=now)
        return
    items: dict[str, WorkItem] = {}
    for one, reason in strangers:
        key = _label(one) or name
        items.setdefault(key, replace(_work(source, key, f"{source}: {name}: {reason}", queue, now),
                                      usage_point=one.usage_point, meter=one.meter or one.serial))  # fmt: skip
        readings.keep(session, [replace(one, usage_point=_aside(source, key))], now=now, origin=name)
    work.raise_work(session, list(items.values()), now=now)


def find_owners(session: Session, *, now: datetime) -> int:
    """File the readings whose owner the masters name now, close their work, and return how many items they reach."""
    reached = 0
    for row in work.open_of_code(session, str(READINGS_UNRESOLVED)):
        source = row["summary"].partition(":")[0]
        aside = _aside(source, row["key"])
        held = readings.held(session, {aside}, ALWAYS).get(aside)
        if held is None:
            continue
        resolved = _resolved(session, row, held)
        if resolved is None:
            continue
        stored = readings.keep(session, resolved, now=now, origin=f"{source}, kept aside")
        reached += late.mark(session, stored.touched, now=now)
        work.act(session, [row["work_id"]], "resolved", state="RESOLVED", by="hub", now=now,
                 reason="a master names it now; its readings are filed")  # fmt: skip
    return reached


def _resolved(session: Session, row: Mapping[str, Any], held: readings.Held) -> tuple[MeterReadings, ...] | None:
    """Return the readings that were kept aside under their owner's mRIDs, or None while nobody knows it."""
    for one in _guesses(row):
        whole = replace(
            one,
            registers=tuple(replace(r, usage_point="") for r in held.registers),
            blocks=tuple(replace(b, usage_point="") for b in held.blocks),
        )
        found = resolving.resolve(session, [whole])
        if found.readings:
            return found.readings
    return None


def _guesses(row: Mapping[str, Any]) -> Iterator[MeterReadings]:
    """Yield what the readings may have named: the work keeps a meter's mRID and its serial in one field."""
    up, meter = row["usage_point"], row["meter"]
    name = row["key"] if row["key"] not in (up, meter) else ""
    yield MeterReadings(up, meter, usage_point_name=name)
    if meter:
        yield MeterReadings(up, "", usage_point_name=name, serial=meter)


def _label(one: MeterReadings) -> str:
    """Return by what people know the owner of some readings."""
    return one.usage_point or one.usage_point_name or one.meter or one.serial


def _aside(source: str, key: str) -> str:
    """Return under what readings without an owner are kept; never the name of a usage point."""
    return f"unowned {source} {key}"


def _work(source: str, key: str, summary: str, queue: str, now: datetime) -> WorkItem:
    """Return the work that readings without an owner mean."""
    return WorkItem(
        work_id=mint("work", READINGS_UNRESOLVED.number, source, key),
        code=str(READINGS_UNRESOLVED),
        key=key,
        queue=queue,
        summary=summary,
        due_at=now,
        at_risk_kwh=Decimal(0),
        suggested=READINGS_UNRESOLVED.next_step,
    )
