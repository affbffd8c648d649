"""UsagePointGroups: usage points that are addressed together (no published structure; from CIM15)."""

from iec61968.nouns.elements import ConfigurationEvent, Identified, Name, Status
from iec61968.nouns.shape import Extension, part
from iec61968.nouns.tree import pair


@part
class UsagePointGroup:
    """A group of usage points."""

    mrid: str | None = None
    type: str | None = None
    configuration_events: ConfigurationEvent | None = None
    names: tuple[Name, ...] = ()
    status: Status | None = None
    usage_points: tuple[Identified, ...] = ()


@part
class UsagePointGroups:
    """Groups."""

    usage_point_group: tuple[UsagePointGroup, ...] = ()
    extensions: tuple[Extension, ...] = ()


from_xml, to_xml = pair(UsagePointGroups)
