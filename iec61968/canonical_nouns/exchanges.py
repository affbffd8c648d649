"""Meter exchanges, first installations and removals: MeterServiceWork to canonical words and back.

The profile names no usage point, no order and no instants of its own, so they stand where it has room (docs/adapters/
cis_cim.md): the usage point in the MeterReadings of the meters, the instants in ActivityRecords of type `removed` and
`installed`, order and installer as Names of the first meter, remarks in the status.
"""

from collections.abc import Sequence
from decimal import Decimal

from canonical.codes import identity
from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.field_reports import FieldReport
from canonical.master_data import Link, Meter, MeterExchange
from canonical.metering import RegisterReading
from canonical.reading_types import Commodity, reading_type_from_text
from canonical.rollout import Completion
from iec61968.canonical_nouns.field_results import object_from_result, result_from_object
from iec61968.canonical_nouns.field_work import names_from_report, records_from_report, report_from_object, state_of
from iec61968.canonical_nouns.identities import MeterIdentity, named
from iec61968.canonical_nouns.instants import said_at
from iec61968.canonical_nouns.meters import known_as
from iec61968.canonical_nouns.saying import Inbound, Outbound, Said, Told
from iec61968.canonical_nouns.work_parts import (
    INSTALLED,
    REMOVED,
    Reason,
    identity_of,
    instant_of,
    names_from,
    names_of,
    readings_of,
    stated_of,
    usage_point_of,
    work_meter,
)
from iec61968.nouns.elements import ActivityRecord, Status
from iec61968.nouns.meter_service_requests import MeterServiceWork, WorkMeter

_KINDS = ("meter", None)
"""Kinds of work that are exchanges; the others are orders, not master data."""


def work_from_object(wire: MeterServiceWork, inbound: Inbound, where: str) -> tuple[Said, ...]:
    """Return what a work says: an exchange that was made, or a Completion of one that was not, or was taken back.

    Raises:
        RejectedError: another kind of work, or one that is only planned or under way (NOT_SUPPORTED_HERE); else as
            `exchange_from_object`.
    """
    if wire.kind not in _KINDS:
        raise RejectedError(f"work of kind {wire.kind!r}", code=codes.NOT_SUPPORTED_HERE, where=where)
    state = state_of(wire, inbound.conventions)
    if state == "waiting":
        reason = f"work that is {(wire.status.value if wire.status else '') or 'not done'} tells no exchange"
        raise RejectedError(reason, code=codes.NOT_SUPPORTED_HERE, where=where)
    if state == "done":
        return exchange_from_object(wire, inbound, where)
    return result_from_object(wire, "UNABLE" if state == "unable" else "REVERSED", inbound, where)


def object_from_work(told: Told, outbound: Outbound, links: Sequence[Link]) -> MeterServiceWork:
    """Return the MeterServiceWork that says an exchange or a Completion.

    Raises:
        RejectedError: there is neither meter nor usage point, or a reading cannot be said.
    """
    if isinstance(told.thing, Completion):
        return object_from_result(told.thing, outbound)
    return object_from_exchange(told, outbound, links)


def exchange_from_object(wire: MeterServiceWork, inbound: Inbound, where: str) -> tuple[Said, ...]:
    """Return the exchange: OldMeter went, Meter came. With one meter alone, `type` or its readings say which it is.

    Raises:
        RejectedError: no usage point, no meter's id or no instant can be told.
    """
    old, new = (wire.meter, None) if _is_removal(wire) else (wire.old_meter, wire.meter)
    removed_at = instant_of(wire, old, REMOVED, inbound)
    installed_at = instant_of(wire, new, INSTALLED, inbound)
    first = installed_at or removed_at
    if first is None or (old is not None and removed_at is None and installed_at is None):
        raise RejectedError("no instant of the exchange", code=identity.LINKAGE_TIME_MISSING, where=where)
    usage_point, name = usage_point_of(wire, inbound, where)
    removed, final, gone = _meter(old, "removal", usage_point, inbound, f"{where}/OldMeter")
    installed, begun, come = _meter(new, "installation", usage_point, inbound, f"{where}/Meter")
    names = names_of(wire)
    types = inbound.conventions.names
    exchange = MeterExchange(
        usage_point=usage_point,
        removed=removed,
        installed=installed,
        removed_at=removed_at or first,
        installed_at=installed_at or first,
        final_readings=final,
        first_readings=begun,
        order=named(names, types.work_order) or "",
        installer=named(names, types.installer) or "",
        remarks=(wire.status.remark or "") if wire.status is not None else "",
        usage_point_name="" if usage_point else name,
        report=report_from_object(wire, names, inbound.conventions, where),
    )
    aliases = tuple(one for found in (gone, come) if found for one in known_as(found, inbound.source))
    return (Said(exchange, stated_of(exchange), min(exchange.removed_at, exchange.installed_at), "", aliases),)


def object_from_exchange(told: Told, outbound: Outbound, _links: Sequence[Link]) -> MeterServiceWork:
    """Return the MeterServiceWork that says this.

    Raises:
        RejectedError: there is neither meter nor usage point, or a reading cannot be said.
    """
    one: MeterExchange = told.thing
    report = one.report or FieldReport()
    old = _work_meter(one, one.removed, one.final_readings, "removal", outbound)
    new = _work_meter(one, one.installed, one.first_readings, "installation", outbound)
    meter, old = (new, old) if new is not None else (old, None)
    if meter is None or not (one.usage_point or one.usage_point_name):
        raise RejectedError("an exchange without meter or usage point", code=codes.EXPORT_IMPOSSIBLE)
    records = [
        ActivityRecord(created_date_time=said_at(at, outbound.conventions), type=kind)
        for kind, at, has in ((REMOVED, one.removed_at, one.removed), (INSTALLED, one.installed_at, one.installed))
        if has is not None
    ]
    return MeterServiceWork(
        kind="meter",
        type="exchange" if old is not None else INSTALLED if one.installed is not None else REMOVED,
        activity_records=(*records, *records_from_report(report, one.installed_at, outbound.conventions)),
        meter=meter,
        old_meter=old,
        status=Status(remark=one.remarks, value="completed") if one.remarks else None,
    )


def _is_removal(wire: MeterServiceWork) -> bool:
    """Return whether the only meter of a work went away."""
    if wire.old_meter is not None:
        return False
    kinds = {record.type for record in wire.activity_records} | {wire.type}
    reasons = {reading.reason for one in wire.meter.meter_readings for reading in one.readings}
    if INSTALLED in kinds or "installation" in reasons:
        return False
    return bool(kinds & {REMOVED, "removal"}) or "removal" in reasons


def _meter(
    wire: WorkMeter | None, reason: Reason, usage_point: str, inbound: Inbound, where: str
) -> tuple[Meter | None, tuple[RegisterReading, ...], MeterIdentity | None]:
    """Return a meter, its readings, and what it is."""
    if wire is None:
        return None, (), None
    found = identity_of(wire, inbound, where)
    readings = readings_of(wire, reason, usage_point, found.meter, inbound, where)
    commodity: Commodity = inbound.conventions.commodity
    if readings:
        commodity = reading_type_from_text(readings[0].reading_type).commodity
    text = named(wire.names, inbound.conventions.names.multiplier)
    return (
        Meter(
            found.meter,
            found.manufacturer,
            found.serial,
            commodity,
            _decimal(text, where) if text else Decimal(1),
            model=wire.form_number or "",
        ),
        readings,
        found,
    )


def _decimal(text: str, where: str) -> Decimal:
    """Return a multiplier as a Name states it."""
    number = Decimal(text) if text.replace(".", "", 1).isascii() and text.replace(".", "", 1).isdigit() else Decimal(0)
    if number <= 0:
        raise RejectedError(f"multiplier {text[:60]!r}", code=identity.MULTIPLIER_UNCLEAR, where=where)
    return number


def _work_meter(
    one: MeterExchange, meter: Meter | None, readings: Sequence[RegisterReading], reason: Reason, outbound: Outbound
) -> WorkMeter | None:
    """Return a meter with its readings, order and installer; what the crew told beside stands with the first meter."""
    if meter is None:
        return None
    types = outbound.conventions.names
    texts = (
        (one.order, types.work_order),
        (one.installer, types.installer),
        (format(meter.multiplier, "f") if meter.multiplier != 1 else "", types.multiplier),
    )
    is_first = meter is (one.installed or one.removed)
    beside = names_from_report(one.report, types) if one.report is not None and is_first else ()
    return work_meter(
        (meter.meter, meter.manufacturer, meter.serial),
        readings,
        reason,
        (one.usage_point, one.usage_point_name),
        (*names_from(texts), *beside),
        types,
        model=meter.model,
    )
