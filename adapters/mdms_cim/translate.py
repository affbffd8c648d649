"""Readings of the MDMS in canonical words and back (docs/adapters/mdms.md); it stamps intervals at their END."""

from array import array
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

from adapters.mdms_cim.blocks import blocks_from_columns
from adapters.mdms_cim.written import Meant, manufacturers_of, written
from canonical.billing import BilledNotice
from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.ids import meter_mrid, mint
from canonical.messages import Header, Message
from canonical.metering import MeterReadings, RegisterReading
from canonical.periods import Period
from canonical.reading_types import billing_code, reading_type_from_text
from iec61968 import safe_xml
from iec61968.dialects.quality import quality_of
from iec61968.editions import EDITIONS, Edition
from iec61968.envelope import header_from_xml, local_name
from iec61968.nouns import meter_readings
from iec61968.nouns.columns import NO_VALUE, Identity, MeterReadingColumns, QualityMark, Readings, Span
from iec61968.nouns.scalars import decimal_parts, instant, microseconds, scaled
from iec61968.soap_call import body_of
from iec61968.validation import Policy

SOURCE = "mdms"
"""Name of the feed where the settings give none."""

BILLED_MARK = "5.0.1"
"""Quality by which the MDMS is told that a determinant was billed (it locks the estimate)."""


def readings_from_columns(columns: MeterReadingColumns, *, source: str = SOURCE, where: str = "") -> MeterReadings:
    """Return what one MeterReading says, in canonical words; values stay as stated, raw or calculated.

    Readings without a value are named in `events`.

    Raises:
        RejectedError: a reading type or stamp that cannot be understood, or intervals off their own grid.
    """
    usage_point = columns.usage_point.mrid
    meter, serial = meter_of(columns.meter)
    registers, remarks = _registers(columns.readings, usage_point, meter, source, where)
    blocks = tuple(
        block
        for one in columns.blocks
        for block in blocks_from_columns(one, usage_point=usage_point, meter=meter, source=source, where=where)
    )
    name = next((name.value for name in columns.usage_point.names), "")
    return MeterReadings(usage_point, meter, tuple(registers), blocks, tuple(remarks), name, serial)


def meter_of(identity: Identity) -> tuple[str, str]:
    """Return mRID and serial of a meter: minted from manufacturer and serial, else the mRID that the source gives."""
    for name in identity.names:
        if name.type.lower() in ("serial", "serialnumber"):
            return (meter_mrid(name.authority, name.value) if name.authority else identity.mrid), name.value
    return identity.mrid, ""


def _registers(
    readings: Readings, usage_point: str, meter: str, source: str, where: str
) -> tuple[list[RegisterReading], list[str]]:
    """Return the register readings of a MeterReading, and a remark for each reading without a value."""
    found: list[RegisterReading] = []
    remarks: list[str] = []
    for n, value in enumerate(readings.values):
        code = readings.reading_types[n]
        quality, own = quality_of(readings.qualities[n])
        period = _period(readings.periods[n]) if readings.periods else None
        taken_at = _taken_at(readings.stamps[n], period, f"{where}/Readings[{n + 1}]")
        check_reading_type(code, f"{where}/Readings[{n + 1}]")
        if value == NO_VALUE:
            remarks.append(f"no value of {code} at {taken_at.isoformat()} quality {own or quality.value}")
            continue
        number = Decimal(value).scaleb(readings.exponent)
        found.append(
            RegisterReading(
                usage_point, meter, code, taken_at, number, quality, own, source, _kept(code, period),
                readings.reasons[n] if readings.reasons else "",
            )
        )  # fmt: skip
    return found, remarks


def _period(span: Span | None) -> Period | None:
    if span is None or NO_VALUE in span or span.end < span.start:
        return None
    return Period(instant(span.start), instant(span.end))


def _kept(code: str, period: Period | None) -> Period | None:
    """Return the period of a quantity of a period; a snapshot of a register has none."""
    kind = reading_type_from_text(code)
    return period if kind.is_billing_quantity or kind.is_demand or kind.fields[3] == 4 else None


def _taken_at(stamp: int, period: Period | None, where: str) -> datetime:
    """Return the instant of a reading: its stamp, else the end of its period."""
    if stamp != NO_VALUE:
        return instant(stamp)
    if period is not None:
        return period.end
    raise RejectedError("a reading has neither timeStamp nor timePeriod", code=codes.BAD_XML_VALUE, where=where)


def check_reading_type(code: str, where: str) -> None:
    """Refuse a reading type that is not 18 numbers.

    Raises:
        RejectedError: it is not.
    """
    try:
        reading_type_from_text(code)
    except ValueError as error:
        raise RejectedError(f"reading type {code!r}: {error}", code=codes.BAD_XML_VALUE, where=where) from error


def readings_from_event(
    raw: bytes, *, source: str = SOURCE, edition: Edition = EDITIONS["2011"], policy: Policy = "strict"
) -> Message[tuple[MeterReadings, ...]]:
    """Return the message that a SOAP call of CreatedMeterReadings or ChangedMeterReadings carries.

    With another policy than `strict`, what can be read is read although its schema is broken.

    Raises:
        RejectedError: it cannot be read; nothing of it is taken.
    """
    message = body_of(safe_xml.parse(raw))
    element = next((child for child in message if local_name(child) == "Header"), None)
    if element is None:
        raise RejectedError("no Header", code=codes.SCHEMA_INVALID, where=f"/{local_name(message)}")
    header = header_from_xml(element)
    columns = meter_readings.decode(BytesIO(raw), edition=edition, policy=policy)
    payload = tuple(
        readings_from_columns(one, source=source, where=f"MeterReading[{n}]") for n, one in enumerate(columns, 1)
    )
    return Message(Header(**(_fields(header) | {"source": source})), payload)


def _fields(header: Header) -> dict[str, Any]:
    return {name: getattr(header, name) for name in Header.__slots__}


def columns_from_notice(notice: BilledNotice) -> MeterReadingColumns:
    """Return the MeterReading that tells the MDMS what was billed: the determinant's energy, marked as billed."""
    values, exponent = scaled([decimal_parts(format(notice.quantity, "f"))])
    span = Span(microseconds(notice.period.start.isoformat()), microseconds(notice.period.end.isoformat()))
    mark = QualityMark(BILLED_MARK, f"BILLED {notice.determinant_id} v{notice.version}")
    readings = Readings(
        stamps=array("q", [span.end]),
        values=values,
        exponent=exponent,
        qualities=((mark,),),
        reading_types=(_determinant_type(notice.reading_type),),
        periods=(span,),
        reasons=("billing",),
    )
    return MeterReadingColumns(Identity(notice.meter), Identity(notice.usage_point), (), readings)


def _determinant_type(code: str) -> str:
    """Return the reading type as a quantity of a billing period (macroPeriod 8)."""
    try:
        return code if reading_type_from_text(code).is_billing_quantity else billing_code(code)
    except ValueError as error:
        raise RejectedError(f"reading type {code!r}: {error}", code=codes.EXPORT_IMPOSSIBLE) from error


def notice_header(header: Header, *, source: str) -> Header:
    """Return the header with which notices go out: ids as UUIDs that follow from the hub's own."""
    return Header(
        message_id=mint("cim-event", header.message_id),
        source=source,
        verb="created",
        noun=meter_readings.NOUN,
        correlation_id=mint("cim-conversation", header.correlation_id or header.message_id),
        created_at=header.created_at,
    )


def question_id(usage_points: Sequence[str], period: Period, reason: str, *, fresh: bool) -> str:
    """Return the MessageID of a question: the same question has the same id, in every run."""
    return mint("cim-question", period.start, period.end, reason, str(fresh), *usage_points)


def golden_read(wire: bytes, name: str) -> Meant:
    """Return what a sample document means; `name` is the file's, for errors."""
    columns = tuple(meter_readings.decode(BytesIO(wire), where=name))
    return Meant(manufacturers_of(columns), tuple(readings_from_columns(one, where=name) for one in columns))


def golden_write(meant: Meant, _name: str = "") -> bytes:
    """Return the document that means this."""
    return written(meant)
