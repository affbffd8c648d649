"""MeterReadings (IEC 61968-9:2013), every element of it; readings in bulk go through meter_readings.py as columns."""

from datetime import datetime
from decimal import Decimal

from iec61968.nouns import kinds
from iec61968.nouns.elements import (
    DateTimeInterval,
    EndDeviceEvent,
    EndDeviceEventType,
    Identified,
    Name,
    ReadingQualityType,
    ReadingType,
    Reference,
    Status,
)
from iec61968.nouns.shape import Extension, part
from iec61968.nouns.tree import pair


@part
class ReadingQuality:
    """One quality of one reading."""

    comment: str | None = None
    source: str | None = None
    time_stamp: datetime | None = None
    reading_quality_type: Reference


@part
class IntervalReading:
    """A reading of an interval; its stamp is the interval's end."""

    reported_date_time: datetime | None = None
    source: str | None = None
    time_stamp: datetime | None = None
    value: str | None = None
    reading_qualities: tuple[ReadingQuality, ...] = ()
    time_period: DateTimeInterval | None = None


@part
class PendingCalculation:
    """What is still to be done to the values."""

    multiply_before_add: bool | None = None
    offset: int | None = None
    scalar_denominator: int | None = None
    scalar_float: Decimal | None = None
    scalar_numerator: int | None = None
    reading_type: Reference


@part
class IntervalBlock:
    """Intervals of one reading type."""

    interval_readings: tuple[IntervalReading, ...] = ()
    pending_calculation: PendingCalculation | None = None
    reading_type: Reference


@part
class Meter:
    """The meter that was read."""

    mrid: str | None = None
    names: tuple[Name, ...] = ()
    status: Status | None = None


@part
class Reading:
    """A reading of a register."""

    reason: kinds.ReadingReasonKind | None = None
    reported_date_time: datetime | None = None
    source: str | None = None
    time_stamp: datetime | None = None
    value: str | None = None
    reading_qualities: tuple[ReadingQuality, ...] = ()
    reading_type: Reference
    time_period: DateTimeInterval | None = None


@part
class MeterReading:
    """What is said of one meter or usage point."""

    is_coincident_trigger: bool | None = None
    end_device_events: tuple[EndDeviceEvent, ...] = ()
    interval_blocks: tuple[IntervalBlock, ...] = ()
    meter: Meter | None = None
    readings: tuple[Reading, ...] = ()
    usage_point: Identified | None = None
    values_interval: DateTimeInterval | None = None


@part
class MeterReadings:
    """Readings, and the types that they refer to."""

    end_device_event_type: tuple[EndDeviceEventType, ...] = ()
    meter_reading: tuple[MeterReading, ...] = ()
    reading_quality_type: tuple[ReadingQualityType, ...] = ()
    reading_type: tuple[ReadingType, ...] = ()
    extensions: tuple[Extension, ...] = ()


from_xml, to_xml = pair(MeterReadings)
