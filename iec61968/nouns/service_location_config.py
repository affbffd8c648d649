"""ServiceLocationConfig: places that are served (no published structure; from CIM15)."""

from iec61968.nouns.customer_elements import CoordinateSystem, PositionPoint, StreetAddress, TelephoneNumber
from iec61968.nouns.elements import ConfigurationEvent, ElectronicAddress, Identified, Name, Status
from iec61968.nouns.shape import Extension, part
from iec61968.nouns.tree import pair


@part
class ServiceLocation:
    """A place."""

    mrid: str | None = None
    access_method: str | None = None
    category: str | None = None
    direction: str | None = None
    geo_info_reference: str | None = None
    needs_inspection: bool | None = None
    site_access_problem: str | None = None
    configuration_events: ConfigurationEvent | None = None
    electronic_address: ElectronicAddress | None = None
    main_address: StreetAddress | None = None
    names: tuple[Name, ...] = ()
    phone1: TelephoneNumber | None = None
    phone2: TelephoneNumber | None = None
    secondary_address: StreetAddress | None = None
    status: Status | None = None
    coordinate_system: CoordinateSystem | None = None
    customer_agreements: tuple[Identified, ...] = ()
    position_points: tuple[PositionPoint, ...] = ()
    usage_points: tuple[Identified, ...] = ()


@part
class ServiceLocationConfig:
    """Places."""

    service_location: tuple[ServiceLocation, ...] = ()
    extensions: tuple[Extension, ...] = ()


from_xml, to_xml = pair(ServiceLocationConfig)
