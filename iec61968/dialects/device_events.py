"""Events of devices from the wire to canonical words: EndDeviceEvents, and those inside MeterReadings."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC

from lxml import etree

from canonical import events as canonical
from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.event_kinds import EventKind
from canonical.ids import meter_mrid
from iec61968 import safe_xml
from iec61968.dialects.events import code_of, event_kind, is_code, severity_of
from iec61968.envelope import child_text, local_name
from iec61968.nouns.columns import MeterReadingColumns
from iec61968.nouns.elements import EndDeviceEvent, Identified
from iec61968.nouns.tree import read_part

_SERIAL = ("serial", "serialnumber")


@dataclass(frozen=True, slots=True)
class Spoken:
    """How one source tells events."""

    dialect: str = "edition2"
    """One of `iec61968.dialects.events.DIALECTS`."""

    own: Mapping[str, EventKind] = field(default_factory=dict)
    """Codes of this source alone; they go before its dialect."""


def events_in(payload: etree._Element, *, source: str, spoken: Spoken) -> Iterator[canonical.EndDeviceEvent]:
    """Yield the events of an EndDeviceEvents payload, or those inside a MeterReadings payload.

    Raises:
        RejectedError: an event has no code, no instant, or names no device.
    """
    if local_name(payload) == "EndDeviceEvents":
        yield from _all(_named(payload, "EndDeviceEvent"), None, source, spoken)
        return
    for reading in _named(payload, "MeterReading"):
        yield from events_of_reading(reading, source=source, spoken=spoken)


def events_of_reading(reading: etree._Element, *, source: str, spoken: Spoken) -> Iterator[canonical.EndDeviceEvent]:
    """Yield the events inside one MeterReading; one that names no device happened at the reading's own meter.

    Raises:
        RejectedError: as `events_in`.
    """
    yield from _all(_named(reading, "EndDeviceEvents"), reading, source, spoken)


def events_of_columns(
    columns: MeterReadingColumns, *, source: str, spoken: Spoken
) -> Iterator[canonical.EndDeviceEvent]:
    """Yield the events of a MeterReading that was read as columns; else as `events_of_reading`."""
    meter, serial = columns.meter.mrid, ""
    for name in columns.meter.names:
        if name.type.lower() in _SERIAL:
            meter, serial = meter_mrid(name.authority, name.value) if name.authority else meter, name.value
    for number, raw in enumerate(columns.events, 1):
        event = read_part(EndDeviceEvent, element := safe_xml.parse(raw), strict=False)
        own = _meter(event.assets, next(_named(element, "Assets"), None))
        point = (event.usage_point.mrid if event.usage_point else "") or columns.usage_point.mrid
        device = (*(own if any(own) else (meter, serial)), point)
        yield _canonical(event, source, spoken, device, f"EndDeviceEvents[{number}]")


def _all(
    elements: Iterable[etree._Element], around: etree._Element | None, source: str, spoken: Spoken
) -> Iterator[canonical.EndDeviceEvent]:
    for number, element in enumerate(elements, 1):
        where = f"{local_name(element)}[{number}]"
        event = read_part(EndDeviceEvent, element, strict=False)
        meter, serial = _meter(event.assets, next(_named(element, "Assets"), None))
        if not (meter or serial) and around is not None:
            own = next(_named(around, "Meter"), None)
            meter, serial = _meter(None if own is None else read_part(Identified, own, strict=False), own)
        point = event.usage_point.mrid if event.usage_point else ""
        if not point and around is not None:
            place = next(_named(around, "UsagePoint"), None)
            point = child_text(place, "mRID") if place is not None else ""
        yield _canonical(event, source, spoken, (meter, serial, point or ""), where)


def _canonical(
    event: EndDeviceEvent, source: str, spoken: Spoken, device: tuple[str, str, str], where: str
) -> canonical.EndDeviceEvent:
    """Return one event in canonical words.

    Raises:
        RejectedError: it has no code, or names no device.
    """
    code = code_of(event)
    if not code:
        raise RejectedError("an event without EndDeviceEventType", code=codes.SCHEMA_INVALID, where=where)
    if not any(device):
        raise RejectedError("an event that names no device", code=codes.SCHEMA_INVALID, where=where)
    kind = spoken.own.get(code) or event_kind(code, dialect=spoken.dialect)
    meter, serial, point = device
    return canonical.EndDeviceEvent(
        source=source,
        code=code,
        kind=kind,
        occurred_at=event.created_date_time.astimezone(UTC),
        # Some sources write the code where the id belongs: then the event has none.
        mrid="" if is_code(event.mrid or "") else event.mrid or "",
        meter=meter,
        serial=serial,
        usage_point=point,
        severity=severity_of(event.severity or "", kind),
        reason=event.reason or "",
        issuer=event.issuer_id or "",
        tracking_id=event.issuer_tracking_id or "",
        status=(event.status.value or "") if event.status else "",
        details=tuple((one.name, one.value or "") for one in event.end_device_event_details),
    )


def _meter(identity: Identified | None, element: etree._Element | None) -> tuple[str, str]:
    """Return mRID and serial of a device: minted where the serial's manufacturer is told, else as it stands.

    `serialNumber` is an extension of some vendors; it is read where the endpoint lets it pass.
    """
    if identity is None or element is None:
        return "", ""
    mrid = identity.mrid or ""
    for name in identity.names:
        kind = name.name_type
        if kind is not None and kind.name.lower() in _SERIAL:
            maker = kind.name_type_authority.name if kind.name_type_authority else ""
            return (meter_mrid(maker, name.name) if maker else mrid), name.name
    return mrid, child_text(element, "serialNumber")


def _named(parent: etree._Element, name: str) -> Iterator[etree._Element]:
    """Yield children of a local name."""
    return (child for child in parent.iterchildren(etree.Element) if local_name(child) == name)
