"""EndDeviceEvents (IEC 61968-9:2013): what happened at devices."""

from iec61968.nouns.elements import EndDeviceEvent, EndDeviceEventType
from iec61968.nouns.shape import Extension, part
from iec61968.nouns.tree import pair


@part
class EndDeviceEvents:
    """Events, and the types that they refer to."""

    end_device_event: tuple[EndDeviceEvent, ...] = ()
    end_device_event_type: tuple[EndDeviceEventType, ...] = ()
    extensions: tuple[Extension, ...] = ()


from_xml, to_xml = pair(EndDeviceEvents)
