"""MeterReadSchedule (IEC 61968-9:2013, early draft's structure): when devices are to be read."""

from datetime import datetime

from iec61968.nouns import kinds
from iec61968.nouns.elements import DateTimeInterval, Identified
from iec61968.nouns.shape import Extension, compound, part
from iec61968.nouns.tree import pair


@compound
class Window:
    """How much earlier or later is good enough; the end stands first."""

    end: datetime | None = None
    start: datetime | None = None


@part
class TimePoint:
    """One point of a schedule."""

    date_time: datetime | None = None
    relative_time_interval: kinds.Seconds | None = None
    sequence_number: int | None = None
    window: Window | None = None


@part
class ReadTimeSchedule:
    """A recurring time."""

    disabled: bool | None = None
    offset: kinds.Seconds | None = None
    recurrence_pattern: str | None = None
    recurrence_period: kinds.Seconds | None = None
    schedule_interval: DateTimeInterval | None = None
    time_points: tuple[TimePoint, ...] = ()


@part
class MeterReadSchedule:
    """What is to be read, of whom, when."""

    customer_account: tuple[Identified, ...] = ()
    customer_agreement: tuple[Identified, ...] = ()
    end_device: tuple[Identified, ...] = ()
    end_device_group: tuple[Identified, ...] = ()
    reading_type: tuple[Identified, ...] = ()
    time_schedule: tuple[ReadTimeSchedule, ...] = ()
    usage_point: tuple[Identified, ...] = ()
    usage_point_group: tuple[Identified, ...] = ()
    extensions: tuple[Extension, ...] = ()


from_xml, to_xml = pair(MeterReadSchedule)
