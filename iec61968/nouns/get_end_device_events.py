"""GetEndDeviceEvents (IEC 61968-9:2013): which events are asked for."""

from iec61968.nouns.elements import EndDeviceEvent, Identified, ServiceCategoryReference, TimeSchedule
from iec61968.nouns.shape import Extension, part
from iec61968.nouns.tree import pair


@part
class GetEndDeviceEvents:
    """A question for events: of whom, of which types, when."""

    customer: tuple[Identified, ...] = ()
    end_device_event: tuple[EndDeviceEvent, ...] = ()
    end_device_event_type: tuple[Identified, ...] = ()
    end_device_group: tuple[Identified, ...] = ()
    meter: tuple[Identified, ...] = ()
    service_category: tuple[ServiceCategoryReference, ...] = ()
    time_schedule: tuple[TimeSchedule, ...] = ()
    usage_point: tuple[Identified, ...] = ()
    extensions: tuple[Extension, ...] = ()


from_xml, to_xml = pair(GetEndDeviceEvents)
