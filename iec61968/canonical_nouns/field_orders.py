"""Exchanges that a crew is asked to do: FieldOrder to MeterServiceWork and back.

OldMeter is the meter that should hang there, Meter the place of the one to come: its `formNumber` is the model, its
readings bear the usage point, its Names whatever the profile has no element for (docs/adapters/wams.md). The window
stands in ActivityRecords of type `windowStart` and `windowEnd`; the state is `planned`.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import cast, get_args

from canonical.codes import identity
from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.reading_types import Commodity
from canonical.rollout import FieldOrder
from iec61968.canonical_nouns.conventions import MasterDataReading
from iec61968.canonical_nouns.identities import named, usage_point_id
from iec61968.canonical_nouns.instants import on_grid, said_at
from iec61968.canonical_nouns.saying import Inbound
from iec61968.canonical_nouns.work_parts import identity_of, is_named, names_from, recorded, work_meter
from iec61968.nouns import whole_meter_readings as readings_noun
from iec61968.nouns.elements import ActivityRecord, Identified, Name, Status
from iec61968.nouns.meter_service_requests import MeterServiceRequests, MeterServiceWork, WorkMeter

WINDOW = ("windowStart", "windowEnd")
"""Types of the ActivityRecords between whose instants the crew comes."""

PLANNED, WITHDRAWN = "planned", "cancelled"
"""Words of `status/value`."""


def noun_from_orders(orders: Sequence[FieldOrder], conventions: MasterDataReading) -> MeterServiceRequests:
    """Return the message that asks for exchanges; all of one verb.

    Raises:
        RejectedError: there is none, they have different verbs, or one has no usage point (EXPORT_IMPOSSIBLE).
    """
    if len({one.verb for one in orders}) != 1:
        raise RejectedError("no orders, or of different verbs", code=codes.EXPORT_IMPOSSIBLE, where="MeterServiceWork")
    return MeterServiceRequests(meter_service_work=tuple(object_from_order(one, conventions) for one in orders))


def object_from_order(one: FieldOrder, conventions: MasterDataReading) -> MeterServiceWork:
    """Return the work that a crew is asked to do.

    Raises:
        RejectedError: it has no usage point (EXPORT_IMPOSSIBLE).
    """
    if not (one.usage_point or one.usage_point_name):
        raise RejectedError("an order without usage point", code=codes.EXPORT_IMPOSSIBLE, where="MeterServiceWork")
    types = conventions.names
    window = zip(WINDOW, (one.window_from, one.window_until), strict=True)
    has_old = bool(one.old_meter or one.old_serial)
    old = (one.old_meter, one.old_manufacturer, one.old_serial)
    return MeterServiceWork(
        kind="meter",
        type="exchange" if has_old else "installed",
        activity_records=tuple(
            ActivityRecord(created_date_time=said_at(at, conventions), type=kind) for kind, at in window
        ),
        meter=WorkMeter(
            form_number=one.new_model or None,
            meter_readings=(readings_noun.MeterReading(usage_point=_point(one, conventions)),),
            names=_names(one, conventions),
        ),
        old_meter=work_meter(old, (), "removal", ("", ""), (), types) if has_old else None,
        status=Status(remark=one.remarks or None, value=WITHDRAWN if one.verb == "cancel" else PLANNED),
    )


def order_from_object(wire: MeterServiceWork, inbound: Inbound, where: str) -> FieldOrder:
    """Return the order that a work says.

    Raises:
        RejectedError: no usage point, no order's id, or a day, a window or a number that cannot be read.
    """
    conventions, types = inbound.conventions, inbound.conventions.names
    names = wire.meter.names
    texts = {kind: named(names, getattr(types, kind)) or "" for kind in _TEXTS}
    if inbound.verb not in ("create", "change", "cancel") or not texts["work_order"]:
        raise RejectedError("no order, or its verb", code=identity.UNNAMED_OBJECT, where=where)
    point = next((one.usage_point for one in wire.meter.meter_readings if one.usage_point is not None), Identified())
    usage_point, name = usage_point_id(point.mrid, point.names, types, where=where)
    old = wire.old_meter if wire.old_meter is not None and is_named(wire.old_meter, types) else None
    hangs = identity_of(old, inbound, f"{where}/OldMeter") if old is not None else None
    from_, until = (_instant(wire, kind, conventions, where) for kind in WINDOW)
    return FieldOrder(
        order=texts["work_order"],
        wave=texts["wave"],
        verb=inbound.verb,
        usage_point=usage_point,
        usage_point_name=name,
        commodity=_commodity(texts["commodity"], conventions, where),
        planned_day=_day(texts["planned_day"], where),
        window_from=from_,
        window_until=until,
        old_meter=hangs.meter if hangs is not None else "",
        old_manufacturer=hangs.manufacturer if hangs is not None else "",
        old_serial=hangs.serial if hangs is not None else "",
        new_model=wire.meter.form_number or "",
        district=texts["district"],
        route=texts["route"],
        location=texts["location"],
        contractor=texts["contractor"],
        attempt=_count(texts["attempt"], where),
        remarks=(wire.status.remark or "") if wire.status is not None else "",
    )


_TEXTS = ("work_order", "wave", "planned_day", "commodity", "district", "route", "location", "contractor", "attempt")
"""Kinds of Names of an order, as `NameTypes` calls them."""


def _names(one: FieldOrder, conventions: MasterDataReading) -> tuple[Name, ...]:
    """Return the Names of the meter that is to come."""
    values = {
        "work_order": one.order, "wave": one.wave, "planned_day": one.planned_day.isoformat(),
        "commodity": one.commodity, "district": one.district, "route": one.route, "location": one.location,
        "contractor": one.contractor, "attempt": str(one.attempt),
    }  # fmt: skip
    return names_from((values[kind], getattr(conventions.names, kind)) for kind in _TEXTS)


def _point(one: FieldOrder, conventions: MasterDataReading) -> Identified:
    """Return the usage point by both its ids: crews know it by name."""
    name = ((one.usage_point_name, conventions.names.usage_point),)
    return Identified(mrid=one.usage_point or None, names=names_from(name))


def _instant(wire: MeterServiceWork, kind: str, conventions: MasterDataReading, where: str) -> datetime:
    found = recorded(wire, kind)
    if found is None:
        raise RejectedError(f"no {kind}", code=codes.BAD_XML_VALUE, where=f"{where}/ActivityRecords")
    return on_grid(found, conventions)


def _day(text: str, where: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise RejectedError(f"planned day {text[:60]!r}", code=codes.BAD_XML_VALUE, where=where) from error


def _commodity(text: str, conventions: MasterDataReading, where: str) -> Commodity:
    if text and text not in get_args(Commodity):
        raise RejectedError(f"commodity {text[:60]!r}", code=codes.BAD_XML_VALUE, where=where)
    return cast("Commodity", text) if text else conventions.commodity


def _count(text: str, where: str) -> int:
    if text and not (text.isascii() and text.isdigit()):
        raise RejectedError(f"attempt {text[:60]!r}", code=codes.BAD_XML_VALUE, where=where)
    return int(text) if text else 1
