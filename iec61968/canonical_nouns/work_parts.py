"""Parts of a MeterServiceWork that exchanges, field results and orders share: usage point, meters, instants, Names."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Literal

from canonical.codes import identity
from canonical.errors import RejectedError
from canonical.metering import RegisterReading
from iec61968.canonical_nouns.conventions import NameTypes
from iec61968.canonical_nouns.identities import (
    MeterIdentity,
    meter_identity,
    meter_names,
    name_of,
    named,
    usage_point_id,
    usage_point_reference,
)
from iec61968.canonical_nouns.instants import on_grid
from iec61968.canonical_nouns.saying import Inbound
from iec61968.canonical_nouns.single_readings import object_from_reading, reading_from_object
from iec61968.nouns import whole_meter_readings as readings_noun
from iec61968.nouns.elements import Name
from iec61968.nouns.meter_service_requests import MeterServiceWork, WorkMeter

REMOVED, INSTALLED = "removed", "installed"
"""Types of ActivityRecords, and of works of one meter alone."""

Reason = Literal["removal", "installation"]


def usage_point_of(wire: MeterServiceWork, inbound: Inbound, where: str) -> tuple[str, str]:
    """Return mRID and name of the usage point that the readings of a meter name.

    Raises:
        RejectedError: they name none (UNNAMED_OBJECT).
    """
    for reading in (reading for one in meters_of(wire) for reading in one.meter_readings):
        if reading.usage_point is not None:
            point = reading.usage_point
            return usage_point_id(point.mrid, point.names, inbound.conventions.names, where=where)
    raise RejectedError("no usage point", code=identity.UNNAMED_OBJECT, where=where)


def meters_of(wire: MeterServiceWork) -> tuple[WorkMeter, ...]:
    """Return the meters of a work, the one that comes first."""
    return (wire.meter, wire.old_meter) if wire.old_meter is not None else (wire.meter,)


def names_of(wire: MeterServiceWork) -> tuple[Name, ...]:
    """Return the Names of all meters of a work."""
    return tuple(name for one in meters_of(wire) for name in one.names)


def identity_of(wire: WorkMeter, inbound: Inbound, where: str) -> MeterIdentity:
    """Return what a meter is.

    Raises:
        RejectedError: nothing names it, or its serial is mangled.
    """
    return meter_identity(wire.mrid, wire.names, inbound.conventions, serial=wire.serial_number or "", where=where)


def is_named(wire: WorkMeter, types: NameTypes) -> bool:
    """Return whether a meter is one certain meter, and not only a model or a place for Names."""
    serials = (types.serial, "serial", "serialNumber")
    return bool(wire.mrid or wire.serial_number or any(named(wire.names, kind) for kind in serials))


def readings_of(
    wire: WorkMeter, reason: Reason, usage_point: str, meter: str, inbound: Inbound, where: str
) -> tuple[RegisterReading, ...]:
    """Return the readings of a meter that were taken for a reason, or for none.

    Raises:
        RejectedError: a value, an instant or a reading type cannot be told.
    """
    return tuple(
        reading_from_object(one, usage_point, meter, inbound.source, where)
        for block in wire.meter_readings
        for one in block.readings
        if one.value is not None and one.reason in (None, reason)
    )


def recorded(wire: MeterServiceWork, kind: str) -> datetime | None:
    """Return the instant of the first ActivityRecord of a type."""
    return next((one.created_date_time for one in wire.activity_records if one.type == kind), None)


def instant_of(wire: MeterServiceWork, meter: WorkMeter | None, kind: str, inbound: Inbound) -> datetime | None:
    """Return when a meter went or came: its ActivityRecord, its readings, else the state or last change of the work."""
    if meter is None:
        return None
    read = [value.time_stamp for one in meter.meter_readings for value in one.readings]
    state = wire.status.date_time if wire.status is not None else None
    candidates = (recorded(wire, kind), *read, state, wire.last_modified_date_time)
    found = next((one for one in candidates if one is not None), None)
    return on_grid(found, inbound.conventions) if found is not None else None


def work_meter(
    identity: tuple[str, str, str],
    readings: Sequence[RegisterReading],
    reason: Reason,
    usage_point: tuple[str, str],
    names: Iterable[Name],
    types: NameTypes,
    *,
    model: str = "",
) -> WorkMeter:
    """Return a meter (mRID, manufacturer, serial) with its readings, the usage point (mRID, name) and Names."""
    mrid, manufacturer, serial = identity
    point = usage_point_reference(*usage_point, types) if any(usage_point) else None
    block = readings_noun.MeterReading(
        readings=tuple(object_from_reading(value, reason) for value in readings), usage_point=point
    )
    return WorkMeter(
        mrid=mrid or None,
        form_number=model or None,
        serial_number=serial or None,
        meter_readings=(block,) if block != readings_noun.MeterReading() else (),
        names=(*meter_names(manufacturer, serial, types), *names),
    )


def names_from(texts: Iterable[tuple[str, str]]) -> tuple[Name, ...]:
    """Return a Name for each text (and NameType) that is not empty."""
    return tuple(name_of(text, kind) for text, kind in texts if text)


def stated_of(thing: Any) -> frozenset[str]:
    """Return the names of the fields that say something."""
    values = ((one.name, getattr(thing, one.name)) for one in fields(thing))
    return frozenset(name for name, value in values if value not in (None, "", ()))
