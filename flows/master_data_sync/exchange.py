"""Meter exchange: one meter taken away and another hung in its place, both or neither (domain 2.3)."""

from dataclasses import replace
from datetime import datetime

from canonical.codes.linkage import EXCHANGE_INCOHERENT
from canonical.errors import RejectedError
from canonical.master_data import Meter, MeterExchange
from canonical.messages import Header, Message
from canonical.metering import MeterReadings
from canonical.names import normal_serial
from flows.billing_exchange import readings_arrived
from flows.master_data_sync import identity, links
from flows.master_data_sync.matching import EXACT, Clocks
from flows.master_data_sync.outcome import Disposition, Outcome, waits
from flows.master_data_sync.said import Said
from store.session import Session


def exchange(session: Session, said: Said, work: MeterExchange, *, now: datetime, clocks: Clocks = EXACT) -> Outcome:
    """Apply a removal and an installation; what is so already is a repeat, unknown things are waited for.

    The caller rolls back when it raises, so that both happen or neither. Final and first readings go the way of all
    readings.

    Raises:
        RejectedError: EXCHANGE_INCOHERENT, or as `links.link` does.
    """
    _check(work)
    label = work.usage_point or work.usage_point_name
    words = [label, *(word for meter in (work.removed, work.installed) if meter for word in _words(meter))]
    point = identity.usage_point(session, work.usage_point, work.usage_point_name, source=said.source)
    if point is None:
        return waits(label, "UsagePoint", label, *words)
    found = {}
    for step, meter in (("close", work.removed), ("create", work.installed)):
        if meter is None:
            continue
        known = identity.meter(session, meter.meter, meter.serial, source=said.source, manufacturer=meter.manufacturer)
        if known is None:
            return waits(label, "UsagePoint", meter.meter or meter.serial, point, *words)
        found[step] = known
    done: list[Disposition] = []
    for step, at in (("close", work.removed_at), ("create", work.installed_at)):
        if step in found:
            done.append(links.change(session, found[step], point, step, at, by=said.provenance, now=now, clocks=clocks))
    if any(one == "APPLIED" for one in done):
        _keep_readings(session, said, work, point, found, now=now)
    end: Disposition = "APPLIED" if "APPLIED" in done else "DUPLICATE"
    meant = replace(
        work,
        usage_point=point,
        removed=replace(work.removed, meter=found["close"]) if work.removed else None,
        installed=replace(work.installed, meter=found["create"]) if work.installed else None,
    )
    return Outcome(end, point, "UsagePoint", meant, frozenset({point, *found.values()}))


def _check(work: MeterExchange) -> None:
    """Refuse what cannot have happened.

    Raises:
        RejectedError: EXCHANGE_INCOHERENT.
    """
    if work.removed is None and work.installed is None:
        raise RejectedError("it names no meter", code=EXCHANGE_INCOHERENT)
    if work.removed is None or work.installed is None:
        return
    if work.installed_at < work.removed_at:
        raise RejectedError("it installs before it removes", code=EXCHANGE_INCOHERENT)
    if set(_words(work.removed)) & set(_words(work.installed)) - {""} and _same(work.removed, work.installed):
        raise RejectedError("it removes and installs one and the same meter", code=EXCHANGE_INCOHERENT)


def _same(one: Meter, other: Meter) -> bool:
    if one.meter and other.meter:
        return one.meter == other.meter
    return normal_serial(one.serial) == normal_serial(other.serial) and one.manufacturer == other.manufacturer


def _words(meter: Meter) -> tuple[str, ...]:
    """Return by what others may know a meter."""
    return tuple(one for one in (meter.meter, normal_serial(meter.serial)) if one)


def _keep_readings(
    session: Session, said: Said, work: MeterExchange, point: str, meters: dict[str, str], *, now: datetime
) -> None:
    """Hand final and first readings to the flow that takes readings."""
    told = []
    for step, readings in (("close", work.final_readings), ("create", work.first_readings)):
        if readings and step in meters:
            own = tuple(replace(one, usage_point=point, meter=meters[step]) for one in readings)
            told.append(MeterReadings(point, meters[step], own))
    if told:
        header = Header(said.message_id, said.source, "created", "MeterReadings", said.correlation_id)
        readings_arrived(session, Message(header, tuple(told)), now)
