"""Messages of the MDMS in canonical words and back (docs/adapters/mdms.md)."""

from array import array
from collections.abc import Sequence
from io import BytesIO
from typing import Any

from lxml import etree

from adapters.mdms_cim.written import Meant, manufacturers_of, written
from canonical.billing import BilledNotice
from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.ids import mint
from canonical.messages import Header, Message
from canonical.metering import MeterReadings
from canonical.periods import Period
from canonical.reading_types import billing_code, reading_type_from_text
from iec61968 import safe_xml
from iec61968.bindings import body_of
from iec61968.canonical_nouns.readings import readings_from_columns
from iec61968.editions import EDITIONS, Edition
from iec61968.envelope import header_from_xml, local_name
from iec61968.nouns import meter_readings
from iec61968.nouns.columns import Identity, MeterReadingColumns, QualityMark, Readings, Span
from iec61968.nouns.scalars import decimal_parts, microseconds, scaled
from iec61968.validation import Policy
from iec61968.wire import WireHeader, WireMessage, WirePayload

SOURCE = "mdms"
"""Name of the feed where the settings give none."""

BILLED_MARK = "5.0.1"
"""Quality by which the MDMS is told that a determinant was billed (it locks the estimate)."""


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


def wire_of_notice(header: Header, element: etree._Element, *, sender: str) -> WireMessage:
    """Return the event with which notices go out: ids as UUIDs that follow from the hub's own."""
    return WireMessage(
        "event",
        WireHeader(
            verb="created",
            noun=meter_readings.NOUN,
            message_id=mint("cim-event", header.message_id),
            correlation_id=mint("cim-conversation", header.correlation_id or header.message_id),
            timestamp=header.created_at,
            source=sender,
        ),
        f"Created{meter_readings.NOUN}",
        payload=WirePayload((element,)),
    )


def question_id(usage_points: Sequence[str], period: Period, reason: str, *, fresh: bool) -> str:
    """Return the MessageID of a question: the same question has the same id, in every run."""
    return mint("cim-question", period.start, period.end, reason, str(fresh), *usage_points)


def golden_read(wire: bytes, name: str) -> Meant:
    """Return what a sample document means; `name` is the file's, for errors."""
    columns = tuple(meter_readings.decode(BytesIO(wire), where=name))
    return Meant(
        manufacturers_of(columns), tuple(readings_from_columns(one, source=SOURCE, where=name) for one in columns)
    )


def golden_write(meant: Meant, _name: str = "") -> bytes:
    """Return the document that means this."""
    return written(meant)
