"""ServiceCategoryConfig: kinds of service (no published structure; from CIM15)."""

from iec61968.nouns import kinds
from iec61968.nouns.elements import ConfigurationEvent, Name, Status
from iec61968.nouns.shape import Extension, part
from iec61968.nouns.tree import pair


@part
class ServiceCategory:
    """A kind of service."""

    mrid: str | None = None
    kind: kinds.ServiceKind | None = None
    configuration_events: ConfigurationEvent | None = None
    names: tuple[Name, ...] = ()
    status: Status | None = None


@part
class ServiceCategoryConfig:
    """Kinds of service."""

    service_category: tuple[ServiceCategory, ...] = ()
    extensions: tuple[Extension, ...] = ()


from_xml, to_xml = pair(ServiceCategoryConfig)
