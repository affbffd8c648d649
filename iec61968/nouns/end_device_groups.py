"""EndDeviceGroups: devices that are addressed together (no published structure; from CIM15)."""

from iec61968.nouns.elements import ConfigurationEvent, Identified, Name, Status
from iec61968.nouns.shape import Extension, part
from iec61968.nouns.tree import pair


@part
class EndDeviceGroup:
    """A group of devices."""

    mrid: str | None = None
    group_address: str | None = None
    type: str | None = None
    configuration_events: ConfigurationEvent | None = None
    end_devices: tuple[Identified, ...] = ()
    names: tuple[Name, ...] = ()
    status: Status | None = None


@part
class EndDeviceGroups:
    """Groups."""

    end_device_group: tuple[EndDeviceGroup, ...] = ()
    extensions: tuple[Extension, ...] = ()


from_xml, to_xml = pair(EndDeviceGroups)
