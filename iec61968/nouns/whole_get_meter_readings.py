"""GetMeterReadings (IEC 61968-9:2013), every element of it; the hub's own question is in get_meter_readings.py."""

from iec61968.nouns import kinds
from iec61968.nouns.elements import DateTimeInterval, Identified, TimeSchedule
from iec61968.nouns.shape import Extension, part
from iec61968.nouns.tree import pair


@part
class EventQuestion:
    """The event that readings coincide with."""

    end_device_event_type: Identified


@part
class CoincidentReading:
    """A reading taken at the time of another."""

    reason: kinds.ReadingReasonKind | None = None
    source: str | None = None
    reading_type: Identified
    time_period: DateTimeInterval | None = None


@part
class CoincidentReadings:
    """Which readings coincide."""

    is_coincident_trigger: bool | None = None
    end_device_events: EventQuestion | None = None
    meter: Identified | None = None
    readings: CoincidentReading | None = None
    usage_point: Identified | None = None


@part
class Reading:
    """Purpose, source and span of the readings."""

    reason: kinds.ReadingReasonKind | None = None
    source: str | None = None
    time_period: DateTimeInterval | None = None


@part
class ReadingQuality:
    """A quality that readings shall have."""

    reading_quality_type: Identified


@part
class GetMeterReadings:
    """A question for readings."""

    end_device: tuple[Identified, ...] = ()
    end_device_group: tuple[Identified, ...] = ()
    meter_readings: CoincidentReadings | None = None
    reading: tuple[Reading, ...] = ()
    reading_quality: tuple[ReadingQuality, ...] = ()
    reading_type: tuple[Identified, ...] = ()
    time_schedule: tuple[TimeSchedule, ...] = ()
    transformer_tank: tuple[Identified, ...] = ()
    usage_point: tuple[Identified, ...] = ()
    usage_point_group: tuple[Identified, ...] = ()
    extensions: tuple[Extension, ...] = ()


from_xml, to_xml = pair(GetMeterReadings)
