"""One Reading of a register to canonical words and back, for nouns that carry a few of them."""

from datetime import UTC
from decimal import Decimal
from typing import Literal

from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.metering import RegisterReading
from canonical.reading_types import reading_type_from_text
from iec61968.canonical_nouns.quality_marks import marks_of
from iec61968.dialects.quality import quality_of
from iec61968.dialects.reading_types import reading_type_code
from iec61968.nouns.columns import QualityMark
from iec61968.nouns.elements import Reference
from iec61968.nouns.scalars import decimal_parts
from iec61968.nouns.whole_meter_readings import Reading, ReadingQuality


def reading_from_object(wire: Reading, usage_point: str, meter: str, source: str, where: str) -> RegisterReading:
    """Return a snapshot of a register; without a timeStamp it belongs to the end of its timePeriod.

    Raises:
        RejectedError: its value, its instant or its reading type cannot be told.
    """
    code = reading_type_code(wire.reading_type.ref or "")
    if code is None:
        reason = f"reading type {wire.reading_type.ref!r}"
        raise RejectedError(reason, code=codes.BAD_XML_VALUE, where=f"{where}/Readings")
    end = wire.time_period.end if wire.time_period is not None else None
    taken_at = wire.time_stamp or end
    if taken_at is None:
        raise RejectedError("a reading has no instant", code=codes.BAD_XML_VALUE, where=f"{where}/Readings")
    try:
        decimal_parts(wire.value or "")
    except ValueError as error:
        reason = f"{(wire.value or '')[:60]!r} is no number"
        raise RejectedError(reason, code=codes.BAD_XML_VALUE, where=f"{where}/Readings") from error
    marks = tuple(QualityMark(one.reading_quality_type.ref or "", one.comment or "") for one in wire.reading_qualities)
    quality, own = quality_of(marks)
    return RegisterReading(
        usage_point=usage_point,
        meter=meter,
        reading_type=code,
        taken_at=taken_at.astimezone(UTC),
        value=Decimal((wire.value or "").strip()),
        quality=quality,
        source_quality=own,
        source=source,
    )


def object_from_reading(reading: RegisterReading, reason: Literal["removal", "installation"]) -> Reading:
    """Return a snapshot of a register as the profile has it.

    Raises:
        RejectedError: its reading type is no code of eighteen numbers.
    """
    try:
        reading_type_from_text(reading.reading_type)
    except ValueError as error:
        raise RejectedError(str(error), code=codes.EXPORT_IMPOSSIBLE, where="Readings/ReadingType") from error
    return Reading(
        reason=reason,
        time_stamp=reading.taken_at,
        value=format(reading.value, "f"),
        reading_qualities=tuple(
            ReadingQuality(comment=one.comment or None, reading_quality_type=Reference(ref=one.ref))
            for one in marks_of(reading.quality, reading.source_quality)
        ),
        reading_type=Reference(ref=reading.reading_type),
    )
