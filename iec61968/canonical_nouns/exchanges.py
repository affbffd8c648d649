"""Meter exchanges, first installations and removals: MeterServiceWork to canonical words and back.

The profile names no usage point, no order and no instants of its own, so they stand where it has room (docs/adapters/
cis_cim.md): the usage point in the MeterReadings of the meters, the instants in ActivityRecords of type `removed` and
`installed`, order and installer as Names of the first meter, remarks in the status.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal

from canonical.codes import identity
from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.master_data import Link, Meter, MeterExchange
from canonical.metering import RegisterReading
from canonical.reading_types import Commodity, reading_type_from_text
from iec61968.canonical_nouns.identities import (
    MeterIdentity,
    meter_identity,
    meter_names,
    name_of,
    named,
    usage_point_id,
    usage_point_reference,
)
from iec61968.canonical_nouns.instants import on_grid, said_at
from iec61968.canonical_nouns.meters import known_as
from iec61968.canonical_nouns.saying import Inbound, Outbound, Said, Told
from iec61968.canonical_nouns.single_readings import object_from_reading, reading_from_object
from iec61968.nouns import whole_meter_readings as readings_noun
from iec61968.nouns.elements import ActivityRecord, Name, Status
from iec61968.nouns.meter_service_requests import MeterServiceWork, WorkMeter

REMOVED, INSTALLED = "removed", "installed"
_KINDS = ("meter", None)
"""Kinds of work that are exchanges; the others are orders, not master data."""

_Reason = Literal["removal", "installation"]


def exchange_from_object(wire: MeterServiceWork, inbound: Inbound, where: str) -> tuple[Said, ...]:
    """Return the exchange: OldMeter went, Meter came. With one meter alone, `type` or its readings say which it is.

    Raises:
        RejectedError: another kind of work; no usage point, no meter's id or no instant can be told.
    """
    if wire.kind not in _KINDS:
        raise RejectedError(f"work of kind {wire.kind!r}", code=codes.NOT_SUPPORTED_HERE, where=where)
    old, new = (wire.meter, None) if _is_removal(wire) else (wire.old_meter, wire.meter)
    removed_at = _instant(wire, old, REMOVED, inbound)
    installed_at = _instant(wire, new, INSTALLED, inbound)
    first = installed_at or removed_at
    if first is None or (old is not None and removed_at is None and installed_at is None):
        raise RejectedError("no instant of the exchange", code=identity.LINKAGE_TIME_MISSING, where=where)
    usage_point, name = _usage_point(wire, inbound, where)
    removed, final, gone = _meter(old, "removal", usage_point, inbound, f"{where}/OldMeter")
    installed, begun, come = _meter(new, "installation", usage_point, inbound, f"{where}/Meter")
    names = (*wire.meter.names, *(wire.old_meter.names if wire.old_meter is not None else ()))
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
    )
    aliases = tuple(one for found in (gone, come) if found for one in known_as(found, inbound.source))
    stated = frozenset(name for name in MeterExchange.__slots__ if getattr(exchange, name) not in (None, "", ()))
    return (Said(exchange, stated, min(exchange.removed_at, exchange.installed_at), "", aliases),)


def object_from_exchange(told: Told, outbound: Outbound, _links: Sequence[Link]) -> MeterServiceWork:
    """Return the MeterServiceWork that says this.

    Raises:
        RejectedError: there is neither meter nor usage point, or a reading cannot be said.
    """
    one: MeterExchange = told.thing
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
        activity_records=tuple(records),
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


def _instant(wire: MeterServiceWork, meter: WorkMeter | None, kind: str, inbound: Inbound) -> datetime | None:
    """Return when a meter went or came: its ActivityRecord, its readings, else the state or last change of the work."""
    if meter is None:
        return None
    records = [one.created_date_time for one in wire.activity_records if one.type == kind]
    read = [value.time_stamp for one in meter.meter_readings for value in one.readings]
    state = wire.status.date_time if wire.status is not None else None
    found = next((one for one in (*records, *read, state, wire.last_modified_date_time) if one is not None), None)
    return on_grid(found, inbound.conventions) if found is not None else None


def _usage_point(wire: MeterServiceWork, inbound: Inbound, where: str) -> tuple[str, str]:
    """Return mRID and name of the usage point that the readings of a meter name."""
    meters = [one for one in (wire.meter, wire.old_meter) if one is not None]
    for reading in (reading for one in meters for reading in one.meter_readings):
        if reading.usage_point is not None:
            point = reading.usage_point
            return usage_point_id(point.mrid, point.names, inbound.conventions.names, where=where)
    raise RejectedError("no usage point", code=identity.UNNAMED_OBJECT, where=where)


def _meter(
    wire: WorkMeter | None, reason: _Reason, usage_point: str, inbound: Inbound, where: str
) -> tuple[Meter | None, tuple[RegisterReading, ...], MeterIdentity | None]:
    """Return a meter, its readings, and what it is."""
    if wire is None:
        return None, (), None
    found = meter_identity(wire.mrid, wire.names, inbound.conventions, serial=wire.serial_number or "", where=where)
    readings = tuple(
        reading_from_object(one, usage_point, found.meter, inbound.source, where)
        for block in wire.meter_readings
        for one in block.readings
        if one.value is not None and one.reason in (None, reason)
    )
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
    one: MeterExchange,
    meter: Meter | None,
    readings: Sequence[RegisterReading],
    reason: _Reason,
    outbound: Outbound,
) -> WorkMeter | None:
    """Return a meter with its readings, order and installer."""
    if meter is None:
        return None
    types = outbound.conventions.names
    names: list[Name] = list(meter_names(meter.manufacturer, meter.serial, types))
    texts = (
        (one.order, types.work_order),
        (one.installer, types.installer),
        (format(meter.multiplier, "f") if meter.multiplier != 1 else "", types.multiplier),
    )
    names += [name_of(text, kind) for text, kind in texts if text]
    return WorkMeter(
        mrid=meter.meter or None,
        form_number=meter.model or None,
        serial_number=meter.serial or None,
        meter_readings=(
            readings_noun.MeterReading(
                readings=tuple(object_from_reading(value, reason) for value in readings),
                usage_point=usage_point_reference(one.usage_point, one.usage_point_name, types),
            ),
        ),
        names=tuple(names),
    )
