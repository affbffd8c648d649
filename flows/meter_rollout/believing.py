"""Believing exchanges that were judged: where meters hang, what stood on them, orders, work, steps; all or nothing.

Everything that a batch changes is collected first and written set-wise, in the transaction that judged it.
"""

from bisect import insort
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from canonical.messages import Header, Message
from canonical.metering import MeterReadings, RegisterReading
from canonical.quality import Quality
from canonical.reading_types import Commodity
from canonical.rollout import RegisterValue
from flows.billing_exchange import readings_arrived
from flows.master_data_sync import backdating
from flows.meter_rollout import sequence
from flows.meter_rollout.facts import Facts
from flows.meter_rollout.multipliers import Applied, wanted
from flows.meter_rollout.policy import Policy
from flows.meter_rollout.register_values import reading_type_of
from flows.meter_rollout.rules_gateway import behind
from store import gateways, rollout_orders, shipments
from store.master_changes import Provenance
from store.rollout_orders import Move
from store.rollout_readings import Value
from store.rows import Row
from store.session import Session


@dataclass(slots=True)
class Believed:
    """What a batch is about to change."""

    moves: list[Move] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)
    """Orders whose steps begin."""

    held: dict[str, datetime] = field(default_factory=dict)
    """Of those, orders whose CIS pair waits for a bill, and until when (EX11)."""

    installed: list[str] = field(default_factory=list)
    readings: dict[str, list[MeterReadings]] = field(default_factory=dict)
    """What stood on meters, by who told it."""

    since: dict[str, datetime] = field(default_factory=dict)
    """From when on the belief about usage points changed."""

    sources: dict[str, str] = field(default_factory=dict)

    serials: set[str] = field(default_factory=set)
    multipliers: dict[str, Applied] = field(default_factory=dict)
    """Multipliers that are overwritten, by meter (EX06)."""

    rehung: list[dict[str, Any]] = field(default_factory=list)
    """Meters that are read by way of the new one from now on."""


def believe(facts: Facts, into: Believed, *, holds_pair: bool) -> None:
    """Let a completion be true: the old meter goes, the new one hangs, at the instants of the work.

    `holds_pair`: the CIS is told only after its bill (EX11).
    """
    row, old, new, by = facts.row, facts.old_meter, facts.new_meter, provenance(facts.row)
    hung = facts.hung
    if old and hung is not None and hung["meter"] == old and hung["removed_at"] != facts.removed_at:
        facts.stays.take_away(hung, facts.removed_at, by=by)
    place = facts.stays.place(new, facts.installed_at) if new else None
    if new and (place is None or place["installed_at"] != facts.installed_at):
        facts.stays.hang(new, facts.usage_point, facts.installed_at, by=by)
    if new:
        into.installed.append(new)
        applied = wanted(facts, by) if facts.policy.multiplier_policy == "APPLY" else None
        into.multipliers |= {new: applied} if applied is not None else {}
        spans = [{"slave": one["slave"], "gateway": new, "since": facts.installed_at} for one in behind(facts)]
        into.rehung += spans
    row |= {"removed_meter": old, "installed_meter": new}
    for meter, at, values in (
        (old, facts.removed_at, facts.completion.final_readings),
        (new, facts.installed_at, facts.completion.first_readings),
    ):
        if meter and values:
            stood = _readings(facts, meter, at, values)
            into.readings.setdefault(row["source"], []).append(stood)
            _remember(facts, stood)
    note(into, facts.usage_point, min(facts.removed_at, facts.installed_at), row)
    into.moves.append(Move(row["order_id"], "VALIDATED", row["effective_at"], message_id=row["message_id"],
                           columns=columns_of(facts)))  # fmt: skip
    into.orders.append(row["order_id"])
    if holds_pair and facts.lock is not None:
        into.held[row["order_id"]] = facts.lock


def columns_of(facts: Facts) -> dict[str, Any]:
    """Return what an order says of an exchange that was believed."""
    return {
        "old_meter": facts.old_meter, "new_meter": facts.new_meter, "result_id": facts.row["result_id"],
        "removed_at": facts.removed_at if facts.old_meter else None,
        "installed_at": facts.installed_at if facts.new_meter else None, "due_at": None,
    }  # fmt: skip


def note(into: Believed, point: str, since: datetime, row: Row) -> None:
    """Note from when on the belief about a usage point is another one, and who said so."""
    into.since[point] = min(since, into.since.get(point, since))
    into.sources[point] = row["source"]
    into.serials |= {row["removed_serial"], row["installed_serial"]} - {""}


def provenance(row: Row) -> Provenance:
    """Return who told a completion; all lines of one file are one telling."""
    return Provenance(row["source"], row["message_id"].partition("#")[0], row["told_at"])


def hand_on(session: Session, believed: Believed, *, now: datetime) -> None:
    """Write what belongs to the belief beside the stays: readings, periods to be looked at again, stock, orders."""
    for source, told in sorted(believed.readings.items()):
        own = Header(f"rollout:{source}", source, "created", "MeterReadings")
        readings_arrived(session, Message(own, tuple(told)), now)
    gateways.link(session, believed.rehung, source="hub", now=now)
    shipments.hang(session, believed.installed, now=now)
    backdating.look_again(session, believed.since, sources=believed.sources, now=now)
    rollout_orders.move_each(session, believed.moves, now=now)


def begin_steps(
    session: Session, believed: Believed, *, besides: Collection[str] = (), policy: Policy, now: datetime
) -> Mapping[str, Row]:
    """Plan the steps of orders that a batch validated, and return these; those of `besides` are planned elsewhere."""
    orders = rollout_orders.of_ids(session, set(believed.orders) - set(besides))
    sequence.begin(session, list(orders.values()), policy=policy, now=now, held=believed.held)
    return orders


def _remember(facts: Facts, stood: MeterReadings) -> None:
    """Let the next exchange of the batch be judged by what stood on the meter, as one of the next batch will be."""
    known = facts.last_read.setdefault((facts.usage_point, stood.meter), {})
    for one in stood.registers:
        insort(known.setdefault(one.reading_type, []), Value(one.taken_at, one.value, one.source))


def _readings(facts: Facts, meter: str, at: datetime, values: tuple[RegisterValue, ...]) -> MeterReadings:
    """Return what stood on a meter when it went or came (I4: at both instants it is the meter's own)."""
    registers = facts.registers(meter, at)
    known = facts.configuration(meter, at)
    commodity: Commodity = known["commodity"] if known is not None else "ELECTRICITY"
    found = tuple(
        RegisterReading(
            facts.usage_point, meter, reading_type_of(one, registers, commodity), at, one.value, Quality.VALIDATED, "",
            facts.row["source"],
        )
        for one in values
    )  # fmt: skip
    return MeterReadings(facts.usage_point, meter, found)
